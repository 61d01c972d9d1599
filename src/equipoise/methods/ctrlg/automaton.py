"""A constraint compiled for a tokenizer: the automaton over tokens that Ctrl-G decodes with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from equipoise.methods.ctrlg.memory import MEMORY_GB, TooLargeError, check_automaton
from equipoise.methods.ctrlg.refusals import infeasible, not_prose, too_large, too_short
from equipoise.methods.ctrlg.states import ACCEPT, DEAD, Ints, minimise
from equipoise.methods.ctrlg.text_automaton import TextAutomaton, text_automaton
from equipoise.methods.ctrlg.vocabulary import Vocabulary, forms
from equipoise.task.constraint import Constraint
from equipoise.task.lexicon import Terms, count_words


@dataclass(frozen=True)
class TokenAutomaton:
    """Reads tokens; minimal, and over classes of tokens that every state treats alike.

    Attributes:
        table: [S, C] state after a token of a class; `DEAD` and `ACCEPT` lead to themselves.
        classes: [V] class of each token.
        starts: For each prefix, the state after it.
        distances: [S] fewest tokens to `ACCEPT`, -1 where there is no way.
    """

    table: Ints
    classes: Ints
    starts: dict[str, int]
    distances: Ints

    def distance(self, prefix: str) -> int:
        """Fewest tokens from ``prefix`` to acceptance, -1 if there is no way."""
        return int(self.distances[self.starts[prefix]])

    def run(self, state: int, tokens: Iterable[int]) -> int:
        """The state after ``tokens``."""
        for token in tokens:
            state = int(self.table[state, self.classes[token]])
        return state


def compile_constraint(
    constraint: Constraint,
    vocabulary: Vocabulary,
    prefixes: Iterable[str],
    *,
    max_tokens: int,
    terms: Terms = "listed",
    memory_gb: float = MEMORY_GB,
    prose: bool = True,
) -> TokenAutomaton:
    """The token automaton of ``constraint``.

    A wanted term counts if it is spelt with the tokens the tokenizer itself would choose (with and
    without a space before it, in lower case and capitalised); the same letters in other tokens are
    an ordinary word. A banned one is excluded however it is spelt.

    Args:
        constraint: What prefix and completion must satisfy, in one finished sentence.
        vocabulary: Of the model.
        prefixes: Texts that completions will continue.
        max_tokens: Most tokens of a completion.
        terms: Which terms of the sets count.
        memory_gb: Budget.
        prose: The sentence must be prose besides (``task/prose.py``).

    Raises:
        EquipoiseError: No completion of a prefix satisfies the constraint (it names the clause
            without which one would), or none that is prose; the tokenizer cannot spell a wanted
            term, or no space; the automaton would take more than ``memory_gb`` (it says what would
            fit).
    """
    prefixes = list(prefixes)
    vocabulary.check_spelling(_wanted_terms(constraint, terms))

    def build(some: Constraint, prose: bool = prose) -> TokenAutomaton:
        return _compile(some, vocabulary, prefixes, max_tokens, terms, memory_gb, prose)

    def is_feasible(prefix: str, some: Constraint) -> bool:
        try:
            return 0 <= build(some).distance(prefix) <= max_tokens
        except TooLargeError:
            return False  # it is not known

    try:
        automaton = build(constraint)
    except TooLargeError:
        most_words = max_tokens * vocabulary.most_words
        raise too_large(constraint, build, most_words, memory_gb) from None
    for prefix in prefixes:
        distance = automaton.distance(prefix)
        if distance > max_tokens:
            raise too_short(prefix, distance, max_tokens)
        if distance < 0 and prose and build(constraint, prose=False).distance(prefix) >= 0:
            raise not_prose(prefix)
        if distance < 0:
            raise infeasible(constraint, partial(is_feasible, prefix), prefix)
    return automaton


def _compile(
    constraint: Constraint,
    vocabulary: Vocabulary,
    prefixes: Sequence[str],
    max_tokens: int,
    terms: Terms,
    memory_gb: float,
    prose: bool,
) -> TokenAutomaton:
    longest = max(map(count_words, prefixes)) + max_tokens * vocabulary.most_words
    characters = vocabulary.characters
    text = text_automaton(constraint, characters, prefixes, terms, longest, memory_gb, prose=prose)
    return over_tokens(text, vocabulary, _wanted_terms(constraint, terms), memory_gb)


def over_tokens(
    text: TextAutomaton,
    vocabulary: Vocabulary,
    wanted: Sequence[str] = (),
    memory_gb: float = MEMORY_GB,
) -> TokenAutomaton:
    """``text`` as an automaton that reads tokens.

    Args:
        text: Over characters; it has read every prefix that completions will continue.
        vocabulary: Of the model.
        wanted: Terms that count only as the tokenizer itself spells them.
        memory_gb: Budget.

    Raises:
        TooLargeError: It would take more than ``memory_gb``.
    """
    canonical = _canonical(text, vocabulary, wanted)
    columns, classes = _columns(text, vocabulary, canonical, memory_gb)
    prefixes, starts = list(text.starts), list(text.starts.values())
    table, numbers = _trim(columns, starts)
    merged = minimise(table, np.zeros(len(table), dtype=bool))
    first = np.unique(merged, return_index=True)[1]
    table = merged[table[first]]
    table, column_of = np.unique(table, axis=1, return_inverse=True)
    return TokenAutomaton(
        np.ascontiguousarray(table),
        column_of[classes].astype(np.int32),
        {p: int(merged[numbers[s]]) for p, s in zip(prefixes, starts, strict=True)},
        _distances(table),
    )


def _wanted_terms(constraint: Constraint, terms: Terms) -> list[str]:
    entries = (*constraint.all_of, *constraint.any_of)
    return [term for entry in entries for term in constraint.entry_terms(entry, terms)]


def _canonical(
    text: TextAutomaton, vocabulary: Vocabulary, wanted: Sequence[str]
) -> dict[int, np.ndarray]:
    """For each token of a wanted term, the states [S] in which it may begin or go on with it."""
    resting = text.plain == np.arange(len(text.plain))
    allowed: dict[int, np.ndarray] = {}
    for term in wanted:
        for spelling in dict.fromkeys(space + form for space in (" ", "") for form in forms(term)):
            # After a space it may follow upon another term: "bold caring".
            states = np.ones_like(resting) if spelling[0] == " " else resting
            for token in vocabulary.spell(spelling) or ():
                allowed[token] = allowed.get(token, np.zeros_like(resting)) | states
                reached = _read(text, vocabulary.pieces[token] or "")[states]
                states = np.zeros_like(resting)
                states[reached] = True
                states &= ~resting
    return allowed


def _read(text: TextAutomaton, piece: str) -> np.ndarray:
    """State [S] after ``piece`` from every state."""
    states = np.arange(len(text.table), dtype=np.int32)
    for character in piece:
        column = text.symbols.get(character)
        if column is None:
            return np.where(states == ACCEPT, ACCEPT, DEAD).astype(np.int32)
        states = text.table[states, column]
    return states


def _columns(
    text: TextAutomaton,
    vocabulary: Vocabulary,
    canonical: dict[int, np.ndarray],
    memory_gb: float,
) -> tuple[Ints, Ints]:
    """State [S, C] after a token of each class, and the class [V] of each token."""
    stay = np.arange(len(text.table), dtype=np.int32)
    nothing = np.where(stay == ACCEPT, ACCEPT, DEAD).astype(np.int32)
    stop = np.where(text.may_stop | (stay == ACCEPT), ACCEPT, DEAD).astype(np.int32)
    numbers: dict[bytes, int] = {}
    columns: list[np.ndarray] = []
    classes = np.empty(len(vocabulary.pieces), dtype=np.int32)

    def file(token: int, column: np.ndarray) -> None:
        key = column.tobytes()
        if key not in numbers:
            numbers[key] = len(columns)
            columns.append(column)
            check_automaton(len(column), len(columns), memory_gb)
        classes[token] = numbers[key]

    by_text = np.ascontiguousarray(text.table.T)  # a symbol's states lie together
    # Sorted, pieces share what they have in common: each distinct beginning is read once.
    path: list[tuple[str, np.ndarray]] = []
    ordered = sorted((piece, token) for token, piece in enumerate(vocabulary.pieces) if piece)
    for piece, token in ordered:
        while path and not piece.startswith(path[-1][0]):
            path.pop()
        states = path[-1][1] if path else stay
        for end in range(len(path[-1][0]) if path else 0, len(piece)):
            column = text.symbols.get(piece[end])
            states = nothing if column is None else by_text[column][states]
            path.append((piece[: end + 1], states))
        plain = text.plain[states]
        if token in canonical:
            plain = np.where(canonical[token], states, plain)
        file(token, plain)
    for token, text_of in enumerate(vocabulary.pieces):
        if not text_of:
            file(token, stop if token in vocabulary.stops else nothing)
    return np.stack(columns, axis=1), classes


def _trim(table: Ints, starts: Sequence[int]) -> tuple[Ints, Ints]:
    """The states that lie on a way from a start to `ACCEPT`, and the new number of each old one."""
    reached = np.zeros(len(table), dtype=bool)
    reached[[DEAD, ACCEPT, *starts]] = True
    frontier = np.array(starts)
    while len(frontier):
        following = np.unique(table[frontier])
        frontier = following[~reached[following]]
        reached[frontier] = True
    useful = reached & (_distances(table) >= 0)
    useful[DEAD] = True
    numbers = np.where(useful, np.cumsum(useful) - 1, DEAD).astype(np.int32)
    return numbers[table[useful]], numbers


def _distances(table: Ints) -> Ints:
    """Fewest tokens [S] from each state to `ACCEPT`, -1 where there is no way."""
    distances = np.full(len(table), -1, dtype=np.int32)
    distances[ACCEPT] = 0
    for step in range(1, len(table)):
        unknown = np.flatnonzero(distances < 0)
        found = unknown[(distances[table[unknown]] == step - 1).any(axis=1)]
        if not len(found):
            break
        distances[found] = step
    return distances
