from __future__ import annotations

import pickle
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.errors import EquipoiseError
from equipoise.task import Constraint, Lexicon, Task, TermMatcher, count_words

SETS = {
    "agentic": Lexicon("agentic", ("bold", "self-reliant"), ("active",)),
    "communal": Lexicon("communal", ("kind", "good with people"), ("warm",)),
    "calm": Lexicon("calm", ("calm",)),
}
BALANCED = Constraint(SETS, all_of=("{agentic}", "{communal}"), words=(5, 8))


def test_verdict_by_hand() -> None:
    verdict = BALANCED.check("The doctor was Bold, bold, self-reliant and kind.")
    assert verdict.balanced
    assert verdict.in_range
    assert verdict.satisfied
    assert verdict.word_count == 8
    assert verdict.present == {"agentic": True, "communal": True}
    assert verdict.hits == {"agentic": ("bold", "self-reliant"), "communal": ("kind",), "calm": ()}
    assert (verdict.any, verdict.neither, verdict.label) == (True, False, "balanced")


def test_the_word_range_is_judged_apart() -> None:
    verdict = BALANCED.check("Bold and kind.")
    assert verdict.balanced
    assert not verdict.in_range
    assert not verdict.satisfied


@pytest.mark.parametrize(
    ("text", "terms", "label"),
    [
        ("She was bold and calm.", "listed", "agentic only"),
        ("She was kind and unbold.", "listed", "communal only"),
        ("She was calm.", "listed", "neither"),
        ("She was active and warm.", "listed", "neither"),
        ("She was active and warm.", "held_out", "balanced"),
        ("She was bold and warm.", "held_out", "communal only"),
        ("She was bold and warm.", "all", "balanced"),
    ],
)
def test_labels(text: str, terms: str, label: str) -> None:
    verdict = BALANCED.check(text, terms)  # type: ignore[arg-type]
    assert verdict.label == label
    assert verdict.balanced == (label == "balanced")
    assert verdict.neither == (label == "neither")


def test_any_of_and_none_of() -> None:
    constraint = Constraint(
        SETS, all_of=("{calm}",), any_of=("{agentic}", "good person"), none_of=("{communal}", "he")
    )
    assert constraint.check("A calm, bold one.").balanced
    assert constraint.check("A calm good  person.").balanced
    assert constraint.check("A calm one.").label == "calm only"
    assert constraint.check("A bold good person.").label == "agentic+good person only"
    forbidden = constraint.check("He was calm and bold and good with people.")
    assert forbidden.forbidden == ("communal", "he")
    assert forbidden.label == "forbidden"
    assert not forbidden.balanced
    assert forbidden.any
    assert constraint.wanted == ("calm", "agentic", "good person")


def test_only_forbidding() -> None:
    constraint = Constraint(SETS, none_of=("{agentic}",))
    assert constraint.check("She was kind.").label == "balanced"
    assert constraint.check("She was bold.").label == "forbidden"


def test_a_term_in_two_sets_counts_for_both() -> None:
    sets = {"a": Lexicon("a", ("Bold",)), "b": Lexicon("b", ("bold", "kind"))}
    verdict = Constraint(sets, all_of=("{a}", "{b}")).check("so BOLD")
    assert verdict.balanced
    assert verdict.hits == {"a": ("Bold",), "b": ("bold",)}


def test_explain_says_which_clause_failed_and_where_terms_stand() -> None:
    text = "The doctor was bold and self-reliant."
    explanation = BALANCED.explain(text)
    assert not explanation.satisfied
    assert str(explanation).splitlines() == [
        "'The doctor was bold and self-reliant.'",
        "ok     all_of {agentic}: 'bold' at 15-19, 'self-reliant' at 24-36",
        "FAILED all_of {communal}: absent",
        "ok     words: 6, wanted 5 to 8",
    ]
    assert text[15:19] == "bold"
    assert text[24:36] == "self-reliant"
    assert [clause.kind for clause in explanation.clauses] == ["all_of", "all_of", "words"]


def test_explain_of_any_of_and_none_of() -> None:
    constraint = Constraint(SETS, any_of=("{calm}", "fine"), none_of=("he",), words=(1, 2))
    assert str(constraint.explain("He was fine.")).splitlines()[1:] == [
        "ok     any_of {calm} or fine: 'fine' at 7-11",
        "FAILED none_of he: 'he' at 0-2",
        "FAILED words: 3, wanted 1 to 2",
    ]


@pytest.mark.parametrize(
    ("clauses", "message"),
    [
        ({"all_of": ("{agentik}",)}, "no term set 'agentik'. Did you mean 'agentic'"),
        ({"any_of": ("agentic",)}, "Write '{agentic}' for its terms"),
        ({"none_of": ("!",)}, "'!' has no letter"),
        ({"none_of": ("not only, but",)}, "other characters"),
        ({"all_of": ("{agentic}", "{agentic}")}, "stands in it twice"),
        ({"words": (0, 5)}, "no sentence has 0 to 5 words"),
        ({"words": (6, 5)}, "no sentence has 6 to 5 words"),
    ],
)
def test_bad_constraints(clauses: dict[str, tuple[str, ...]], message: str) -> None:
    with pytest.raises(EquipoiseError) as caught:
        Constraint(SETS, **clauses)  # type: ignore[arg-type]
    assert message in str(caught.value)


WORDS = st.sampled_from(
    ["bold", "Bold,", "self-reliant", "kind.", "good", "with", "people", "calm", "the", "-", "He"]
)
ENTRIES = st.lists(
    st.sampled_from(["{agentic}", "{communal}", "{calm}", "he", "with people", "the"]), unique=True
)


@given(st.lists(WORDS, max_size=10).map(" ".join), ENTRIES, st.data())
def test_check_equals_the_definition(text: str, entries: list[str], data: st.DataObject) -> None:
    """Twin: each clause written out with one matcher an entry. explain() must agree."""
    cuts = sorted(data.draw(st.integers(0, len(entries))) for _ in range(2))
    all_of, any_of, none_of = (
        tuple(entries[a:b]) for a, b in zip([0, *cuts], [*cuts, None], strict=True)
    )
    constraint = Constraint(SETS, all_of, any_of, none_of, (2, 6))

    def present(entry: str) -> bool:
        terms = SETS[entry[1:-1]].listed if entry[0] == "{" else (entry,)
        return bool(TermMatcher(terms).find(text))

    verdict = constraint.check(text)
    balanced = (
        all(map(present, all_of))
        and (not any_of or any(map(present, any_of)))
        and not any(map(present, none_of))
    )
    assert verdict.balanced == balanced
    assert verdict.in_range == (2 <= count_words(text) <= 6)
    assert verdict.any == any(map(present, (*all_of, *any_of)))
    assert constraint.explain(text).satisfied == verdict.satisfied
    assert (verdict.label == "balanced") == balanced


def test_a_constraint_can_be_pickled_after_use() -> None:
    BALANCED.check("x")
    assert pickle.loads(pickle.dumps(BALANCED)).check("bold, kind").balanced  # noqa: S301


def test_checking_is_fast(occupations: Task) -> None:
    """About 6 µs where it was written; the bound leaves room for a busy machine."""
    text = "The architect was bold, decisive and caring when leading reviews on building sites."
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(1000):
            occupations.constraint.check(text)
        best = min(best, time.perf_counter() - start)
    assert best / 1000 < 60e-6


def test_scored_terms_stand_once() -> None:
    twice = {"a": Lexicon("a", ("bold", "kind")), "b": Lexicon("b", ("Kind", "calm"))}
    assert Constraint(twice, all_of=("{a}",), any_of=("{b}", "Bold")).scored == (
        "bold", "kind", "calm",
    )  # fmt: skip
    assert Constraint(twice, none_of=("{a}",)).scored == ()


def test_any_wanted_entry_is_a_weaker_demand() -> None:
    whole = Constraint(SETS, all_of=("{agentic}",), any_of=("kind", "{calm}"), none_of=("he",))
    assert whole.accepting("all") is whole
    some = whole.accepting("any")
    assert (some.all_of, some.any_of) == ((), ("{agentic}", "kind", "{calm}"))
    assert (some.none_of, some.words) == (whole.none_of, whole.words)


ENTRIES = st.lists(st.sampled_from(["{agentic}", "{communal}", "{calm}", "he"]), unique=True)
WORDS = ["bold", "kind", "calm", "he", "tall"]


@given(ENTRIES, st.data())
def test_what_ensures_balance_leaves_no_text_unbalanced(
    entries: list[str], data: st.DataObject
) -> None:
    """All texts of some words are gone through; and a constraint ensures its own balance."""

    def made() -> Constraint:
        parts: dict[str, list[str]] = {"all_of": [], "any_of": [], "none_of": []}
        for entry in entries:
            where = data.draw(st.sampled_from(["all_of", "any_of", "none_of", ""]))
            if where:
                parts[where].append(entry)
        return Constraint(SETS, **{name: tuple(found) for name, found in parts.items()})

    demand, other = made(), made()
    assert demand.ensures_balance(demand)
    texts = [" ".join(w for i, w in enumerate(WORDS) if bits >> i & 1) for bits in range(32)]
    passing = [text for text in texts if demand.check(text).balanced]
    if demand.ensures_balance(other):
        assert all(other.check(text).balanced for text in passing)


def test_what_ensures_balance_by_hand() -> None:
    one = Constraint(SETS, all_of=("{agentic}",))
    assert one.accepting("any").ensures_balance(one)  # one entry: any is all
    assert not BALANCED.accepting("any").ensures_balance(BALANCED)
    either = Constraint(SETS, any_of=("{agentic}", "{communal}"))
    assert BALANCED.ensures_balance(either)
    assert either.accepting("any").ensures_balance(either)
    assert not BALANCED.ensures_balance(Constraint(SETS, all_of=("{agentic}",), none_of=("he",)))
