"""A constraint in words: every clause, every term, and of a sentence only what it lacks."""

from __future__ import annotations

from dataclasses import replace

from equipoise.task import Constraint, Lexicon, TermMatcher
from equipoise.task.request import demands, lacking, request

SETS = {
    "agentic": Lexicon("agentic", ("bold", "ambitio*", "takes charge"), ("active",)),
    "communal": Lexicon("communal", ("kind",), ("warm",)),
    "odd": Lexicon("odd", ("purple", "green")),
}
WHOLE = Constraint(
    SETS,
    all_of=("{agentic}", "{communal}"),
    any_of=("nurse", "doctor"),
    none_of=("{odd}", "he"),
    words=(5, 9),
)
DEMANDS = [
    "at least one of these words: bold, ambitio-, takes charge",
    "the word kind",
    "at least one of these words: nurse, doctor",
    "none of these words: purple, green",
    "not the word he",
]


def test_every_clause_is_a_demand() -> None:
    assert demands(WHOLE) == DEMANDS
    assert demands(replace(WHOLE, all_of=(), any_of=("nurse",), none_of=())) == ["the word nurse"]
    assert demands(Constraint({}, words=(1, 2))) == []


def test_of_a_sentence_it_says_what_that_lacks() -> None:
    text = "The doctor was bold and he was purple in all of this."
    assert lacking(WHOLE, text) == [DEMANDS[1], DEMANDS[3], DEMANDS[4], "5 to 9 words"]
    assert lacking(WHOLE, "The nurse was ambitious and kind.") == []
    assert lacking(replace(WHOLE, words=(7, 7)), "The nurse was ambitious and kind.") == ["7 words"]


def test_whoever_follows_it_is_told_every_scored_term() -> None:
    said = request(demands(WHOLE))
    assert set(TermMatcher(WHOLE.scored).terms_in(said)) == set(WHOLE.scored)
    assert WHOLE.scored == ("bold", "ambitio*", "takes charge", "kind", "nurse", "doctor")


def test_a_request_is_one_sentence() -> None:
    assert request(DEMANDS[1:3]) == (
        "The sentence must have the word kind; and at least one of these words: nurse, doctor"
    )
