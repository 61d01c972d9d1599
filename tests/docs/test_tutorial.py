"""The tutorial's files and commands, as they stand on the page."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

from equipoise.cli import main
from equipoise.task import load_task

PAGE = (Path(__file__).parents[2] / "docs" / "your-own-task.md").read_text("utf-8")


def blocks(kind: str) -> list[str]:
    """The page's blocks of code of one kind."""
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def commands() -> list[str]:
    """Every command of the page."""
    return [line for block in blocks("sh") for line in block.splitlines() if line.strip()]


@pytest.mark.slow
def test_every_command_of_the_tutorial(
    tiny_model_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    task, study, axis = blocks("toml")
    Path("places.toml").write_text(task)
    Path("places-study.toml").write_text(
        study.replace("samples_per_subject = 20", "samples_per_subject = 2")
    )
    assert len(commands()) >= 9
    said = {}
    for command in commands():
        program, *arguments = shlex.split(command)
        assert program == "equipoise"
        if arguments[0] == "generate":
            arguments += ["--model", str(tiny_model_folder), "--max-new-tokens", "12"]
            arguments[arguments.index("-n") + 1] = "2"
        if arguments[0] == "run":
            for setting in (
                f'study.model="{tiny_model_folder}"',
                "methods.sft.max_steps=1",
                "methods.filter.max_draws=4",
                "sampling.max_new_tokens=12",
            ):
                arguments += ["--set", setting]
        assert main(arguments) == 0, (command, capsys.readouterr().err)
        said[command] = capsys.readouterr()
    first, second = (text.out for command, text in said.items() if "explain" in command)
    assert "absent" in first  # "clever" is held out, as the page says
    assert "absent" not in second
    check = next(text.out for command, text in said.items() if "task check" in command)
    assert "4 train subjects" in check
    assert len(pd.read_csv("train.csv")) == 4 * 30
    table = next(text for command, text in said.items() if command.startswith("equipoise run"))
    assert "sft" in table.out
    assert "has no axis: no stereotype slope" in table.err + table.out
    assert Path("runs/places/results/summary.csv").exists()
    Path("with-axis.toml").write_text(f"{task}\n{axis}")
    found = load_task("with-axis.toml").axis
    assert found is not None
    assert found.name == "place"
