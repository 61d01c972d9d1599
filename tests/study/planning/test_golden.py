"""What ``equipoise plan`` said before methods stated their needs themselves, to the digit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from equipoise.cli import main

CASES = {
    "full": ("--memory", "25.3", "--tflops", "1", "--set", 'study.device="cpu"'),
    "llama-3.1-8b": ("--gpu", "--memory", "80", "--tflops", "312"),
}


@pytest.mark.parametrize("study", CASES)
def test_the_numbers_are_what_they_were(study: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", study, *CASES[study], "--json"]) == 0
    golden = Path(__file__).with_name(f"golden_{study}.json")
    assert json.loads(capsys.readouterr().out) == json.loads(golden.read_text("utf-8"))
