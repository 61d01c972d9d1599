"""``equipoise examine``: any model outside of a study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from equipoise.cli import main
from equipoise.measures.side_effects import examination


@pytest.fixture(autouse=True)
def small_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = examination.requests_for
    monkeypatch.setattr(examination, "requests_for", lambda task: whole(task)[::20])


@pytest.fixture
def pairs(write_csv: Callable[..., Path]) -> Path:
    return write_csv("worse,better,group\nHe leads.,She leads.,work\nHe left.,She left.,home\n")


def test_it_writes_what_a_study_writes(
    tiny_model_folder: Path, pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(tiny_model_folder)
    out = ["--out", str(tmp_path / "o")]
    asked = ["examine", model, "--against", model, "--pairs", str(pairs), *out]
    assert main(asked) == 0
    shown = capsys.readouterr().out
    assert "What else changed" in shown
    assert "minimal pairs: work" in shown
    table = pd.read_csv(tmp_path / "o" / "side_effects.csv")
    assert table.columns.tolist() == [
        "method", "seed", "instrument", "group", "value", "low", "high", "n", "base", "unit",
    ]  # fmt: skip
    assert table["value"].tolist() == pytest.approx(table["base"].tolist(), abs=1e-6)
    assert set(table["method"]) == {"tiny"}
    assert main(asked) == 1
    assert "exists already" in capsys.readouterr().err
    assert main([*asked, "--force", "--quiet"]) == 0


def test_without_a_base(
    tiny_model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["examine", str(tiny_model_folder), "--out", str(tmp_path / "o")]) == 0
    table = pd.read_csv(tmp_path / "o" / "side_effects.csv")
    assert table["base"].isna().all()
    assert not {"retention_kl"} & set(table["instrument"])
    assert table["seed"].isna().all()
    assert not table.duplicated(["instrument", "group"]).any()
    assert "base model" not in capsys.readouterr().out


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["nowhere"], "MODEL: unknown model 'nowhere'"),
        (["MODEL", "--against", "nowhere"], "--against: unknown model 'nowhere'"),
        (["MODEL", "--pairs", "absent.csv"], "absent.csv"),
        (["MODEL", "--text", "absent.txt"], "absent.txt"),
        (["MODEL", "--choices", "absent.jsonl"], "absent.jsonl"),
        (["MODEL", "--task", "nothing"], "nothing"),
        (["MODEL", "--harness-folder", "tasks"], "--harness-folder: no task of it is named"),
    ],
)
def test_mistakes_are_found_before_a_model_is_loaded(
    tiny_model_folder: Path, asked: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    named = [one.replace("MODEL", str(tiny_model_folder)) for one in asked]
    assert main(["examine", *named]) == 1
    assert message in capsys.readouterr().err
