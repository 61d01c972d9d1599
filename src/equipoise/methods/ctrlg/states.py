"""States of an automaton: the two special ones, and which of the others are really one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]

DEAD, ACCEPT = 0, 1
"""The state that nothing leads out of, and the one whose text satisfies the constraint whatever
follows it."""


def minimise(table: Ints, flags: Flags) -> Ints:
    """For each state its class: two are in one if no text tells them apart (Moore 1956).

    `DEAD` and `ACCEPT` keep their numbers, and no other state is merged with them. Only states that
    lead to one whose class has just changed are looked at again, and the largest part of a class
    keeps its number (Hopcroft 1971): an automaton that counts to a hundred is refined in a hundred
    small rounds, not in a hundred whole ones.

    Args:
        table: [S, K]; `DEAD` and `ACCEPT` lead to themselves.
        flags: [S]; states of different flags are never merged.
    """
    labels = 2 + flags.astype(np.int64)
    labels[[DEAD, ACCEPT]] = DEAD, ACCEPT
    classes = np.unique(labels, return_inverse=True)[1]
    weights = np.random.default_rng(0).integers(1, 2**63, table.shape[1] + 1, dtype=np.uint64)
    sources, starts = _predecessors(table)
    affected = np.arange(len(table))
    while len(affected):
        signature = classes[affected].astype(np.uint64) * weights[0]
        for column in range(table.shape[1]):
            signature += classes[table[affected, column]].astype(np.uint64) * weights[column + 1]
        changed = _split(classes, affected, signature)
        met = np.zeros(len(table), dtype=bool)
        for state in changed:
            met[sources[starts[state] : starts[state + 1]]] = True
        affected = np.flatnonzero(met)
    order = np.unique(classes, return_index=True)[1].argsort()  # by first appearance
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return rank[np.unique(classes, return_inverse=True)[1]]


def _split(
    classes: NDArray[np.int64], affected: NDArray[np.int64], signature: NDArray[np.uint64]
) -> NDArray[np.int64]:
    """Split the classes of ``affected`` states by their signatures, in place; what has changed.

    States of a class that are not affected share the signature that none of the affected has.
    """
    n_classes = int(classes.max()) + 1
    first, group, counts = np.unique(
        signature, return_index=True, return_inverse=True, return_counts=True
    )[1:]
    class_of = classes[affected[first]]
    sizes = np.bincount(classes, minlength=n_classes)
    touched = np.bincount(classes[affected], minlength=n_classes)
    keeps = np.zeros(len(first), dtype=bool)
    by_class = np.lexsort((counts, class_of))
    last = np.append(class_of[by_class][1:] != class_of[by_class][:-1], True)
    keeps[by_class[last]] = True  # the largest part
    keeps &= touched[class_of] == sizes[class_of]  # unless others hold the number
    numbers = np.where(keeps, class_of, n_classes + np.cumsum(~keeps) - 1)
    classes[affected] = numbers[group]
    return affected[~keeps[group]]


def _predecessors(table: Ints) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """States that lead to state s: ``sources[starts[s] : starts[s + 1]]``.

    `DEAD` and `ACCEPT` are left out: their classes never change.
    """
    targets = table.ravel()
    edges = np.flatnonzero(targets > ACCEPT)
    edges = edges[np.argsort(targets[edges], kind="stable")]
    starts = np.searchsorted(targets[edges], np.arange(len(table) + 1))
    return edges // table.shape[1], starts
