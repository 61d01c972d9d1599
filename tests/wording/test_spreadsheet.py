from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from equipoise.wording.spreadsheet import escape_formula, without_formulas

texts = st.text(alphabet="'=+-@\t\rab", max_size=6)


@given(texts)
def test_nothing_that_a_spreadsheet_runs_is_left(text: str) -> None:
    escaped = str(escape_formula(text))
    assert not escaped or escaped[0] not in "=+-@\t\r"
    assert escaped in (text, f"'{text}")


@given(texts, texts)
def test_two_texts_never_become_one(one: str, other: str) -> None:
    assert (escape_formula(one) == escape_formula(other)) == (one == other)


def test_numbers_are_no_texts() -> None:
    assert escape_formula(-1.5) == -1.5
    assert escape_formula("-1.5") == "'-1.5"


def test_every_text_of_a_table_is_disarmed_and_no_number() -> None:
    frame = pd.DataFrame(
        {
            "@sum": [-1.5, float("nan")],
            "text": ["=cmd", "a"],
            "mixed": pd.Series(["'=x", -2], dtype=object),
            "kind": pd.Categorical(["+a", "b"]),
            "flag": pd.Series([True, pd.NA], dtype="boolean"),
        }
    )
    safe = without_formulas(frame)
    assert list(safe.columns) == ["'@sum", "text", "mixed", "kind", "flag"]
    assert safe["'@sum"].tolist()[0] == -1.5
    assert safe["text"].tolist() == ["'=cmd", "a"]
    assert safe["mixed"].tolist() == ["''=x", -2]
    assert safe["kind"].tolist() == ["'+a", "b"]
    assert safe["flag"].equals(frame["flag"])
    assert frame["text"].tolist() == ["=cmd", "a"]  # the frame itself is left alone
    assert frame.columns[0] == "@sum"
