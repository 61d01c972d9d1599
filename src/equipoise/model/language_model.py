"""A base model ready for use: weights, tokenizer and precision."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import torch
from transformers.modeling_utils import PreTrainedModel
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from equipoise.errors import EquipoiseError
from equipoise.model.context import ContextEncoder
from equipoise.model.conversion import save_model
from equipoise.model.draws import Draw, OnDrawn, Prompt, Question, Sampling
from equipoise.model.precision import describe_precision
from equipoise.model.prefix_tree import TokenSequence
from equipoise.model.projected import (
    PROJECTIONS,
    Placed,
    attach,
    store_projections,
)
from equipoise.model.registry import (
    Origin,
)
from equipoise.model.steering import STEERING, Shift, attach_shifts, store_shifts

HOOK_FILES = (PROJECTIONS.name, STEERING.name)
"""Files beside the weights that only `load_model` reads."""


class Decoder(Protocol):
    """How completions are drawn from logits; ``decoding.sampler.sample`` is one."""

    def __call__(
        self,
        lm: LanguageModel,
        prompts: Sequence[Prompt],
        counts: Sequence[int],
        sampling: Sampling,
        seed: int,
        *,
        on_drawn: OnDrawn | None = None,
    ) -> list[list[Draw]]:
        """``counts[i]`` completions of ``prompts[i]``, for every i."""


@dataclass
class LanguageModel:
    """A causal language model, its tokenizer, and the precision it computes in.

    It is a ``model.protocol.Model`` whose weights are at hand.

    Attributes:
        model: The network, in evaluation mode on ``device``.
        tokenizer: Its tokenizer.
        name: Its name; a local folder's own name, without the path to it.
        device: Where it is.
        dtype: Type of its matrix products; weights may be kept in a wider one, see `autocast`.
        projections: Those that hooks apply whenever it runs, see `project`.
        shifts: What hooks add to its states whenever it runs, see `steer`.
        origin: Where it comes from, as far as that is known.
        day: What its chat template takes for today, if it writes the date.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    name: str
    device: torch.device
    dtype: torch.dtype
    projections: tuple[Placed, ...] = ()
    shifts: tuple[Shift, ...] = ()
    origin: Origin = field(default_factory=Origin)
    day: date = field(default_factory=date.today)

    @cached_property
    def encoder(self) -> ContextEncoder:
        """How prompts and answers become tokens of this model."""
        rows = int(self.model.get_input_embeddings().weight.shape[0])
        return ContextEncoder(self.tokenizer, self.name, rows, self.day)

    @property
    def weights(self) -> LanguageModel:
        """Itself: see ``Model.weights``."""
        return self

    @property
    def revision(self) -> str | None:
        """The commit that a Hub model was loaded from; None for other models."""
        return getattr(self.model.config, "_commit_hash", None)

    def keeping(self, path: Path | None) -> LanguageModel:
        """See ``Model.keeping``: what it says can be drawn again, so nothing is kept."""
        return self

    def spending(self) -> dict[str, Any]:
        """See ``Model.spending``: nobody is paid."""
        return {}

    def draw(
        self,
        questions: Sequence[Question],
        counts: Sequence[int],
        sampling: Sampling,
        seed: int,
        on_drawn: OnDrawn | None = None,
        *,
        decoder: Decoder,
    ) -> list[list[Draw]]:
        """See ``Model.draw``."""
        prompts = self.prompts(questions)
        return decoder(self, prompts, counts, sampling, seed, on_drawn=on_drawn)

    def prompts(self, questions: Sequence[Question]) -> list[Prompt]:
        """What the answers to each of ``questions`` continue, in this model's tokens."""
        return [Prompt(tuple(self.encoder.tokens(asked)), asked.prefix) for asked in questions]

    @property
    def output_rows(self) -> int:
        """Number of logits; there may be more than the tokenizer has tokens."""
        return int(self.model.get_output_embeddings().weight.shape[0])

    @property
    def precision(self) -> str:
        """One line such as ``CPU, 2 threads, bfloat16 compute over float32 weights``."""
        return describe_precision(self.device, self.dtype, self.model.dtype)

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """Within it, matrix products are computed in ``dtype`` whatever the weights' type."""
        if self.dtype == self.model.dtype:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, self.dtype)

    def use_compute_type(self) -> None:
        """Convert the weights to ``dtype`` in place: decoding is then fastest, training over.

        Buffers stay as they are: rotary frequencies lose their precision in 16 bits, and
        transformers keeps them in 32 as well when it loads a model in 16.
        """
        for parameter in self.model.parameters():
            parameter.requires_grad_(False)
            parameter.data = parameter.data.to(self.dtype)
            parameter.grad = None
        self.model.config.dtype = self.dtype

    def project(self, placed: Sequence[Placed]) -> None:
        """Apply projections of hidden states from now on, after those that are there.

        Raises:
            EquipoiseError: The model is steered: stored, it would be steered after them.
        """
        if placed and self.shifts:
            raise EquipoiseError(
                f"'{self.name}' is steered, so directions cannot be projected out of it any more",
                hint="Erase first, and steer what that made.",
            )
        attach(self.model, placed)
        self.projections = (*self.projections, *placed)

    def steer(self, shifts: Sequence[Shift]) -> None:
        """Add directions to the residual stream from now on, beside those that are there."""
        attach_shifts(self.model, shifts)
        self.shifts = (*self.shifts, *shifts)

    def save(self, folder: Path) -> None:
        """Write weights (safetensors), configuration and tokenizer: an ordinary model folder.

        What hooks do, projections and steering, is written beside them, for `load_model` alone.

        Raises:
            EquipoiseError: The folder cannot be written, or the disk is full.
        """
        store_projections(self.model, self.projections, folder)
        store_shifts(self.model, self.shifts, folder)
        save_model(self.model, self.tokenizer, folder)

    def context(self, prompt: str, prefix: str) -> list[int]:
        """Tokens that a completion continues; see `ContextEncoder.context`."""
        return self.encoder.context(prompt, prefix)

    def continuation(self, prompt: str, prefix: str, text: str) -> list[int]:
        """Tokens of ``text`` beyond the context, and the end of the turn.

        See `ContextEncoder.continuation`.
        """
        return self.encoder.continuation(prompt, prefix, text)

    def answer(self, prompt: str, prefix: str, text: str) -> TokenSequence:
        """Context and answer, of which what follows ``prefix`` is predicted.

        Arguments and errors are those of `ContextEncoder.continuation`.
        """
        context = self.context(prompt, prefix)
        return TokenSequence(
            (*context, *self.continuation(prompt, prefix, text)), start=len(context)
        )

    @property
    def end_of_turn(self) -> int:
        """The token that ends an answer; see `ContextEncoder.end_of_turn`."""
        return self.encoder.end_of_turn

    @cached_property
    def stop_tokens(self) -> frozenset[int]:
        """All tokens after which nothing more is read: end of turn and of sequence."""
        ends = [self.end_of_turn, self.tokenizer.eos_token_id]
        for stated in (self.model.generation_config, self.model.config):
            eos = getattr(stated, "eos_token_id", None)
            ends += eos if isinstance(eos, list | tuple) else [eos]
        return frozenset(int(token) for token in ends if token is not None)
