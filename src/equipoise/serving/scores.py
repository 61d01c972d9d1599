"""Log-probabilities of tokens, in the words in which the protocol's completions give them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from equipoise.model.language_model import LanguageModel
from equipoise.model.scoring import token_scores

LOWEST = -9999.0
"""In nats, for tokens of probability 0: JSON has no infinity."""


class Scores(NamedTuple):
    """Log-probabilities of the tokens of an answer, its prompt's included if that is repeated.

    Attributes:
        tokens: The text of each.
        values: Of each in nats, given all before it; None for one that nothing stands before.
        likeliest: At each place the likeliest tokens and the one that stands there, by their text.
        offsets: Where each begins in the answer's text, in characters.
    """

    tokens: tuple[str, ...]
    values: tuple[float | None, ...]
    likeliest: tuple[dict[str, float] | None, ...]
    offsets: tuple[int, ...]

    def said(self) -> dict[str, Any]:
        """In the protocol's words."""
        return {
            "tokens": list(self.tokens),
            "token_logprobs": list(self.values),
            "top_logprobs": list(self.likeliest),
            "text_offset": list(self.offsets),
        }


def scores_of(
    lm: LanguageModel,
    context: Sequence[int],
    drawn: Sequence[int],
    top: int,
    repeated: str | None = None,
) -> Scores:
    """Scores of ``drawn`` after ``context``.

    Args:
        lm: The model, in evaluation mode.
        context: Tokens of the prompt, one or more.
        drawn: Tokens of the answer.
        top: How many of the likeliest tokens are told at each place.
        repeated: The prompt's text, if its tokens are scored too.
    """
    whole = (*context, *drawn)
    first = len(context) if repeated is None else 0
    texts = _texts(lm.tokenizer, whole[first:])
    values: list[float | None] = [None] * (1 - min(first, 1))
    likeliest: list[dict[str, float] | None] = [None] * len(values)
    start = max(first, 1)
    if start < len(whole):
        found = token_scores(lm, whole, start, top)
        places = zip(
            whole[start:],
            found.values.tolist(),
            found.top_values.tolist(),
            found.top_tokens.tolist(),
            strict=True,
        )
        for token, value, top_values, top_tokens in places:
            told: dict[str, float] = {}
            texts_there = _texts(lm.tokenizer, [*top_tokens, token])
            for text, one in zip(texts_there, [*top_values, value], strict=True):
                told.setdefault(text, max(one, LOWEST))  # of two of one text the likelier
            values.append(max(value, LOWEST))
            likeliest.append(told)
    at = 0
    if repeated is not None:  # a start token has no place in the text
        at = len(repeated) - sum(map(len, texts[: len(context)]))
    offsets = []
    for text in texts:
        offsets.append(max(at, 0))
        at += len(text)
    return Scores(tuple(texts), tuple(values), tuple(likeliest), tuple(offsets))


def _texts(tokenizer: PreTrainedTokenizerBase, tokens: Sequence[int]) -> list[str]:
    """The text of each token, decoded behind another: alone, some lose their first space."""
    before = tokenizer("a", add_special_tokens=False)["input_ids"]

    def decode(ids: Sequence[int]) -> str:
        return str(tokenizer.decode(ids, clean_up_tokenization_spaces=False))

    start = decode(before)
    return [decode([*before, token]).removeprefix(start) for token in tokens]
