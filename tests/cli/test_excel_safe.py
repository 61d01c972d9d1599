"""``--excel-safe``: what people open runs nothing; without it every text is to the letter."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

FORMULAS = ["=HYPERLINK(\"http://example.invalid\")", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)",
            "'=1"]  # fmt: skip
JUDGED = [*FORMULAS[:-1], "=1"]
"""Their sentences: a quotation mark before one does not belong to it."""


def rows(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def hostile() -> None:
    """``c.csv``: completions that a spreadsheet would run."""
    with Path("c.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["method", "occupation", "text"])
        writer.writerows(["=cmd", "doctor", text] for text in FORMULAS)


def test_evaluate(equipoise, hostile: None) -> None:
    assert equipoise("evaluate", "c.csv", "--out", "exact").code == 0
    assert [row["text"] for row in rows("exact/scored.csv")] == JUDGED
    assert {row["method"] for row in rows("exact/by_seed.csv")} == {"=cmd"}
    assert equipoise("evaluate", "c.csv", "--out", "safe", "--excel-safe").code == 0
    assert [row["text"] for row in rows("safe/scored.csv")] == [f"'{text}" for text in JUDGED]
    for path in Path("safe").glob("*.csv"):
        for row in rows(str(path)):
            for name, value in row.items():
                number = value.lstrip("-").replace(".", "").isdigit()
                assert number or value[:1] not in tuple("=+-@\t\r"), (path, name, value)


def test_data(equipoise, task_text: str) -> None:
    text = task_text.replace('"The {subject} was"', '"-{subject} was"')
    text = text.replace('["The {subject} was {agentic}', '["-{subject} was {agentic}')
    Path("t.toml").write_text(text)
    command = ("data", "--task", "t.toml", "-n", "2")
    assert equipoise(*command, "--out", "exact.csv").code == 0
    assert {row["text"][:7] for row in rows("exact.csv")} == {"-doctor"}
    assert equipoise(*command, "--out", "safe.csv", "--excel-safe").code == 0
    assert {row["text"][:8] for row in rows("safe.csv")} == {"'-doctor"}
    refused = equipoise(*command, "--out", "safe.jsonl", "--excel-safe")
    assert refused.code == 2
    assert "--excel-safe needs --format csv." in refused.err


def test_compare(equipoise) -> None:
    for name, method in (("a", "=one"), ("b", "@two")):
        lines = [f"{method},doctor,The doctor was bold and caring."] * 4
        Path(f"{name}.csv").write_text("\n".join(["method,occupation,text", *lines]) + "\n")
    assert equipoise("compare", "a.csv", "b.csv", "--out", "exact.csv").code == 0
    assert {row["method_a"] for row in rows("exact.csv")} == {"=one"}
    assert equipoise("compare", "a.csv", "b.csv", "--out", "safe.csv", "--excel-safe").code == 0
    assert {row["method_b"] for row in rows("safe.csv")} == {"'@two"}
