"""A constraint in words: every clause, every term, and of a sentence only what it lacks."""

from __future__ import annotations

from dataclasses import replace

from equipoise.task import Constraint, Lexicon, TermMatcher
from equipoise.task.request import request

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


def test_every_clause_is_a_sentence() -> None:
    assert request(WHOLE) == [
        "Use at least one of these words: bold, ambitio-, takes charge.",
        'Use the word "kind".',
        "Use at least one of these words: nurse, doctor.",
        "Use none of these words: purple, green.",
        'Do not use the word "he".',
        "Write one sentence of 5 to 9 words.",
    ]
    exact = replace(WHOLE, all_of=(), any_of=("nurse",), none_of=(), words=(7, 7))
    assert request(exact) == ['Use the word "nurse".', "Write one sentence of 7 words."]


def test_of_a_sentence_it_asks_for_what_that_lacks() -> None:
    text = "The doctor was bold and he was purple in all of this."
    whole = request(WHOLE)
    assert request(WHOLE, text) == [whole[1], whole[3], whole[4], whole[5]]
    assert request(WHOLE, "The nurse was ambitious and kind.") == []


def test_whoever_follows_it_is_told_every_scored_term() -> None:
    said = " ".join(request(WHOLE))
    assert set(TermMatcher(WHOLE.scored).terms_in(said)) == set(WHOLE.scored)
    assert WHOLE.scored == ("bold", "ambitio*", "takes charge", "kind", "nurse", "doctor")
