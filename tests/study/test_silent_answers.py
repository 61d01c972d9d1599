"""A cell without answers has no rate: not 0 %, no interval, no slope, and everything says why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise import EquipoiseError, Study
from equipoise.measures import Evaluation
from equipoise.report import write_report
from stub_endpoint import NAME, Reply, asked_about, chat, stub_of
from tiny_study import write_study
from tiny_task import SHARES

METHODS = """
[endpoint]
base_url = "URL"
leave_out = ["top_p"]

[methods.prompt]

[methods.mute]
use = "prompt-balanced"
"""
SEEDS_OF_2 = {int(np.random.SeedSequence([2, n]).generate_state(1)[0]) >> 1 for n in range(3)}
"""What requests of the study's second seed hold."""

THINKING = chat(None, reasoning_content="I need a sentence", reason="length")
WHY = (
    "mute: 18 of 18 answers are empty and are not delivered: only the model's reasoning came (18). "
    "Raise max_new_tokens, or turn thinking off at the server."
)


def answers(body: dict[str, Any]) -> Reply:
    """Nothing to the balanced prompt, with seed 2, or about pilots; else balanced sentences."""
    subject = asked_about(body)
    if "both kinds" in body["messages"][0]["content"] or body["seed"] in SEEDS_OF_2:
        return Reply(THINKING)
    if subject == "pilot":
        return Reply(chat(None, refusal="I cannot say that."))
    return Reply(chat(f"The {subject} is bold and kind with all of them."))


def write(folder: Path, url: str, methods: str = METHODS) -> Path:
    path = write_study(folder, NAME, task=SHARES)
    text = path.read_text()
    path.write_text(text[: text.index("[methods.prompt]")] + methods.replace("URL", url))
    return path


@dataclass(frozen=True)
class Run:
    """What the study ended with, and its folder."""

    evaluation: Evaluation
    folder: Path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("silent")
    with stub_of(answers) as stub:
        path = write(folder, stub.url)
        evaluation = Study.from_toml(path).run(folder / "run", quiet=True).evaluation
        write_report(folder / "run", task=folder / "small.toml")
        yield Run(evaluation, folder / "run")


def test_no_table_has_a_rate_of_it(run: Run) -> None:
    by_seed = run.evaluation.by_seed
    assert set(zip(by_seed["method"], by_seed["seed"], strict=True)) == {("prompt", 1)}
    assert by_seed["balanced"].tolist() == [1.0] * 3  # of train, validation and all subjects
    for path in sorted((run.folder / "results").glob("*.csv")):
        table = pd.read_csv(path)
        if path.stem == "settings":
            continue
        if path.stem not in ("summary", "cost"):
            assert "mute" not in table.to_csv(), path
            continue
        mute = table.set_index("method").loc["mute"]
        counted = {"n", "seeds", "wanted", "delivered", "draws", "control", "requests",
                   "prompt_tokens", "completion_tokens", "tokens_per_delivered",
                   "seconds_per_delivered", "fit_seconds", "trainable_parameters"}  # fmt: skip
        rest = {
            name
            for name in mute[mute.notna()].index
            if name not in counted and not name.endswith("peak_gb")
        }
        assert {n for n in rest if not n.startswith(("silent", "too_long", "respaced"))} == set()


def test_a_cell_keeps_what_was_asked_and_paid_for(run: Run) -> None:
    cell = run.folder / "cells" / "prompt" / "seed1"
    draws = pd.read_csv(cell / "draws.csv")
    assert draws["text"].isna().tolist() == [name == "pilot" for name in draws["subject"]]
    delivered = pd.read_csv(cell / "completions.csv")
    assert delivered["subject"].unique().tolist() == ["doctor", "nurse"]
    acceptance = pd.read_csv(cell / "acceptance.csv").set_index("subject")
    assert acceptance["acceptance"].fillna(-1).to_dict() == {
        "doctor": 1, "pilot": -1, "nurse": 1, "all": 1
    }  # fmt: skip
    summary = json.loads((run.folder / "cells/mute/seed1/summary.json").read_text())
    assert summary["rates"] == []
    assert (summary["cost"]["silent_thinking"], summary["cost"]["answered"]) == (9, 0)
    cost = run.evaluation.cost.set_index("method")
    assert cost.loc["prompt", ["delivered", "silent_refused", "silent_thinking"]].tolist() == [
        6, 3, 9
    ]  # fmt: skip
    assert cost.loc["mute", ["acceptance", "balanced_draws"]].isna().all()


def test_the_terminal_says_why(run: Run) -> None:
    rows = [line.split() for line in str(run.evaluation).splitlines()]
    mute = [row for row in rows if row[:1] == ["mute"]]
    assert sum("–" in row for row in mute) >= 2  # of balance, and of what else changed
    assert not any("%" in row for row in mute)
    said = run.evaluation.remarks
    assert WHY in said
    assert (
        "prompt: 12 of 18 answers are empty and are not delivered: only the model's reasoning "
        "came (9) and the model or the server's filter refused (3). "
        "Raise max_new_tokens, or turn thinking off at the server."
    ) in said
    assert (
        "prompt delivered nothing with seed 2: no rate there, and nothing of it in means and tests."
    ) in said
    assert "Their forms: 'The {subject} is …' 6." in said
    assert said[0].startswith("The server was not sent top_p (leave_out)")


def test_the_page_says_why(run: Run) -> None:
    page = (run.folder / "report" / "index.html").read_text()
    row = page[page.index('<th scope="row">mute</th>') :].partition("</tr>")[0]
    assert "delivered nothing" in row
    assert "%" not in row
    shown = page.replace("&#39;", "'")
    assert f"<li><bdi>{WHY}</bdi></li>" in shown
    assert "mute delivered nothing, and has no rate." in shown
    assert "prompt delivered nothing with seed 2" in shown
    assert "left to the server" in shown


def test_latex_and_json_say_why(run: Run) -> None:
    report = run.folder / "report"
    tex = (report / "tables" / "main.tex").read_text()
    row = next(line for line in tex.splitlines() if line.startswith("mute &"))
    assert set(row.removeprefix("mute &").replace(r"\textendash{}", "").split()) == {"&", "\\\\"}
    assert r"mute: 18 of 18 answers are empty" in tex
    found = json.loads((report / "results.json").read_text())
    assert WHY in found["answer"]["limits"]
    assert [row["method"] for row in found["headline"]] == ["prompt"]
    main = pd.read_csv(report / "tables" / "main.csv").set_index("method")
    assert main.loc["mute", ["n", "seeds"]].tolist() == [0, 0]
    assert main.loc["mute"].drop(["n", "seeds"]).isna().all()
    told = (report / "paper.md").read_text().replace("\\", "")
    assert "top_p left to the server" in told
    assert "top-p" not in told


def test_the_record_says_what_was_left_out(run: Run) -> None:
    record = json.loads((run.folder / "study.json").read_text())
    assert record["endpoint"]["leave_out"] == ["top_p"]


def test_a_study_of_which_every_answer_is_empty_says_why(tmp_path: Path) -> None:
    with stub_of(lambda body: Reply(THINKING)) as stub:
        path = write(tmp_path, stub.url)
        with pytest.raises(EquipoiseError) as caught:
            Study.from_toml(path).run(tmp_path / "run", quiet=True)
    assert "no method has delivered a single completion" in caught.value.problem
    assert WHY in caught.value.hint


def test_a_filter_delivers_no_empty_answer(tmp_path: Path) -> None:
    filtered = METHODS.replace('use = "prompt-balanced"', 'use = "filter"\nmax_draws = 4')
    with stub_of(answers) as stub:
        path = write(tmp_path, stub.url, filtered)
        result = Study.from_toml(path).run(tmp_path / "run", quiet=True)
    draws = pd.read_csv(tmp_path / "run/cells/mute/seed1/draws.csv")
    assert draws["accepted"].tolist() == draws["text"].notna().tolist()
    cost = result.evaluation.cost.set_index("method")
    assert cost.loc["mute", "balanced_draws"] == 1  # of those that say something
