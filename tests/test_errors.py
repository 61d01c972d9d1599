from __future__ import annotations

import pytest

from equipoise.errors import EquipoiseError, nearest


def test_error_reads_as_one_sentence_and_keeps_its_parts() -> None:
    error = EquipoiseError("7 is too much", file="a.toml", field="sft.epochs", hint="Use 3.")
    assert str(error) == "a.toml: sft.epochs: 7 is too much. Use 3."
    assert (error.problem, error.file, error.field, error.hint) == (
        "7 is too much",
        "a.toml",
        "sft.epochs",
        "Use 3.",
    )


def test_error_without_place() -> None:
    assert str(EquipoiseError("no such thing")) == "no such thing."
    assert str(EquipoiseError("wrong", field="x")) == "x: wrong."


@pytest.mark.parametrize(
    ("name", "valid", "expected"),
    [
        ("stf", ["prompt", "sft"], "Did you mean 'sft'?"),
        ("zzz", ["prompt", "sft"], "Valid: prompt, sft."),
        ("x", [], "There is no valid name here."),
        ("SFT", ["prompt", "sft"], "Did you mean 'sft'?"),
    ],
)
def test_nearest(name: str, valid: list[str], expected: str) -> None:
    assert nearest(name, valid) == expected


def test_a_message_is_clipped_in_its_middle() -> None:
    text = str(EquipoiseError("x" * 1_000_000, file="a.toml", hint="Do this."))
    assert len(text) < 10_000
    assert text.startswith("a.toml: xxx")
    assert text.endswith("x. Do this.")
