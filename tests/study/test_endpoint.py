"""Studies whose model answers over the network: what is refused, resumed, counted and left out."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

from endpoint_server import Proxy
from equipoise import EquipoiseError, Study
from equipoise.study.specification import read_specification
from tiny_study import write_study

METHODS = """
[endpoint]
base_url = "URL"
concurrency = 1
price_in = 1.0
price_out = 2.0

[methods.prompt]

[methods.filter]
accept = "any"
max_draws = 6
"""
EASY = (('["bold", "ambitious", "self-reliant"]', '["t", "s", "to", "sel", "in", "of", "care"]'),)
SUBJECTS = 3
SAMPLES = 3


def study_file(folder: Path, url: str, model: str, *replacements: tuple[str, str]) -> Path:
    path = write_study(folder, model, task=EASY)
    text = path.read_text()
    text = text[: text.index("[methods.prompt]")] + METHODS.replace("URL", url)
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    return path


def test_prompt_and_filter_run_on_an_endpoint(
    proxy: Proxy, server: tuple[str, str], tmp_path: Path
) -> None:
    path = study_file(tmp_path, proxy.url, server[1])
    result = Study.from_toml(path).run(tmp_path / "run", quiet=True)
    cost = result.evaluation.cost
    assert cost is not None
    by_method = cost.set_index("method")
    assert by_method.loc["prompt", "requests"] == SUBJECTS * SAMPLES * 2
    assert by_method["requests"].sum() == len(proxy.bodies) == proxy.answered
    drawn = by_method["tokens_per_delivered"] * by_method["delivered"]
    expected = (by_method["prompt_tokens"] + 2 * drawn) / 1e6
    assert by_method["price"].tolist() == pytest.approx(expected.tolist())
    assert by_method.loc["filter", "delivered"] > 0
    assert by_method.loc["filter", "acceptance"] < 1
    [remark] = [text for text in result.evaluation.remarks if text.startswith("prompt took")]
    assert remark.startswith("prompt took 18 requests, ")
    assert "price 0.00" in remark
    # Without its weights nobody can say how likely it finds a sentence, or what it associates.
    assert result.evaluation.fluency is None
    assert result.evaluation.stereotype is not None
    assert not result.evaluation.stereotype["measure"].str.startswith("association").any()
    config = json.loads((tmp_path / "run/cells/prompt/seed1/config.json").read_text())
    assert config["endpoint"] == {"base_url": proxy.url, "api": "chat"}
    texts = pd.read_csv(tmp_path / "run/cells/prompt/seed1/completions.csv")["text"]
    assert all(texts.str.match(r"The (doctor|pilot|nurse) was"))


@pytest.mark.slow
def test_answers_survive_a_kill(proxy: Proxy, server: tuple[str, str], tmp_path: Path) -> None:
    """Killed after 8 answers, then run again: none is asked for twice, and nothing differs."""
    only = ('[methods.filter]\naccept = "any"\nmax_draws = 6\n', "")
    path = study_file(tmp_path, proxy.url, server[1], only)
    program = "import sys; from equipoise.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "run", str(path), "--out", str(tmp_path / "killed")]
    release = threading.Event()

    def hold(number: int) -> tuple[int, dict[str, str], bytes] | None:
        """The ninth answer comes when nobody waits for it any more."""
        return (500, {}, b"late") if number == 8 and release.wait(60) else None

    proxy.fault = hold
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    answers = tmp_path / "killed/cells/prompt/.seed1.partial/answers.jsonl"
    while len(proxy.bodies) < 9:  # eight are answered, the ninth is under way
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    release.set()
    kept, asked = answers.read_bytes().count(b"\n"), len(proxy.bodies)
    assert (kept, asked) == (8, 9)
    Study.from_toml(path).run(tmp_path / "killed", quiet=True)
    assert len(proxy.bodies) == asked + SUBJECTS * SAMPLES * 2 - kept
    Study.from_toml(path).run(tmp_path / "whole", quiet=True)
    for name in (
        "cells/prompt/seed1/completions.csv",
        "cells/prompt/seed2/completions.csv",
        "results/compliance.csv",
    ):
        killed, whole = (tmp_path / run / name for run in ("killed", "whole"))
        assert killed.read_bytes() == whole.read_bytes(), name


def test_a_failing_server_fails_the_cell_and_keeps_its_answers(
    proxy: Proxy, server: tuple[str, str], tmp_path: Path
) -> None:
    path = study_file(tmp_path, proxy.url, server[1], ("concurrency = 1", "retries = 0"))
    proxy.fault = lambda number: (500, {}, b"down") if number >= 4 else None
    with pytest.raises(EquipoiseError, match="run the same command again"):
        Study.from_toml(path).run(tmp_path / "run", quiet=True)
    answers = tmp_path / "run/cells/prompt/.seed1.partial/answers.jsonl"
    assert answers.read_bytes().count(b"\n") == 4
    proxy.fault = lambda number: None
    before = proxy.answered
    Study.from_toml(path).run(tmp_path / "run", quiet=True)
    cost = json.loads((tmp_path / "run/cells/prompt/seed1/summary.json").read_text())["cost"]
    assert cost["requests"] == SUBJECTS * SAMPLES
    assert before == 4


REFUSED = {
    "sft": (
        '[methods.filter]\naccept = "any"\nmax_draws = 6',
        "[methods.sft]",
        "methods.sft: method 'sft' needs weights",
    ),
    "ctrlg": (
        '[methods.filter]\naccept = "any"\nmax_draws = 6',
        "[methods.ctrlg]",
        "methods.ctrlg: method 'ctrlg' needs weights",
    ),
    "top_k": ("max_new_tokens = 12", "max_new_tokens = 12\ntop_k = 3", "sampling.top_k: "),
    "one price": ("price_in = 1.0\n", "", "endpoint.price_in: one of"),
    "unknown setting": ("price_in", "prize_in", "endpoint.prize_in: unknown setting"),
    "nothing to leave out": (
        "concurrency",
        "leave_out = ['top_k']\nconcurrency",
        "endpoint.leave_out.0: ",
    ),
    "too far": ("http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1/completions", "base_url: 'http"),
    "key in the file": ("concurrency", "api_key = 'x'\nconcurrency", "endpoint.api_key: unknown"),
    "local model": ("openai:none", "smollm2-135m-instruct", "endpoint: model 'smollm2-135m"),
    "judge": (
        "[endpoint]",
        "[measures]\nreference_model = 'openai:y'\n[endpoint]",
        "measures.reference_model: model 'openai:y' is an endpoint",
    ),
    "top": ("[endpoint]", "[endpoint]\nretries = -1", "endpoint.retries"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_needs_weights_or_is_wrong_is_refused_early(name: str, tmp_path: Path) -> None:
    old, new, expected = REFUSED[name]
    path = study_file(tmp_path, "http://127.0.0.1:9/v1", "openai:none", (old, new))
    with pytest.raises(EquipoiseError) as caught:
        read_specification(path)
    assert expected in str(caught.value)
