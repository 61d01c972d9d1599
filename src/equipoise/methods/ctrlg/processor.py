"""Ctrl-G as a ``LogitsProcessor`` for anybody's ``model.generate``."""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import LogitsProcessor

from equipoise.methods.ctrlg.guide import Beginning, Guide
from equipoise.methods.ctrlg.lookahead import Lookahead
from equipoise.methods.ctrlg.states import ACCEPT


class CtrlGProcessor(LogitsProcessor):  # type: ignore[misc]
    """Makes ``model.generate`` keep a constraint, by sampling or with beams.

    To be made anew for each call. ``max_new_tokens`` of the call must be the lookahead's
    ``max_tokens``; a text that is complete is ended with ``end_token``.

    Args:
        lookahead: For the constraint, the model's vocabulary and its HMM.
        beginning: What all rows continue.
        context_length: Tokens of the prompt, with which every row begins.
        end_token: One of the tokens that end a completion.
    """

    def __init__(
        self, lookahead: Lookahead, beginning: Beginning, context_length: int, end_token: int
    ) -> None:
        self._guide = Guide(lookahead, [beginning])
        self._context_length = context_length
        self._end_token = end_token
        self._guide.allocate(1)
        self._guide.start([0], [0])
        first = (self._guide.states[0], self._guide.messages[0])
        self._known: dict[tuple[int, ...], tuple[Tensor, Tensor]] = {(): first}

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Scores [B, V], normalised, of the next token after ``input_ids`` [B, T]."""
        texts = [tuple(row) for row in input_ids[:, self._context_length :].tolist()]
        # Beams are reordered between calls: a row is known by its text, not by its place.
        found = [self._follow(text) for text in texts]
        self._known = dict(zip(texts, found, strict=True))
        self._guide.states = torch.stack([state for state, _ in found])
        self._guide.messages = torch.stack([message for _, message in found])
        drawn = input_ids.shape[1] - self._context_length
        self._guide.remaining = torch.full((len(texts),), self._guide.lookahead.max_tokens - drawn)
        over = (self._guide.states <= ACCEPT).to(scores.device)
        adjusted = torch.full_like(scores, float("-inf"))
        if not bool(over.all()):
            values, tokens = self._guide.adjust(scores, range(len(texts)))
            possible = (values > float("-inf")).any(-1) & ~over
            rows = possible.nonzero()
            adjusted[rows, tokens] = values[rows[:, 0]].log_softmax(-1).to(scores.dtype)
        adjusted[over, self._end_token] = 0
        return adjusted

    def _follow(self, text: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        if text in self._known:
            return self._known[text]
        state, message = self._known[text[:-1]]
        if state <= ACCEPT:
            return state, message
        token = torch.tensor([text[-1]])
        lookahead = self._guide.lookahead
        following = lookahead.automaton.run(int(state), [text[-1]])
        return torch.tensor(following), lookahead.hmm.advance(message[None], token)[0]
