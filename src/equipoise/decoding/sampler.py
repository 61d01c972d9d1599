"""Batched sampling of many prompts: prefill once, refill finished rows, drop idle ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from equipoise.decoding.cache import RowCache
from equipoise.decoding.control import Control
from equipoise.decoding.nucleus import sample_tokens
from equipoise.decoding.prefill import prefill
from equipoise.decoding.shared_prefix import attention_for
from equipoise.decoding.stopping import EndOfSentence, EndOfTurn
from equipoise.model.draws import Draw, Prompt, Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import (
    check_architecture,
)

CONTROLLED_ROWS = 64
"""Rows whose logits are adjusted at a time: their float32 copies stay small enough for the C
library to hand out the same memory again, where larger ones cost a page fault every 4 KB."""


@torch.inference_mode()
def sample(
    lm: LanguageModel,
    prompts: Sequence[Prompt],
    counts: Sequence[int],
    sampling: Sampling,
    seed: int,
    *,
    control: Control | None = None,
    on_drawn: Callable[[int], None] | None = None,
    end: type[EndOfTurn] = EndOfSentence,
) -> list[list[Draw]]:
    """``counts[i]`` completions of ``prompts[i]``, for every i.

    Each completion is drawn token by token from the model's distribution under ``sampling``, until
    it has ended or ``max_new_tokens`` are drawn. The same arguments
    give the same completions on the same machine.

    Args:
        lm: The model; weights in its compute type decode fastest.
        prompts: What to continue; prompts may share a beginning, which is computed once.
        counts: Completions to draw of each prompt.
        sampling: How to draw.
        seed: Of the random numbers.
        control: Changes the distribution of each next token, before ``sampling`` is applied.
        on_drawn: Called with the number of completions finished since the last call.
        end: When a completion has ended: with its first sentence, or only with its turn.

    Raises:
        EquipoiseError: Context and completion do not fit into the model's context window.
    """
    longest = max((len(prompt.context) for prompt in prompts), default=0)
    check_architecture(lm.model.config, longest + sampling.max_new_tokens)
    queue = [index for index, count in enumerate(counts) for _ in range(count)]
    if not queue:
        return [[] for _ in prompts]
    batch = _Batch(lm, prompts, queue, sampling, seed, control, end)
    return batch.run(on_drawn or (lambda drawn: None))


class _Batch:
    """Completions being decoded side by side; row i of all tensors is one of them."""

    def __init__(
        self,
        lm: LanguageModel,
        prompts: Sequence[Prompt],
        queue: list[int],
        sampling: Sampling,
        seed: int,
        control: Control | None,
        end: type[EndOfTurn],
    ) -> None:
        self.lm, self.sampling, self.queue, self.control = lm, sampling, queue, control
        self.generator = torch.Generator().manual_seed(seed)
        self.end = end(lm.tokenizer, lm.stop_tokens, [p.prefix for p in prompts])
        self.first_logits, states = prefill(lm, prompts)
        n_rows = min(len(queue), sampling.batch_size)
        self.cache = RowCache(states, n_rows)
        self.next_request = 0
        self.requests = [-1] * n_rows
        self.drawn: list[list[int]] = [[] for _ in queue]
        self.ended = [False] * len(queue)
        self.pending = torch.zeros(n_rows, dtype=torch.long, device=lm.device)
        if control:
            control.allocate(n_rows)

    def run(self, on_drawn: Callable[[int], None]) -> list[list[Draw]]:
        """Decode until the queue is empty and every row has ended."""
        done = self._refill(list(range(len(self.requests))))
        while True:
            on_drawn(done)
            if not self._drop_idle_rows():
                break
            tokens = self._sample(self._step(), range(len(self.requests)))
            active = [row for row, request in enumerate(self.requests) if request >= 0]
            ended = self._take(active, tokens)
            done = len(ended) + self._refill(ended)
        return self._collect()

    def _refill(self, rows: list[int]) -> int:
        """Give free ``rows`` to waiting requests; how many of these ended at their first token."""
        done = 0
        while rows and self.next_request < len(self.queue):
            rows = rows[: len(self.queue) - self.next_request]
            waiting = range(self.next_request, self.next_request + len(rows))
            self.next_request += len(rows)
            prompts = torch.tensor([self.queue[r] for r in waiting], device=self.lm.device)
            self.cache.start(torch.tensor(rows, device=self.lm.device), prompts)
            for row, request in zip(rows, waiting, strict=True):
                self.requests[row] = request
            if self.control:
                self.control.start(rows, prompts.tolist())
            tokens = self.pending.clone()
            tokens[rows] = self._sample(self.first_logits[prompts], rows)
            rows = self._take(rows, tokens)
            done += len(rows)
        return done

    def _step(self) -> Tensor:
        """Logits [B, V] after the pending token of every row."""
        return step(self.lm, self.cache, self.pending)

    def _sample(self, logits: Tensor, rows: Sequence[int]) -> Tensor:
        """A token for each of ``rows`` from its ``logits`` [R, V]."""
        if not self.control:
            return self._sample_tokens(logits)
        drawn = []
        for start in range(0, len(rows), CONTROLLED_ROWS):
            part = slice(start, start + CONTROLLED_ROWS)
            adjusted, tokens = self.control.adjust(logits[part], rows[part])
            drawn.append(tokens[self._sample_tokens(adjusted)])
        return torch.cat(drawn)

    def _sample_tokens(self, logits: Tensor) -> Tensor:
        return sample_tokens(
            logits,
            temperature=self.sampling.temperature,
            top_p=self.sampling.top_p,
            top_k=self.sampling.top_k,
            generator=self.generator,
        )

    def _take(self, rows: list[int], tokens: Tensor) -> list[int]:
        """Append the token [B] of each of ``rows`` to its request; the rows that ended."""
        self.pending = tokens
        ended = []
        values = tokens.tolist()
        if self.control:
            self.control.accept(rows, [values[row] for row in rows])
        for row in rows:
            request = self.requests[row]
            drawn = self.drawn[request]
            drawn.append(values[row])
            self.ended[request] = self.end.reached(self.queue[request], drawn)
            if self.ended[request] or len(drawn) == self.sampling.max_new_tokens:
                self.requests[row] = -1
                ended.append(row)
        return ended

    def _drop_idle_rows(self) -> bool:
        """Free rows that nothing waits for once they are a fifth of all; whether any is left.

        An idle row costs as much as an active one, and dropping it costs a copy of the others.
        """
        active = [row for row, request in enumerate(self.requests) if request >= 0]
        if active and len(active) <= 0.8 * len(self.requests):
            rows = torch.tensor(active, device=self.lm.device)
            self.cache.keep(rows)
            if self.control:
                self.control.keep(active)
            self.pending = self.pending[rows]
            self.requests = [self.requests[row] for row in active]
        elif len(active) < len(self.requests):
            idle = [row for row, request in enumerate(self.requests) if request < 0]
            self.cache.rest(torch.tensor(idle, device=self.lm.device))
        return bool(active)

    def _collect(self) -> list[list[Draw]]:
        draws: list[list[Draw]] = [[] for _ in self.end.prefixes]
        for prompt, tokens, ended in zip(self.queue, self.drawn, self.ended, strict=True):
            draws[prompt].append(Draw(self.end.text(tokens), len(tokens), ended, tuple(tokens)))
        return draws


def step(lm: LanguageModel, cache: RowCache, pending: Tensor) -> Tensor:
    """Logits [R, V] after the ``pending`` token [R] of every row of ``cache``."""
    positions, visible = cache.begin_step()
    with attention_for(lm.model.config, cache):
        output = lm.model(
            input_ids=pending[:, None],
            attention_mask=visible,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
        )
    cache.end_step()
    logits: Tensor = output.logits[:, -1]
    return logits
