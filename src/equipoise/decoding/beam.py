"""Beam search: the most probable completions instead of random ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from equipoise.decoding.cache import RowCache
from equipoise.decoding.control import Control
from equipoise.decoding.prefill import prefill
from equipoise.decoding.sampler import CONTROLLED_ROWS, step
from equipoise.decoding.stopping import EndOfSentence
from equipoise.model.draws import Draw, Prompt
from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import check_architecture


class _Hypothesis(NamedTuple):
    """The beginning of a completion.

    Attributes:
        score: Its log-probability in nats.
        tokens: What it consists of.
        parent: Row that it goes on from.
    """

    score: float
    tokens: tuple[int, ...] = ()
    parent: int = 0


@torch.inference_mode()
def beam_search(
    lm: LanguageModel,
    prompts: Sequence[Prompt],
    n: int,
    max_new_tokens: int,
    *,
    control: Control | None = None,
    on_drawn: Callable[[int], None] | None = None,
) -> list[list[Draw]]:
    """The ``n`` most probable completions of each prompt that ``n`` beams find, best first.

    As in ``transformers`` with ``length_penalty=0``: at each step the n most probable beginnings go
    on, one that has ended competes with them until it is certain that none of them can overtake.
    Nothing is random.

    Args:
        lm: The model; weights in its compute type decode fastest.
        prompts: What to continue.
        n: Beams, and completions of each prompt; there may be fewer if ``control`` allows no more.
        max_new_tokens: A completion that has no end by then is cut there.
        control: Changes the distribution of each next token.
        on_drawn: Called with the number of completions found since the last call.

    Raises:
        EquipoiseError: Context and completion do not fit into the model's context window.
    """
    longest = max((len(prompt.context) for prompt in prompts), default=0)
    check_architecture(lm.model.config, longest + max_new_tokens)
    end = EndOfSentence(lm.tokenizer, lm.stop_tokens, [p.prefix for p in prompts])
    found = []
    for index, prompt in enumerate(prompts):
        search = _Search(lm, prompt, index, n, end, control)
        found.append(search.run(max_new_tokens))
        if on_drawn:
            on_drawn(len(found[-1]))
    return found


class _Search:
    """The search after one prompt; row i of the cache belongs to running hypothesis i."""

    def __init__(
        self,
        lm: LanguageModel,
        prompt: Prompt,
        index: int,
        n: int,
        end: EndOfSentence,
        control: Control | None,
    ) -> None:
        self.lm, self.index, self.n, self.end, self.control = lm, index, n, end, control
        self.logits, states = prefill(lm, [prompt])
        self.cache = RowCache(states, 1)
        self.cache.start(*torch.zeros(2, 1, dtype=torch.long, device=lm.device))
        self.running = [_Hypothesis(0.0)]
        self.finished: list[_Hypothesis] = []
        if control:
            control.allocate(1)
            control.start([0], [index])

    def run(self, max_new_tokens: int) -> list[Draw]:
        """At most n completions, best first."""
        for length in range(1, max_new_tokens + 1):
            self._extend()
            if self._is_decided() or length == max_new_tokens:
                break
            self._step()
        cut = [] if self._is_decided() else self.running
        both = [(h, True) for h in self.finished] + [(h, False) for h in cut]
        best = sorted(both, key=lambda one: -one[0].score)[: self.n]
        return [Draw(self.end.text(h.tokens), len(h.tokens), e, h.tokens) for h, e in best]

    def _is_decided(self) -> bool:
        """Whether no running hypothesis can overtake a finished one: scores only fall."""
        if not self.running:
            return True
        return len(self.finished) == self.n and self.running[0].score <= self.finished[-1].score

    def _extend(self) -> None:
        """The most probable hypotheses that are one token longer."""
        values, vocabulary = self._log_probabilities()
        scores = torch.tensor([h.score for h in self.running], device=values.device)
        total = (scores[:, None] + values).flatten()
        # Twice as many as beams: half of them may have ended.
        best = total.topk(min(2 * self.n, len(total)))
        parents = (best.indices // values.shape[1]).tolist()
        drawn = vocabulary[best.indices % values.shape[1]].tolist()
        going_on: list[_Hypothesis] = []
        for rank, (score, parent, token) in enumerate(
            zip(best.values.tolist(), parents, drawn, strict=True)
        ):
            if score == float("-inf"):
                break
            longer = _Hypothesis(score, (*self.running[parent].tokens, token), parent)
            if not self.end.reached(self.index, list(longer.tokens)):
                going_on.append(longer)
            elif rank < self.n:
                self.finished.append(longer)
        self.running = going_on[: self.n]
        self.finished = sorted(self.finished, key=lambda h: -h.score)[: self.n]

    def _log_probabilities(self) -> tuple[Tensor, Tensor]:
        """Log-probabilities [B, N] of the next token, and the N tokens they are of."""
        vocabulary = torch.arange(self.logits.shape[-1], device=self.logits.device)
        if not self.control:
            return self.logits.float().log_softmax(-1), vocabulary
        parts = []
        for start in range(0, len(self.logits), CONTROLLED_ROWS):
            rows = range(len(self.logits))[start : start + CONTROLLED_ROWS]
            part, vocabulary = self.control.adjust(self.logits[start : rows.stop], rows)
            parts.append(part.float().log_softmax(-1))
        return torch.cat(parts), vocabulary

    def _step(self) -> None:
        """Let the model read the last token of every running hypothesis."""
        parents = [h.parent for h in self.running]
        last = [h.tokens[-1] for h in self.running]
        self.cache.keep(torch.tensor(parents, device=self.lm.device))
        if self.control:
            self.control.keep(parents)
            self.control.accept(range(len(parents)), last)
        self.logits = step(self.lm, self.cache, torch.tensor(last, device=self.lm.device))
