"""Ctrl-G while text is drawn: follows completions and adjusts the model's logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from equipoise.methods.ctrlg.lookahead import Lookahead
from equipoise.methods.ctrlg.states import ACCEPT


@dataclass(frozen=True)
class Beginning:
    """What a completion continues.

    Attributes:
        prefix: Text that belongs to the judged sentence; one the automaton was compiled for.
        tokens: Its tokens, which the HMM reads first.
    """

    prefix: str
    tokens: tuple[int, ...]


class Guide:
    """One `Lookahead` at work on a batch; a `Control` of the project's decoder.

    Attributes:
        lookahead: Gives the weights.
        states: [B] automaton state of each row.
        messages: [B, H] of each row.
        remaining: [B] tokens each row may still draw.
    """

    def __init__(self, lookahead: Lookahead, beginnings: Sequence[Beginning]) -> None:
        self.lookahead = lookahead
        starts = lookahead.automaton.starts
        self._states = torch.tensor([starts[b.prefix] for b in beginnings])
        self._messages = torch.stack([lookahead.hmm.start(b.tokens) for b in beginnings])
        self.allocate(0)

    def allocate(self, n_rows: int) -> None:
        """See `Control`."""
        self.states = torch.full((n_rows,), ACCEPT)
        self.messages = torch.zeros(n_rows, self.lookahead.hmm.n_states)
        self.remaining = torch.zeros(n_rows, dtype=torch.long)

    def start(self, rows: Sequence[int], prompts: Sequence[int]) -> None:
        """See `Control`."""
        self.states[rows] = self._states[prompts]
        self.messages[rows] = self._messages[prompts]
        self.remaining[rows] = self.lookahead.max_tokens

    def adjust(self, logits: Tensor, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
        """See `Control`: a token that cannot lead to acceptance any more gets ``-inf``."""
        index = torch.tensor(rows)
        over = (self.states[index] <= ACCEPT) | (self.remaining[index] <= 0)
        # Nobody reads what a row that has ended draws, but it must be able to draw something.
        if bool(over.all()):
            return torch.zeros(len(rows), 1, device=logits.device), self.lookahead.tokens[:1]
        index[over] = int(index[~over][0])
        messages, states = self.messages[index], self.states[index]
        remaining = self.remaining[index]
        weights = self.lookahead.log_weights(messages, states, remaining)
        tokens = self.lookahead.tokens.to(logits.device)
        return weights.to(logits.device).add_(logits.index_select(1, tokens)), tokens

    def accept(self, rows: Sequence[int], tokens: Sequence[int]) -> None:
        """See `Control`."""
        index, drawn = torch.tensor(rows), torch.tensor(tokens)
        self.states[index] = self.lookahead.follow(self.states[index], drawn)
        self.messages[index] = self.lookahead.hmm.advance(self.messages[index], drawn)
        self.remaining[index] -= 1

    def keep(self, rows: Sequence[int]) -> None:
        """See `Control`."""
        index = torch.tensor(rows)
        self.states, self.messages = self.states[index], self.messages[index]
        self.remaining = self.remaining[index]


class TwistedGuide(Guide):
    """A `Guide` that keeps what it promised of each row; a `Twist` of the project's decoder.

    Attributes:
        hopes: [B] logarithm of the HMM's probability of acceptance, 0 before the first token: all
            completions of a prompt have the same one there.
    """

    def allocate(self, n_rows: int) -> None:
        """See `Control`."""
        super().allocate(n_rows)
        self.hopes = torch.zeros(n_rows, dtype=torch.float64)

    def start(self, rows: Sequence[int], prompts: Sequence[int]) -> None:
        """See `Control`."""
        super().start(rows, prompts)
        self.hopes[rows] = 0

    def accept(self, rows: Sequence[int], tokens: Sequence[int]) -> None:
        """See `Control`."""
        index, drawn = torch.tensor(rows), torch.tensor(tokens)
        self.hopes[index] = self.lookahead.log_hopes(
            self.messages[index], self.states[index], self.remaining[index], drawn
        )
        super().accept(rows, tokens)

    def keep(self, rows: Sequence[int]) -> None:
        """See `Control`."""
        super().keep(rows)
        self.hopes = self.hopes[torch.tensor(rows)]

    def copy(self, sources: Sequence[int], targets: Sequence[int]) -> None:
        """See `Twist`."""
        for values in (self.states, self.messages, self.remaining, self.hopes):
            values[targets] = values[sources]
