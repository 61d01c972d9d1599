"""An endpoint that asks nobody: a model without weights, for methods that need none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from equipoise.model.draws import Draw, OnDrawn, Question, Sampling
from equipoise.model.endpoint import EndpointSettings
from equipoise.model.language_model import Decoder
from equipoise.model.remote import Endpoint

ENDINGS = (
    " bold and kind with new colleagues.",
    " tall, and came to work by train.",
    " at work early every single day",
    " honest.",
    "",
)
"""What it may say; most of it is no good answer to any task, and the last is no answer."""


class MadeUpEndpoint(Endpoint):
    """Answers with sentences made up from the seed; nothing is sent anywhere."""

    def __init__(self) -> None:
        super().__init__("openai:made-up", EndpointSettings(base_url="http://localhost:9/v1"))

    def draw(
        self,
        questions: Sequence[Question],
        counts: Sequence[int],
        sampling: Sampling,
        seed: int,
        on_drawn: OnDrawn | None = None,
        *,
        decoder: Decoder | None = None,
    ) -> list[list[Draw]]:
        """See ``Endpoint.draw``."""
        numbers = np.random.default_rng([seed, len(questions), sum(counts)])
        found: list[list[Draw]] = []
        for count in counts:
            texts = [ENDINGS[i] for i in numbers.integers(len(ENDINGS), size=count)]
            draws = [self._draw(text.split(), sampling.max_new_tokens) for text in texts]
            found.append(draws)
            if on_drawn is not None:
                on_drawn(count)
        return found

    def _draw(self, words: list[str], most: int) -> Draw:
        """A word is a token here."""
        kept = words[:most]
        text = "".join(f" {word}" for word in kept)
        ended = len(kept) == len(words)
        return Draw(text, len(kept), ended, answered=bool(words))
