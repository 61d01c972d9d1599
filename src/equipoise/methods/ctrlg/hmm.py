"""A hidden Markov model over tokens: what Ctrl-G looks ahead with.

``P(z_0)``, ``P(z_t | z_{t-1})`` and ``P(x_t | z_t)`` for hidden states z and tokens x (Rabiner
1989). All is computed in linear space with one scale a sequence and step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

CHUNK = 1024
"""Sequences computed at a time."""


@dataclass(frozen=True)
class HMM:
    """H hidden states, V tokens; float32, every probability above 0.

    Attributes:
        initial: [H] probability of the first state.
        transition: [H, H] probability of a state (column) after another (row).
        emission: [H, V] probability of a token in a state.
    """

    initial: Tensor
    transition: Tensor
    emission: Tensor

    @property
    def n_states(self) -> int:
        """H."""
        return len(self.initial)

    @cached_property
    def by_token(self) -> Tensor:
        """[V, H] the emission, with what belongs to one token in one place."""
        return self.emission.T.contiguous()

    def save(self, path: Path) -> None:
        """Write the three tensors as safetensors."""
        tensors = {
            name: getattr(self, name).contiguous() for name in ("initial", "transition", "emission")
        }
        save_file(tensors, path)

    @classmethod
    def load(cls, path: Path) -> HMM:
        """What `save` wrote."""
        return cls(**load_file(path))

    def start(self, tokens: Sequence[int]) -> Tensor:
        """Message [H] after ``tokens``: probability of the state that emits the next token."""
        message = self.initial
        for token in tokens:
            message = self.advance(message[None], torch.tensor([token]))[0]
        return message

    def advance(self, messages: Tensor, tokens: Tensor) -> Tensor:
        """Messages [B, H] after one more token [B] a row; each sums to 1."""
        joint = messages * self.by_token[tokens]
        return (joint / joint.sum(-1, keepdim=True).clamp_min(1e-38)) @ self.transition

    def log_likelihood(self, sequences: Sequence[Sequence[int]]) -> float:
        """Mean log-probability in nats of a token of ``sequences``."""
        total, count = 0.0, 0
        for start in range(0, len(sequences), CHUNK):
            tokens, mask = padded(sequences[start : start + CHUNK])
            _, scales = self._forward(tokens, mask)
            total += float(torch.where(mask, scales.log(), 0).double().sum())
            count += int(mask.sum())
        return total / count

    def reestimated(
        self, sequences: Sequence[Sequence[int]], smoothing: float = 1e-3
    ) -> tuple[HMM, float]:
        """One step of expectation-maximisation (Baum-Welch).

        Args:
            sequences: Token sequences, none empty.
            smoothing: Pseudocount of every row, spread evenly over its entries; with 0 the
                likelihood never falls.

        Returns:
            The new model, and the mean log-probability of a token under the *old* one.
        """
        initial = torch.zeros_like(self.initial)
        pairs = torch.zeros_like(self.transition)
        emitted = torch.zeros_like(self.by_token)
        total, count = 0.0, 0
        for start in range(0, len(sequences), CHUNK):
            tokens, mask = padded(sequences[start : start + CHUNK])
            messages, scales = self._forward(tokens, mask)
            total += float(torch.where(mask, scales.log(), 0).double().sum())
            count += int(mask.sum())
            later = torch.ones_like(messages[:, 0])  # P(what follows | state) / its scale
            for t in range(tokens.shape[1] - 1, -1, -1):
                here = mask[:, t, None]
                emission = self.by_token[tokens[:, t]]
                posterior = messages[:, t] * emission * later / scales[:, t, None]
                emitted.index_add_(0, tokens[:, t], torch.where(here, posterior, 0))
                if t == 0:
                    initial += torch.where(here, posterior, 0).sum(0)
                    break
                weight = torch.where(here, emission * later / scales[:, t, None], 0)
                before = messages[:, t - 1] * self.by_token[tokens[:, t - 1]]
                before = before / scales[:, t - 1, None]
                pairs.addmm_(before.T, weight)
                later = torch.where(here, weight @ self.transition.T, later)
        return from_counts(initial, pairs * self.transition, emitted.T, smoothing), total / count

    def _forward(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Messages [B, T, H] before each token, and its probability [B, T] given those before."""
        message = self.initial.expand(len(tokens), -1)
        messages, scales = [], []
        for t in range(tokens.shape[1]):
            messages.append(message)
            joint = message * self.by_token[tokens[:, t]]
            scale = joint.sum(-1).clamp_min(1e-38)
            scales.append(torch.where(mask[:, t], scale, 1))
            message = (joint / scale[:, None]) @ self.transition
        return torch.stack(messages, 1), torch.stack(scales, 1)


def from_counts(initial: Tensor, pairs: Tensor, emitted: Tensor, smoothing: float) -> HMM:
    """The HMM of counts [H], [H, H] and [H, V], with a pseudocount a row.

    A row without any count becomes uniform.
    """

    def rows(counts: Tensor) -> Tensor:
        counts = counts + max(smoothing, 1e-30) / counts.shape[-1]
        return counts / counts.sum(-1, keepdim=True)

    return HMM(rows(initial), rows(pairs), rows(emitted).contiguous())


def padded(sequences: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Tokens [B, T], zeros behind each sequence, and where they are real [B, T]."""
    lengths = torch.tensor([len(s) for s in sequences])
    longest = int(lengths.max())
    tokens = torch.tensor([[*s, *[0] * (longest - len(s))] for s in sequences])
    return tokens, torch.arange(longest) < lengths[:, None]
