"""Settings that all erasure methods share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from equipoise.model.sites import Place
from equipoise.settings import Settings

WordPair = Annotated[tuple[str, str], Field(strict=False)]


class ErasureSettings(Settings):
    """What is erased, where, and what it is fitted on.

    Attributes:
        places: Where states are projected. ``attention`` and ``mlp``: what these two read in each
            layer; ``output``: what the output layer reads; ``stream``: the residual stream after
            each layer. All but the last can become part of the weights.
        layers: Layers, from 0, or -1, -2, ... from the last; none stands for all.
        pairs: Pairs of words that differ in what is erased only; none stands for those of the
            task's axis. No word that is measured may be among them.
        contexts: Beginnings of sentences with ``{word}`` for ``pairs``; needed with them.
        held_out: Share of the pairs that nothing is fitted on, for the probe before and after; as
            many more say when INLP stops.
        affine: Project around the mean state, which then stays what it is, not around zero.
        fold: Make the projection part of the weights where the architecture allows it, so that the
            saved model is an ordinary one; else it is applied by a hook.
        prompt: Kind of prompt that completions answer: a key of the task file's ``[prompts]``.
        init_from: Label of a method of the same study whose trained model is the start; the base
            model if it is not given.
    """

    places: Annotated[tuple[Place, ...], Field(strict=False)] = ("attention", "mlp")
    layers: Annotated[tuple[int, ...], Field(strict=False)] = ()
    pairs: Annotated[tuple[WordPair, ...], Field(strict=False)] = ()
    contexts: Annotated[tuple[str, ...], Field(strict=False)] = ()
    held_out: Annotated[float, Field(gt=0, le=0.34)] = 0.25
    affine: bool = False
    fold: bool = True
    prompt: str = "neutral"
    init_from: str | None = None
