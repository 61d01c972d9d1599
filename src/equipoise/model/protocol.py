"""What every model can do, whether its weights are here or with somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from equipoise.model.draws import Draw, OnDrawn, Question, Sampling

if TYPE_CHECKING:
    from equipoise.model.language_model import Decoder, LanguageModel


class Model(Protocol):
    """Somebody who answers: a ``LanguageModel`` or an ``Endpoint``."""

    @property
    def name(self) -> str:
        """How the user calls it."""

    @property
    def precision(self) -> str:
        """Where it computes and in which type, in one line."""

    @property
    def revision(self) -> str | None:
        """The version of its weights, where it is known."""

    @property
    def weights(self) -> LanguageModel | None:
        """The same model with weights, tokens and logits; None where they are not at hand."""

    def keeping(self, path: Path | None) -> Model:
        """The same model, which keeps in ``path`` what it could not say again for nothing."""

    def spending(self) -> dict[str, Any]:
        """What its answers have cost beside time and memory, by the columns of the cost table."""

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
        """``counts[i]`` completions of ``questions[i]``, for every i.

        Args:
            questions: What to ask.
            counts: Completions of each.
            sampling: How they are drawn.
            seed: Of the random numbers.
            on_drawn: Hears how far it is.
            decoder: Draws from the logits of a model that gives them; who answers over the network
                decodes by himself.
        """
