from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from equipoise.errors import EquipoiseError
from equipoise.files.toml_file import MAX_TOML_BYTES, read_toml
from equipoise.settings import Settings, parse


class Inner(Settings):
    rate: float = Field(1.0, gt=0)
    kind: Literal["red", "green"] = "red"


class Outer(Settings):
    name: str
    seeds: tuple[int, ...] = Field((), strict=False)
    inner: Inner = Inner()
    table: dict[Annotated[str, Field(max_length=5)], Inner] = Field(default={})
    maybe: Inner | None = None


def problem(data: object) -> str:
    with pytest.raises(EquipoiseError) as caught:
        parse(Outer, data, file="f.toml", field="top")
    return str(caught.value)


def test_parse_gives_frozen_settings() -> None:
    outer = parse(Outer, {"name": "x", "seeds": [1, 2], "inner": {"rate": 2}})
    assert outer.seeds == (1, 2)
    assert outer.inner.rate == 2.0
    with pytest.raises(ValidationError):
        outer.name = "y"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, "f.toml: top.name: missing. Add it."),
        ({"name": 3}, "f.toml: top.name: input should be a valid string, got 3."),
        (
            {"name": "x", "sedes": [1]},
            "f.toml: top.sedes: unknown setting. Did you mean 'seeds'?",
        ),
        (
            {"name": "x", "inner": {"rat": 1}},
            "f.toml: top.inner.rat: unknown setting. Did you mean 'rate'?",
        ),
        (
            {"name": "x", "table": {"a": {"knid": "red"}}},
            "f.toml: top.table.a.knid: unknown setting. Did you mean 'kind'?",
        ),
        (
            {"name": "x", "maybe": {"knid": "red"}},
            "f.toml: top.maybe.knid: unknown setting. Did you mean 'kind'?",
        ),
        (
            {"name": "x", "inner": {"kind": "gren"}},
            "f.toml: top.inner.kind: input should be 'red' or 'green', got 'gren'. "
            "Did you mean 'green'?",
        ),
        (
            {"name": "x", "inner": {"rate": 0}},
            "f.toml: top.inner.rate: input should be greater than 0, got 0.",
        ),
    ],
)
def test_one_problem(data: object, expected: str) -> None:
    assert problem(data) == expected


@pytest.mark.parametrize("seeds", [["1"], [1.5], [True], 1, "12"])
def test_numbers_are_never_converted(seeds: object) -> None:
    assert "top.seeds" in problem({"name": "x", "seeds": seeds})


@pytest.mark.parametrize("rate", [float("nan"), float("inf"), "1"])
def test_numbers_are_finite_and_unquoted(rate: object) -> None:
    assert "top.inner.rate" in problem({"name": "x", "inner": {"rate": rate}})


def test_all_problems_are_named() -> None:
    message = problem({"name": 3, "inner": {"rate": -1}, "x": 1})
    assert message.startswith("f.toml: 3 problems\n")
    for field in ("top.name", "top.inner.rate", "top.x"):
        assert message.count(field) == 1
    assert message.count("f.toml") == 1


def test_a_bad_key_is_named_like_a_field() -> None:
    message = problem({"name": "x", "table": {"abcdef": {}}})
    assert message.startswith("f.toml: top.table.abcdef: string should have at most 5")


def test_only_the_first_problems_are_spelled_out() -> None:
    message = problem({"name": "x", "seeds": ["1"] * 1000})
    assert message.startswith("f.toml: 1000 problems")
    assert message.endswith("... and 980 more.")
    assert len(message.splitlines()) == 22


def test_long_values_are_cut() -> None:
    assert len(problem({"name": list(range(1000))})) < 200


def test_data_that_is_no_table() -> None:
    assert "f.toml: top:" in problem([1])


def test_read_toml(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("[a]\nb = 'ü'\n", encoding="utf-8")
    assert read_toml(str(path)) == {"a": {"b": "ü"}}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\xef\xbb\xbfa = 1", "byte order mark"),
        (b"a = '\0'", "NUL bytes"),
        (b"a = '\xff'", "not UTF-8 at byte 5"),
        (b"a = 1\na = 2", "not valid TOML: Cannot overwrite a value"),
        (b"a = ", "not valid TOML: Invalid value"),
        (b"a = " + b"[" * 5000 + b"]" * 5000, "not valid TOML"),
    ],
)
def test_unreadable_toml(raw: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(raw)
    with pytest.raises(EquipoiseError, match=message) as caught:
        read_toml(path)
    assert caught.value.file == str(path)


def test_missing_folder_and_huge_file(tmp_path: Path) -> None:
    with pytest.raises(EquipoiseError, match="no such file"):
        read_toml(tmp_path / "none.toml")
    with pytest.raises(EquipoiseError, match="cannot be read"):
        read_toml(tmp_path)
    with pytest.raises(EquipoiseError, match=r"(no such file|cannot be read)"):
        read_toml("a" * 5000)
    with pytest.raises(EquipoiseError, match=r"(no such file|cannot be read)"):
        read_toml("a\0b")
    big = tmp_path / "big.toml"
    with big.open("wb") as stream:
        stream.truncate(MAX_TOML_BYTES + 1)
    with pytest.raises(EquipoiseError, match="larger than 2,000,000 bytes"):
        read_toml(big)
