"""How likely each next token is to lead to a text that satisfies the constraint.

    P(next = v | text, constraint)  ~  P_LM(v | text) * num(v) / den(v)
    num(v) = sum_h A[h] B[h, v] D_r[next(s, v), h]        den(v) = sum_h A[h] B[h, v]

with the messages A of the text so far, emissions B, and D_r[s, h] the probability that at most r
more tokens lead from state s to acceptance if h emitted the last one (Zhang et al. 2024, arXiv
2406.13892). As every token has one destination from a state, num costs as much as den; tokens that
all states treat alike share a class, and D depends on the HMM and the automaton only. Of the tokens
that no sample had, the HMM knows nothing but the smoothing: those of one class have one weight.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from equipoise.methods.ctrlg.automaton import TokenAutomaton
from equipoise.methods.ctrlg.grouping import Kinds, Plan
from equipoise.methods.ctrlg.hmm import HMM
from equipoise.methods.ctrlg.memory import MEMORY_GB, check_lookahead
from equipoise.methods.ctrlg.refusals import too_short
from equipoise.methods.ctrlg.states import ACCEPT, DEAD

LARGE = 512
"""Classes of at least so many kinds get a matrix product of their own."""

STATES_AT_A_TIME = 64


class Lookahead:
    """The tables D_0, D_1, ..., and the weight of every next token.

    Attributes:
        hmm: What looks ahead.
        automaton: What has to be accepted.
        max_tokens: R, most tokens of a completion.
        tokens: [N] the tokens that lead anywhere from some state, class by class.
    """

    def __init__(
        self,
        hmm: HMM,
        automaton: TokenAutomaton,
        max_tokens: int,
        memory_gb: float = MEMORY_GB,
    ) -> None:
        """Make the tables.

        Raises:
            EquipoiseError: They would take more than ``memory_gb``.
        """
        check_lookahead(len(automaton.table), hmm.n_states, max_tokens, memory_gb)
        self.hmm, self.automaton, self.max_tokens = hmm, automaton, max_tokens
        self._table = torch.from_numpy(automaton.table).long()
        self._classes = torch.from_numpy(automaton.classes).long()
        kinds = Kinds.of(hmm, self._table, self._classes)
        self.tokens, self._kind_of = kinds.tokens, kinds.kind_of
        self._emission = hmm.emission[:, kinds.examples].contiguous()
        classes, sizes = torch.unique_consecutive(self._classes[kinds.examples], return_counts=True)
        n_large = int((sizes >= LARGE).sum())  # they come first
        self._large = classes[:n_large].tolist()
        self._ends = torch.cumsum(sizes[:n_large], 0).tolist()
        first_small = self._ends[-1] if self._large else 0
        self._small_emission = self._emission[:, first_small:].contiguous()
        self._small_classes = self._classes[kinds.examples[first_small:]]
        self._plans: dict[int, Plan] = {}
        self.values, self.scales = self._tables()

    def within(self, max_tokens: int) -> Lookahead:
        """The same tables for completions of at most ``max_tokens``, which are no more than R.

        Raises:
            EquipoiseError: From some beginning no completion of that length is accepted.
        """
        for prefix in self.automaton.starts:
            if self.automaton.distance(prefix) > max_tokens:
                raise too_short(prefix, self.automaton.distance(prefix), max_tokens)
        shorter = copy.copy(self)
        shorter.max_tokens = max_tokens
        return shorter

    def follow(self, states: Tensor, tokens: Tensor) -> Tensor:
        """States [B] of the automaton after one more token [B] a row."""
        return self._table[states, self._classes[tokens]]

    def log_weights(self, messages: Tensor, states: Tensor, remaining: Tensor) -> Tensor:
        """Logarithm of num / den [B, N] of ``tokens``, up to a constant a row, or ``-inf``.

        Args:
            messages: [B, H].
            states: [B] of the automaton, neither `DEAD` nor `ACCEPT`.
            remaining: [B] tokens that may still be drawn, at least 1.
        """
        after = (remaining - 1).clamp_max(len(self.values) - 1)
        reached = self._table[states]  # [B, C]
        scales = self.scales[after[:, None], reached]
        # A row without hope has no finite scale: it gets zeros, not NaN.
        factors = (scales - scales.amax(-1, keepdim=True).clamp_min(-1e30)).exp()
        weights = torch.empty(len(states), self._emission.shape[1])
        start = 0
        for c, end in zip(self._large, self._ends, strict=True):
            reaching = messages * self.values[after, reached[:, c]] * factors[:, c, None]
            both = torch.cat([reaching, messages]) @ self._emission[:, start:end]
            torch.div(both[: len(states)], both[len(states) :], out=weights[:, start:end])
            start = end
        self._small(weights[:, start:], messages, states, after, factors)
        return weights.log_().index_select(1, self._kind_of)

    def log_hopes(
        self, messages: Tensor, states: Tensor, remaining: Tensor, tokens: Tensor
    ) -> Tensor:
        """Logarithm of num / den [B], in float64, of one of ``tokens`` [B] each.

        It is the HMM's probability of acceptance after that token.

        Args:
            messages: [B, H] before it.
            states: [B] before it.
            remaining: [B] tokens that may still be drawn, that one included.
            tokens: [B] that are drawn.
        """
        after = (remaining - 1).clamp_max(len(self.values) - 1)
        reached = self.follow(states, tokens)
        joint = messages * self.hmm.by_token[tokens]
        shares = (joint * self.values[after, reached]).sum(-1) / joint.sum(-1)
        return shares.double().log() + self.scales[after, reached]

    def probability(self, message: Tensor, state: int, remaining: int) -> float:
        """P(constraint | text so far) in at most ``remaining`` tokens, if the HMM is the model."""
        if state == ACCEPT:
            return 1.0
        after = min(remaining, len(self.values)) - 1
        reached = self._table[state, self._classes[self.tokens]]
        joint = message[:, None] * self.hmm.emission[:, self.tokens]
        values = self.values[after, reached].T
        scales = self.scales[after, reached].exp()
        return float((joint * values * scales).sum())

    def _small(
        self, weights: Tensor, messages: Tensor, states: Tensor, after: Tensor, factors: Tensor
    ) -> None:
        """Fill in the kinds of small classes, state by state."""
        if not len(self._small_classes):
            return
        for state in torch.unique(states).tolist():
            rows = (states == state).nonzero()[:, 0]
            weights[rows] = self._small_of_state(state, messages[rows], after[rows, None])
        weights *= factors[:, self._small_classes]
        weights /= messages @ self._small_emission

    def _small_of_state(self, state: int, messages: Tensor, after: Tensor) -> Tensor:
        """Numerators [B, n] of the small classes' kinds for rows in one state."""
        if state not in self._plans:
            self._plans[state] = Plan.of(self._table[state, self._small_classes])
        plan = self._plans[state]
        values = self.values[after, plan.common] * messages[:, None]
        sums = (values.flatten(0, 1) @ self._small_emission).view(len(after), len(plan.common), -1)
        found = sums.gather(1, plan.which.expand(len(after), 1, -1))[:, 0]
        values = self.values[after, plan.rare_states] * messages[:, None]
        found[:, plan.rare] = (values * self._small_emission.T[plan.rare]).sum(-1)
        return found

    def _tables(self) -> tuple[Tensor, Tensor]:
        """D [L, S, H], each row scaled to a maximum of 1, and the logarithm [L, S] of its scale.

        From some number of tokens on, more of them change nothing: L is at most R.
        """
        n_states, n_hidden = len(self._table), self.hmm.n_states
        of_class = torch.zeros(self._table.shape[1], n_hidden)
        of_class.index_add_(0, self._classes, self.hmm.emission.T)
        edges = [self._edges(s, of_class) for s in range(0, n_states, STATES_AT_A_TIME)]
        value = torch.zeros(n_states, n_hidden)
        scale = torch.full((n_states,), float("-inf"))
        value[ACCEPT], scale[ACCEPT] = 1, 0
        # Memory that is never written to is never taken.
        values = torch.empty(self.max_tokens, n_states, n_hidden)
        scales = torch.empty(self.max_tokens, n_states)
        values[0], scales[0] = value, scale
        for length in range(1, self.max_tokens):
            value, scale = value.clone(), scale.clone()
            before = values[length - 1], scales[length - 1]
            for sources, targets, mass in edges:
                self._extend(value, scale, *before, sources, targets, mass)
            if _same(value, before[0]) and _same(scale, before[1]):
                return values[:length], scales[:length]
            values[length], scales[length] = value, scale
        return values, scales

    def _edges(self, first: int, of_class: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Sources [E], targets [E] and emission mass [E, H] of the edges of some states."""
        table = self._table[first : first + STATES_AT_A_TIME]
        n_states = len(table)
        key = (torch.arange(n_states)[:, None] * len(self._table) + table).flatten()
        keys, edge = torch.unique(key, return_inverse=True)
        mass = torch.zeros(len(keys), of_class.shape[1])
        mass.index_add_(0, edge, of_class.repeat(n_states, 1))
        sources, targets = keys // len(self._table) + first, keys % len(self._table)
        useful = (targets != DEAD) & (sources > ACCEPT)
        return sources[useful], targets[useful], mass[useful]

    def _extend(
        self,
        value: Tensor,
        scale: Tensor,
        value_before: Tensor,
        scale_before: Tensor,
        sources: Tensor,
        targets: Tensor,
        mass: Tensor,
    ) -> None:
        """Write D_r of the ``sources`` from D_{r-1} of the ``targets``."""
        states, index = torch.unique(sources, return_inverse=True)
        reached = scale_before[targets]
        top = torch.full((len(states),), float("-inf")).scatter_reduce(0, index, reached, "amax")
        factor = torch.where(reached > float("-inf"), (reached - top[index]).exp(), 0)
        sums = torch.zeros(len(states), mass.shape[1])
        sums.index_add_(0, index, mass * value_before[targets] * factor[:, None])
        found = sums @ self.hmm.transition.T
        height = found.amax(-1)
        possible = height > 0
        value[states[possible]] = found[possible] / height[possible, None]
        scale[states[possible]] = top[possible] + height[possible].log()


def _same(one: Tensor, other: Tensor) -> bool:
    """Whether two tables agree to float32 rounding, infinities included."""
    return torch.allclose(one, other, rtol=0, atol=3e-6)
