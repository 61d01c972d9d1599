"""Minimisation against the definition: refined whole, round by round, until nothing changes."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.methods.ctrlg.states import ACCEPT, DEAD, Flags, Ints, minimise


def refined_whole(table: Ints, flags: Flags) -> list[int]:
    """Moore's classes, numbered by first appearance."""
    classes = [(int(f), s if s in (DEAD, ACCEPT) else -1) for s, f in enumerate(flags)]
    names: list[object] = list(classes)
    while True:
        found = [(names[s], *(names[t] for t in row)) for s, row in enumerate(table.tolist())]
        numbers = {name: i for i, name in enumerate(dict.fromkeys(found))}
        if len(numbers) == len(set(names)):
            return [numbers[name] for name in found]
        names = [numbers[name] for name in found]


def random_table(rng: np.random.Generator, n_states: int, n_symbols: int) -> Ints:
    """Few distinct ways to go on, so that many states are equivalent; some lead to themselves."""
    table = rng.integers(0, n_states, (n_states, n_symbols))
    table[rng.random(table.shape) < 0.4] = DEAD
    copies = rng.integers(2, n_states, n_states // 2)
    table[rng.integers(2, n_states, n_states // 2)] = table[copies]
    table[[DEAD, ACCEPT]] = [[DEAD], [ACCEPT]]
    return table.astype(np.int32)


@pytest.mark.parametrize("seed", range(100))
def test_equals_refining_the_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = random_table(rng, int(rng.integers(3, 40)), int(rng.integers(1, 4)))
    flags = rng.random(len(table)) < (0, 0.1, 0.5)[seed % 3]
    assert minimise(table, flags).tolist() == refined_whole(table, flags)


def test_a_counter_keeps_its_states_and_parallel_ones_merge() -> None:
    """Two chains of 50 states to acceptance become one."""
    n = 50
    table = np.zeros((2 + 2 * n, 1), np.int32)
    table[[DEAD, ACCEPT], 0] = DEAD, ACCEPT
    for start in (2, 2 + n):
        table[start : start + n, 0] = [*range(start + 1, start + n), ACCEPT]
    classes = minimise(table, np.zeros(len(table), dtype=bool))
    assert classes.tolist() == [0, 1, *range(2, n + 2), *range(2, n + 2)]
