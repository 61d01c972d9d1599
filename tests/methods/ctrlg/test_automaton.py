"""The token automaton against the text automaton it was made from, and against the checker."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

from equipoise.errors import EquipoiseError
from equipoise.methods.ctrlg.automaton import TokenAutomaton, _columns, compile_constraint
from equipoise.methods.ctrlg.memory import TooLargeError
from equipoise.methods.ctrlg.states import ACCEPT, DEAD
from equipoise.methods.ctrlg.text_automaton import text_automaton
from equipoise.methods.ctrlg.vocabulary import Vocabulary
from equipoise.task.constraint import Constraint
from equipoise.task.lexicon import Lexicon
from equipoise.task.prose import is_prose
from equipoise.task.sentence import first_sentence
from methods.ctrlg.twins import breadth_first, passes, vocabulary

SETS = {
    "agentic": Lexicon("agentic", ("bold", "decisive", "self-reliant")),
    "communal": Lexicon("communal", ("caring", "loyal friend", "helpful")),
}
CONSTRAINTS = {
    "all": Constraint(SETS, all_of=("{agentic}", "{communal}"), words=(4, 12)),
    "any": Constraint(SETS, any_of=("{agentic}", "team"), words=(3, 9)),
    "none": Constraint(SETS, none_of=("{agentic}", "the team"), words=(2, 7)),
    "mixed": Constraint(SETS, all_of=("bold",), any_of=("is", "was"), none_of=("{communal}",)),
}
PREFIXES = ("", "The nurse", "The doctor was")
MAX_TOKENS = 20

AUTOMATA = {
    (name, prose): compile_constraint(
        constraint, vocabulary(), PREFIXES, max_tokens=MAX_TOKENS, prose=prose
    )
    for name, constraint in CONSTRAINTS.items()
    for prose in (False, True)
}
WORDS = [
    *("bold", "Bold", "decisive", "self-reliant", "self", "caring", "helpful", "loyal", "friend"),
    *("friendly", "team", "the", "nurse", "a", "was", "is", "indecisive", "boldness", "bold-ish"),
    *("Dr.", "e.g.", "3.5", "-", "it's"),
]


def encode(text: str) -> list[int]:
    return list(vocabulary().tokenizer(text)["input_ids"])


def accepts(automaton: TokenAutomaton, prefix: str, tokens: list[int]) -> bool:
    """Whether a completion is accepted as it is or once a stop token ends it."""
    state = automaton.run(automaton.starts[prefix], tokens)
    return automaton.run(state, [min(vocabulary().stops)]) == ACCEPT


@pytest.mark.parametrize(("name", "prose"), AUTOMATA)
@pytest.mark.parametrize("prefix", PREFIXES)
def test_equals_the_text_automaton_on_canonical_tokens(name: str, prose: bool, prefix: str) -> None:
    characters = {c for piece in vocabulary().pieces if piece for c in piece}
    text = text_automaton(CONSTRAINTS[name], characters, PREFIXES, prose=prose)
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(600):
        marks = rng.choice([" ", " ", " ", " ", " ", " ", ", ", '" ', " - "], 12)
        words = [word + mark for word, mark in zip(rng.choice(WORDS, 12), marks, strict=True)]
        written = "".join(words[: rng.integers(1, 12)]).rstrip() + str(rng.choice([".", "!", ""]))
        written = " " + written + str(rng.choice(["", " ", "\n", " It is"]))
        state = text.run(text.starts[prefix], written)
        wanted = state == ACCEPT or bool(text.may_stop[state])
        assert accepts(AUTOMATA[name, prose], prefix, encode(written)) == wanted, written
        seen.add(wanted)
    assert seen == {True, False}


def random_walk(
    automaton: TokenAutomaton, prefix: str, n_tokens: int, rng: np.random.Generator
) -> list[int]:
    """Tokens, none of which leads away from acceptance within ``n_tokens``, up to acceptance."""
    state, tokens = automaton.starts[prefix], list[int]()
    while state != ACCEPT:
        after = automaton.distances[automaton.table[state]]
        open_classes = np.flatnonzero((after >= 0) & (after < n_tokens - len(tokens)))
        column = rng.choice(open_classes)  # a class each: most tokens are dull
        tokens.append(int(rng.choice(np.flatnonzero(automaton.classes == column))))
        state = automaton.run(state, tokens[-1:])
    return tokens


@pytest.mark.parametrize("kind", ["byte-level", "always", "first", "never"])
@pytest.mark.parametrize(("name", "prose"), AUTOMATA)
def test_what_is_accepted_passes_the_checker(kind: str, name: str, prose: bool) -> None:
    tokenizer, constraint = vocabulary(kind).tokenizer, CONSTRAINTS[name]
    prefixes = PREFIXES[1:]
    automaton = compile_constraint(
        constraint, vocabulary(kind), prefixes, max_tokens=40, prose=prose
    )
    rng = np.random.default_rng(1)
    for prefix in prefixes:
        start = tokenizer(prefix)["input_ids"]
        for n_tokens in rng.integers(automaton.distances[automaton.starts[prefix]], 41, 150):
            tokens = random_walk(automaton, prefix, n_tokens, rng)
            assert len(tokens) <= n_tokens
            text = tokenizer.decode([*start, *tokens], skip_special_tokens=True).lstrip()
            assert text.startswith(prefix)
            assert passes(constraint, text), text
            assert not prose or is_prose(first_sentence(text).text), text


def test_a_prefix_that_no_prose_begins_with_is_named() -> None:
    constraint = CONSTRAINTS["any"]
    for prefix in ("The  nurse", "The *nurse*", "The nurse, was (so)("):
        compile_constraint(constraint, vocabulary(), [prefix], max_tokens=20, prose=False)
        with pytest.raises(EquipoiseError, match="is prose") as raised:
            compile_constraint(constraint, vocabulary(), [prefix], max_tokens=20)
        assert raised.value.field == "prose"


def spellings(text: str) -> Iterator[list[int]]:
    """All ways to write ``text`` with tokens of the vocabulary."""
    if not text:
        yield []
    for token, piece in enumerate(vocabulary().pieces):
        if piece and text.startswith(piece):
            for rest in spellings(text[len(piece) :]):
                yield [token, *rest]


@pytest.mark.parametrize("word", ["bold", "Bold", "BOLD", "loyal"])
def test_a_banned_term_is_excluded_however_it_is_spelt(word: str) -> None:
    constraint = Constraint(SETS, none_of=("bold", "loyal"))
    automaton = compile_constraint(constraint, vocabulary(), ["She"], max_tokens=20)
    for text, allowed in ((f" is {word}.", False), (f' "{word}"?', False), (f" {word}s!", True)):
        found = list(spellings(text))
        assert found
        assert {accepts(automaton, "She", tokens) for tokens in found} == {allowed}, text


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        (" is bold.", True),
        (" is Bold.", True),
        (' is "bold".', True),
        (' is "Bold".', True),
        (" bold, is!", True),
        (" is boldness.", False),
        (" is bolder.", False),
        (" is bold-ish.", False),
        (" is un-bold.", False),
        (" is bold_.", False),
        (" is ubold.", False),
    ],
)
def test_a_wanted_term_counts_as_a_whole_word(text: str, counts: bool) -> None:
    automaton = compile_constraint(
        Constraint(SETS, all_of=("bold",)), vocabulary(), ["She"], max_tokens=20
    )
    assert accepts(automaton, "She", encode(text)) == counts


def test_a_wanted_term_in_other_tokens_is_an_ordinary_word() -> None:
    constraint = Constraint(SETS, all_of=("bold",))
    automaton = compile_constraint(constraint, vocabulary(), ["She"], max_tokens=20)
    counted = {tuple(s) for s in spellings(" bold.") if accepts(automaton, "She", s)}
    assert tuple(encode(" bold.")) in counted
    assert 0 < len(counted) < len(list(spellings(" bold.")))


def test_wanted_terms_may_stand_side_by_side() -> None:
    for text in (" is bold caring.", " helpful self-reliant.", ' decisive loyal friend".'):
        assert accepts(AUTOMATA["all", False], "The nurse", encode(text)), text
    assert accepts(AUTOMATA["mixed", False], "The doctor was", encode(" bold.")), (
        "the prefix has a term"
    )


def test_stopping_before_acceptance_is_dead() -> None:
    for name, prefix in (("all", "The nurse"), ("mixed", "The doctor was")):
        automaton = AUTOMATA[name, False]
        for text in ("", " is", " is bold", " and caring."):
            state = automaton.run(automaton.starts[prefix], encode(text))
            for stop in vocabulary().stops:
                assert automaton.run(state, [stop]) == DEAD
    assert accepts(AUTOMATA["all", False], "The nurse", encode(" was bold and caring."))


@pytest.mark.parametrize(
    ("constraint", "max_tokens", "named"),
    [
        (Constraint(SETS, words=(1, 1)), 20, "words = [1, 1]"),
        (Constraint(SETS, all_of=("loyal friend",), words=(3, 3)), 20, "words = [3, 3]"),
        (Constraint(SETS, all_of=("loyal friend",), words=(3, 3)), 20, "all_of loyal friend"),
        (Constraint(SETS, all_of=("bold",), none_of=("{agentic}",)), 20, "none_of {agentic}"),
        (Constraint(SETS, all_of=("bold",), none_of=("{agentic}",)), 20, "all_of bold"),
        (Constraint(SETS, any_of=("bold",), none_of=("{agentic}",)), 20, "any_of bold"),
        (Constraint(SETS, none_of=("the nurse", "bold")), 20, "none_of the nurse"),
        # No token has its last letter.
        (Constraint(SETS, all_of=("café",)), 20, "whole characters that spell 'café'"),
        (Constraint(SETS, all_of=("bold", "{communal}")), 3, "max_new_tokens is 3"),
        (Constraint(SETS, words=(30, 40)), 20, "max_new_tokens is 20"),
    ],
)
def test_an_impossible_constraint_is_named(
    constraint: Constraint, max_tokens: int, named: str
) -> None:
    with pytest.raises(EquipoiseError) as raised:
        compile_constraint(constraint, vocabulary(), ["The nurse was"], max_tokens=max_tokens)
    assert named in str(raised.value)
    culprit = named.startswith("max_new_tokens")
    assert raised.value.field == ("max_new_tokens" if culprit else "constraint")


def test_the_number_of_tokens_asked_for_is_enough() -> None:
    constraint = Constraint(SETS, all_of=("{agentic}", "{communal}"), words=(6, 9))
    with pytest.raises(EquipoiseError, match="max_new_tokens") as raised:
        compile_constraint(constraint, vocabulary(), ["The nurse"], max_tokens=2)
    least = int(str(raised.value.hint).split()[3])
    compile_constraint(constraint, vocabulary(), ["The nurse"], max_tokens=least)
    with pytest.raises(EquipoiseError):
        compile_constraint(constraint, vocabulary(), ["The nurse"], max_tokens=least - 1)


def test_a_term_that_cannot_be_spelt_is_named_also_if_another_would_do() -> None:
    some = {"some": Lexicon("some", ("bold", "naïve"))}
    with pytest.raises(EquipoiseError, match="spell 'naïve'"):
        compile_constraint(Constraint(some, all_of=("{some}",)), vocabulary(), [""], max_tokens=20)
    banned = Constraint(some, none_of=("{some}",))
    compile_constraint(banned, vocabulary(), [""], max_tokens=20)


def test_a_tokenizer_without_a_space_is_refused() -> None:
    pieces = tuple(None if p and " " in p else p for p in vocabulary().pieces)
    narrow = Vocabulary(pieces, vocabulary().stops, vocabulary().tokenizer)
    with pytest.raises(EquipoiseError, match="holds a space") as raised:
        compile_constraint(CONSTRAINTS["all"], narrow, [""], max_tokens=20)
    assert raised.value.field == "model"


@pytest.mark.parametrize("memory_gb", [0.0001, 0.02])
def test_beyond_the_memory_budget_what_would_fit_is_said(memory_gb: float) -> None:
    """With the smaller budget no range of words would fit, with the other a shorter one would."""
    wide = Constraint(SETS, all_of=("{agentic}", "{communal}"), words=(1, 60))
    with pytest.raises(EquipoiseError, match="takes more than the budget of") as raised:
        compile_constraint(wide, vocabulary(), [""], max_tokens=60, memory_gb=memory_gb)
    assert raised.value.field == "constraint"
    found = re.match(r"words = \[1, (\d+)\] would fit", str(raised.value.hint))
    if memory_gb == 0.0001:
        assert raised.value.hint == "Ask for fewer terms."
        return
    assert found
    smaller = Constraint(SETS, all_of=("{agentic}", "{communal}"), words=(1, int(found[1])))
    compile_constraint(smaller, vocabulary(), [""], max_tokens=60, memory_gb=memory_gb)


def test_the_columns_of_tokens_keep_to_the_budget_too() -> None:
    characters = {c for piece in vocabulary().pieces for c in piece or ""}
    text = text_automaton(CONSTRAINTS["all"], characters, [""])
    with pytest.raises(TooLargeError):
        _columns(text, vocabulary(), {}, memory_gb=12 * 10 * len(text.table) / 1e9)
    _columns(text, vocabulary(), {}, memory_gb=1)


def test_what_is_no_text_is_dead() -> None:
    """Rows beyond the tokenizer, special tokens and fragments of characters; all but stops."""
    tokens: Vocabulary = vocabulary()
    rows = len(tokens.pieces)
    assert tokens.pieces[-3:] == (None, None, None)
    silent = [t for t in range(rows) if tokens.pieces[t] is None and t not in tokens.stops]
    assert len(silent) > 100
    for automaton in AUTOMATA.values():
        assert automaton.classes.shape == (rows,)
        assert (automaton.table[2:, automaton.classes[silent]] == DEAD).all()


@pytest.mark.parametrize("automaton", AUTOMATA.values())
def test_is_minimal_and_well_formed(automaton: TokenAutomaton) -> None:
    table = automaton.table
    assert (table[DEAD] == DEAD).all()
    assert (table[ACCEPT] == ACCEPT).all()
    assert np.array_equal(automaton.distances, breadth_first(table))
    assert (automaton.distances[1:] >= 0).all(), "every state leads to acceptance"
    reached = {DEAD, ACCEPT, *automaton.starts.values(), *table[2:].flatten().tolist()}
    assert reached == set(range(len(table)))
    assert len(np.unique(table, axis=1).T) == table.shape[1], "no two classes are alike"


def test_no_two_states_are_equivalent() -> None:
    constraint = Constraint(SETS, all_of=("bold",), words=(2, 4))
    table = compile_constraint(constraint, vocabulary(), ["She"], max_tokens=9).table
    apart = np.zeros((len(table), len(table)), bool)
    apart[ACCEPT], apart[:, ACCEPT], apart[ACCEPT, ACCEPT] = True, True, False
    while True:
        further = apart | np.any([apart[np.ix_(c, c)] for c in table.T], axis=0)
        if np.array_equal(further, apart):
            break
        apart = further
    assert np.array_equal(apart, ~np.eye(len(table), dtype=bool))
