"""A constraint as one automaton over characters: the product of its rules, made small."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.methods.ctrlg.memory import MEMORY_GB, check_automaton
from equipoise.methods.ctrlg.states import ACCEPT, DEAD, Flags, Ints, minimise
from equipoise.methods.ctrlg.term_rule import Matching, TermRule
from equipoise.methods.ctrlg.text_rules import (
    DONE,
    Rule,
    SentenceRule,
    State,
    Symbol,
    WordRule,
    Words,
)
from equipoise.task.constraint import Constraint
from equipoise.task.lexicon import Terms


@dataclass(frozen=True)
class TextAutomaton:
    """Reads text a character at a time.

    Attributes:
        table: [S, K] state after a symbol; rows `DEAD` and `ACCEPT` lead to themselves.
        symbols: Column of each character.
        may_stop: [S] whether the text so far satisfies the constraint if it ends here.
        plain: [S] the state as if no wanted term were under way.
        starts: For each prefix, the state after it.
    """

    table: Ints
    symbols: dict[str, int]
    may_stop: Flags
    plain: Ints
    starts: dict[str, int]

    def run(self, state: int, text: str) -> int:
        """The state after ``text``; a character never seen before leads to `DEAD`.

        What is accepted stays so, whatever follows.
        """
        for character in text:
            if state == ACCEPT:
                break
            column = self.symbols.get(character)
            state = DEAD if column is None else int(self.table[state, column])
        return state


def text_automaton(
    constraint: Constraint,
    characters: Iterable[str],
    prefixes: Iterable[str],
    terms: Terms = "listed",
    longest: int = 100,
    memory_gb: float = MEMORY_GB,
) -> TextAutomaton:
    """The automaton of ``constraint``, one finished sentence included.

    Args:
        constraint: What the text must satisfy.
        characters: All characters that will be read.
        prefixes: Texts it may start with, which belong to the judged sentence.
        terms: Which terms of the sets count.
        longest: Most words that any text will have: a limit beyond that is not counted up to.
        memory_gb: Budget.

    Raises:
        TooLargeError: It would take more than ``memory_gb``.
    """
    prefixes = list(dict.fromkeys(prefixes))
    fewest, most = constraint.words
    words = WordRule(fewest, None if most >= longest else most)
    term = TermRule(constraint, terms)
    rules: tuple[Rule, ...] = (words, SentenceRule(), term)
    columns, symbols = _columns(rules, sorted({*characters, *"".join(prefixes)}))
    explored = [
        _explore(rule, [symbol[i] for symbol in columns], term if rule is term else None)
        for i, rule in enumerate(rules)
    ]
    product = _Product(explored, fewest, term.goal)
    starts = {prefix: product.after([symbols.get(c) for c in prefix]) for prefix in prefixes}
    table, may_stop, plain, index = product.reachable(list(starts.values()), memory_gb)
    # "As if no term were under way" must survive the merging of states: it is one more symbol.
    merged = minimise(np.column_stack([table, plain]), may_stop)
    first = np.unique(merged, return_index=True)[1]
    return TextAutomaton(
        table=merged[table[first]],
        symbols=symbols,
        may_stop=may_stop[first],
        plain=merged[plain[first]],
        starts={prefix: int(merged[index[state]]) for prefix, state in starts.items()},
    )


def _columns(
    rules: Sequence[Rule], characters: Sequence[str]
) -> tuple[list[tuple[Symbol, ...]], dict[str, int]]:
    """The distinct combinations of symbols, and the one of each character that has a symbol."""
    columns: dict[tuple[Symbol, ...], int] = {}
    symbols = {}
    for character in characters:
        seen = tuple(rule.symbol(character) for rule in rules)
        if None not in seen:
            symbols[character] = columns.setdefault(seen, len(columns))
    return list(columns), symbols


@dataclass(frozen=True)
class _Explored:
    """A rule with all its states: [S, K] table with -1 for dead ends, and [S] plain states."""

    states: list[State]
    table: Ints
    plain: Ints


def _explore(rule: Rule, symbols: Sequence[Symbol], terms: TermRule | None) -> _Explored:
    index: dict[State, int] = {rule.start: 0}
    rows: list[list[int]] = []
    plain: list[int] = []
    pending = [rule.start]

    def number(state: State | None) -> int:
        if state is None:
            return -1
        if state not in index:
            index[state] = len(index)
            pending.append(state)
        return index[state]

    for state in pending:  # grows as states are met
        known = {symbol: number(rule.step(state, symbol)) for symbol in dict.fromkeys(symbols)}
        rows.append([known[symbol] for symbol in symbols])
        plain.append(number(terms.without_wanted(state)) if terms else index[state])
    return _Explored(list(index), np.array(rows, np.int32), np.array(plain, np.int32))


class _Product:
    """The product of the three rules; a state is a number in mixed radix, negative if dead."""

    def __init__(self, rules: Sequence[_Explored], fewest: int, goal: frozenset[int]) -> None:
        self.words, self.sentence, self.terms = rules
        self.sizes = [len(rule.states) for rule in rules]
        counts = [state.words for state in self.words.states if isinstance(state, Words)]
        met = [state.met for state in self.terms.states if isinstance(state, Matching)]
        self.enough = np.array(counts) >= fewest
        self.fulfilled = np.array([m >= goal for m in met])
        self.ending = np.array([s in SentenceRule.endings for s in self.sentence.states])
        states = self.sentence.states
        self.done = states.index(DONE) if DONE in states else -2

    def after(self, columns: Sequence[int | None]) -> int:
        """The state after a text; -1 if it is a dead end, -2 if it is accepted."""
        state = np.zeros(1, np.int64)
        for column in columns:
            if column is None:
                return -1
            if state[0] < 0:
                break
            state = self._step(state, column)
        return int(state[0])

    def reachable(
        self, starts: Sequence[int], memory_gb: float
    ) -> tuple[Ints, Flags, Ints, dict[int, int]]:
        """Table, places to stop, plain states and numbers of all states met from ``starts``."""
        known = np.unique([state for state in starts if state >= 0]).astype(np.int64)
        frontier, tables, order = known, [], []
        while len(frontier):
            # Its numbers have 64 bits.
            check_automaton(len(known), 2 * self.words.table.shape[1], memory_gb)
            following = [self._step(frontier, k) for k in range(self.words.table.shape[1])]
            plain = self._plain(frontier)
            order.append(frontier)
            tables.append(np.column_stack([*following, plain]))
            met = np.unique(tables[-1])
            frontier = np.setdiff1d(met[met >= 0], known, assume_unique=True)
            known = np.union1d(known, frontier)
        states = np.concatenate([np.array([-1, -2]), *order])  # DEAD and ACCEPT come first
        numbers = np.argsort(states, kind="stable").astype(np.int32)
        ends = np.tile(np.array([[-1], [-2]]), (1, self.words.table.shape[1] + 1))
        whole = np.concatenate([ends, *tables])
        table = numbers[np.searchsorted(states[numbers], whole)]
        may_stop = np.concatenate([[False, False], *(self._may_stop(part) for part in order)])
        index = {int(state): i for i, state in enumerate(states)}
        return table[:, :-1], may_stop, table[:, -1], index

    def _split(self, states: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
        words, rest = np.divmod(states, self.sizes[1] * self.sizes[2])
        sentence, terms = np.divmod(rest, self.sizes[2])
        return words, sentence, terms

    def _join(self, *parts: NDArray[np.int64]) -> NDArray[np.int64]:
        words, sentence, terms = parts
        return (words * self.sizes[1] + sentence) * self.sizes[2] + terms

    def _step(self, states: NDArray[np.int64], column: int) -> NDArray[np.int64]:
        rules = (self.words, self.sentence, self.terms)
        words, sentence, terms = (
            rule.table[part, column].astype(np.int64)
            for rule, part in zip(rules, self._split(states), strict=True)
        )
        following = self._join(words, sentence, terms)
        accepted = self.enough[words] & self.fulfilled[terms]
        following = np.where(sentence == self.done, np.where(accepted, -2, -1), following)
        dead = (words < 0) | (sentence < 0) | (terms < 0)
        return np.where(dead, -1, following)

    def _plain(self, states: NDArray[np.int64]) -> NDArray[np.int64]:
        words, sentence, terms = self._split(states)
        return self._join(words, sentence, self.terms.plain[terms].astype(np.int64))

    def _may_stop(self, states: NDArray[np.int64]) -> Flags:
        words, sentence, terms = self._split(states)
        stops: Flags = self.enough[words] & self.ending[sentence] & self.fulfilled[terms]
        return stops
