from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from equipoise.wording.spreadsheet import escape_formula

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
