"""A constraint as one automaton over characters: the product of its rules, made small."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.methods.ctrlg.memory import MEMORY_GB, check_automaton
from equipoise.methods.ctrlg.prose_rule import ProseRule
from equipoise.methods.ctrlg.states import ACCEPT, DEAD, Flags, Ints, minimise
from equipoise.methods.ctrlg.term_rule import TermRule
from equipoise.methods.ctrlg.text_rules import DONE, Rule, SentenceRule, State, Symbol, WordRule
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
    *,
    prose: bool = True,
) -> TextAutomaton:
    """The automaton of ``constraint``, one finished sentence included.

    Args:
        constraint: What the text must satisfy.
        characters: All characters that will be read.
        prefixes: Texts it may start with, which belong to the judged sentence.
        terms: Which terms of the sets count.
        longest: Most words that any text will have: a limit beyond that is not counted up to.
        memory_gb: Budget.
        prose: The sentence must be prose.

    Raises:
        TooLargeError: It would take more than ``memory_gb``.
    """
    prefixes = list(dict.fromkeys(prefixes))
    fewest, most = constraint.words
    rules: list[Rule] = [WordRule(fewest, None if most >= longest else most), SentenceRule()]
    rules += [ProseRule(prefixes)] if prose else []
    rules.append(TermRule(constraint, terms))
    return automaton_of(rules, characters, prefixes, memory_gb)


def automaton_of(
    rules: Sequence[Rule],
    characters: Iterable[str],
    prefixes: Iterable[str],
    memory_gb: float = MEMORY_GB,
) -> TextAutomaton:
    """The automaton of texts that keep all of ``rules``.

    Args:
        rules: At least one.
        characters: All characters that will be read.
        prefixes: Texts it may start with.
        memory_gb: Budget.

    Raises:
        TooLargeError: It would take more than ``memory_gb``.
    """
    prefixes = list(dict.fromkeys(prefixes))
    columns, symbols = _columns(rules, sorted({*characters, *"".join(prefixes)}))
    product = _Product(
        [_explore(rule, [symbol[i] for symbol in columns]) for i, rule in enumerate(rules)]
    )
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
    """A rule with all its states.

    Attributes:
        table: [S, K] state after a symbol, -1 for a dead end.
        plain: [S] the state as if no wanted term were under way.
        accepts: [S] whether a text may end there.
        over: [S] whether nothing that follows counts any more.
    """

    table: Ints
    plain: Ints
    accepts: Flags
    over: Flags


def _explore(rule: Rule, symbols: Sequence[Symbol]) -> _Explored:
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
        plain.append(number(rule.without_wanted(state) if isinstance(rule, TermRule) else state))
    return _Explored(
        np.array(rows, np.int32),
        np.array(plain, np.int32),
        np.array([rule.accepts(state) for state in index]),
        np.array([state == DONE for state in index]),
    )


_Parts = list[tuple[_Explored, NDArray[np.integer]]]
"""Each rule with its own states of some states of the product."""


class _Product:
    """The product of rules; a state is a number in mixed radix, negative if dead."""

    def __init__(self, rules: Sequence[_Explored]) -> None:
        self.rules = rules
        self.n_symbols = rules[0].table.shape[1]

    def after(self, columns: Sequence[int | None]) -> int:
        """The state after a text; -1 if it is a dead end, -2 if it is accepted."""
        state = np.zeros(1, np.int64)
        for column in columns:
            if column is None:
                return -1
            if state[0] < 0:
                break
            state = self._step(self._parts(state), column)
        return int(state[0])

    def reachable(
        self, starts: Sequence[int], memory_gb: float
    ) -> tuple[Ints, Flags, Ints, dict[int, int]]:
        """Table, places to stop, plain states and numbers of all states met from ``starts``."""
        known = np.unique([state for state in starts if state >= 0]).astype(np.int64)
        frontier, tables, order = known, [], []
        while len(frontier):
            # Its numbers have 64 bits.
            check_automaton(len(known), 2 * self.n_symbols, memory_gb)
            parts = self._parts(frontier)
            following = [self._step(parts, column) for column in range(self.n_symbols)]
            plain = self._join([rule.plain[part] for rule, part in parts])
            order.append(frontier)
            tables.append(np.column_stack([*following, plain]))
            met = np.unique(tables[-1])
            frontier = np.setdiff1d(met[met >= 0], known, assume_unique=True)
            known = np.union1d(known, frontier)
        states = np.concatenate([np.array([-1, -2]), *order])  # DEAD and ACCEPT come first
        numbers = np.argsort(states, kind="stable").astype(np.int32)
        ends = np.tile(np.array([[-1], [-2]]), (1, self.n_symbols + 1))
        # Part by part, as a part is small beside the whole.
        ordered = states[numbers]
        table = np.concatenate(
            [numbers[np.searchsorted(ordered, part)] for part in (ends, *tables)]
        )
        may_stop = np.concatenate(
            [[False, False], *(_all_accept(self._parts(part)) for part in order)]
        )
        index = {int(state): i for i, state in enumerate(states)}
        return table[:, :-1], may_stop, table[:, -1], index

    def _parts(self, states: NDArray[np.int64]) -> _Parts:
        parts = []
        for rule in reversed(self.rules):
            states, part = np.divmod(states, len(rule.table))
            parts.append((rule, part))
        return parts[::-1]

    def _join(self, parts: Iterable[NDArray[np.integer]]) -> NDArray[np.int64]:
        joined = np.zeros(1, np.int64)
        for rule, part in zip(self.rules, parts, strict=True):
            joined = joined * len(rule.table) + part
        return joined

    def _step(self, parts: _Parts, column: int) -> NDArray[np.int64]:
        following = [(rule, rule.table[part, column]) for rule, part in parts]
        dead = np.any([part < 0 for _, part in following], axis=0)
        over = np.any([rule.over[part] for rule, part in following], axis=0)
        accepted = np.where(_all_accept(following), -2, -1)
        joined = self._join(part for _, part in following)
        return np.where(dead, -1, np.where(over, accepted, joined))


def _all_accept(parts: _Parts) -> Flags:
    """Whether a text may end in each of some states."""
    accept: Flags = np.all([rule.accepts[part] for rule, part in parts], axis=0)
    return accept
