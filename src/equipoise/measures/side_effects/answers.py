"""What a model answers to the requests of an examination."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from equipoise.decoding.sampler import sample
from equipoise.decoding.stopping import EndOfTurn
from equipoise.measures.side_effects.requests import TOKENS, Request
from equipoise.model.draws import Question, Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.progress import counting

SEED = 20251126
"""Of all answers: every model of every study meets the same random numbers."""

ANSWER_COLUMNS = ("kind", "request", "subject", "text", "ended")


def draw_answers(
    lm: LanguageModel, requests: Sequence[Request], sampling: Sampling
) -> pd.DataFrame:
    """One answer to each request, in their order, as a chat: the whole turn or its beginning.

    Columns: those of `Request`, ``request`` being its text; ``text``, the answer; ``ended``,
    whether it ended by itself within the tokens that are drawn.

    Args:
        lm: The model.
        requests: What it is asked.
        sampling: How; an answer has at most the tokens of its kind.
    """
    more = counting("answers", len(requests))
    rows = []
    for kind, tokens in TOKENS.items():
        asked = [one for one in requests if one.kind == kind]
        drawn = sample(
            lm,
            lm.prompts([Question(one.text, "") for one in asked]),
            [1] * len(asked),
            sampling.model_copy(update={"max_new_tokens": tokens}),
            SEED,
            on_drawn=more,
            end=EndOfTurn,
        )
        for one, [draw] in zip(asked, drawn, strict=True):
            text = draw.text.replace("\0", "\ufffd")  # no CSV reader takes a NUL
            rows.append((one.kind, one.text, one.subject, text, draw.ended))
    return pd.DataFrame(rows, columns=list(ANSWER_COLUMNS))
