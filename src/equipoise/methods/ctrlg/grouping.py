"""Which tokens Ctrl-G can weigh together instead of one by one."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from equipoise.methods.ctrlg.hmm import HMM
from equipoise.methods.ctrlg.states import DEAD

COMMON = 8
"""Kinds of small classes that lead to one state together get a matrix product of their own."""


class Kinds(NamedTuple):
    """Tokens of equal weight whatever came before: of one class, and as likely in every state.

    Attributes:
        tokens: [N] the tokens that lead anywhere from some state.
        kind_of: [N] the kind of each.
        examples: [K] a token of each kind; those of one class together, large classes first.
    """

    tokens: Tensor
    kind_of: Tensor
    examples: Tensor

    @classmethod
    def of(cls, hmm: HMM, table: Tensor, classes: Tensor) -> Kinds:
        """The kinds of the tokens that ``table`` [S, C] and ``classes`` [V] tell apart."""
        n_tokens = len(classes)
        # What was never counted has the smallest probability in every state: the pseudocount's.
        unseen = (hmm.by_token == hmm.by_token.amin(0)).all(-1)
        column = torch.where(unseen, n_tokens, torch.arange(n_tokens))
        tokens = (table[2:] != DEAD).any(0)[classes].nonzero()[:, 0]
        kinds, kind_of = torch.unique(
            classes[tokens] * (n_tokens + 1) + column[tokens], return_inverse=True
        )
        class_of = kinds // (n_tokens + 1)
        sizes = torch.bincount(class_of, minlength=table.shape[1])
        order = (sizes[class_of] * len(sizes) + class_of).argsort(descending=True)
        place = order.argsort()
        examples = torch.empty(len(kinds), dtype=torch.long)
        examples[place[kind_of]] = tokens
        return cls(tokens, place[kind_of], examples)


class Plan(NamedTuple):
    """Where the n kinds of small classes lead from one state.

    Attributes:
        common: States that several of them lead to.
        which: [n] index into ``common`` of each kind; 0 for the others.
        rare: The kinds that lead to a state of few.
        rare_states: Where each of those leads.
    """

    common: Tensor
    which: Tensor
    rare: Tensor
    rare_states: Tensor

    @classmethod
    def of(cls, reached: Tensor) -> Plan:
        """The plan for kinds that lead to the states ``reached`` [n]."""
        states, index, counts = torch.unique(reached, return_inverse=True, return_counts=True)
        is_common = counts >= COMMON
        rare = (~is_common[index]).nonzero()[:, 0]
        which = (is_common.cumsum(0) - 1).clamp_min(0)[index]
        which[rare] = 0
        common = states[is_common] if bool(is_common.any()) else states[:1]
        return cls(common, which, rare, reached[rare])
