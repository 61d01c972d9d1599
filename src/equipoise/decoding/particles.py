"""Sequential Monte Carlo: completions that follow the model's own conditional distribution.

Guided decoding draws each token by the model's probability times a guess of how promising the text
then is. What comes out follows the guess as much as the model. Here every completion is drawn as a
group of K particles side by side. With the model's p, the hope psi that the guide has of a text,
and the probability q with which a token was drawn, each step multiplies a particle's weight by

    p(x_t | x_<t) psi(x_<=t) / (psi(x_<t) q(x_t | x_<t))

which without a nucleus is the proposal's normaliser over the hope, so 1 where the guide knows the
model. When the effective sample size falls below K / 2, particles are resampled by their weights.
In the end psi is 1, and one particle drawn by its weight tends to the model's distribution given
acceptance as K grows (Lew et al. 2023, arXiv 2306.03081; Loula et al. 2025, 2504.05410).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from equipoise.decoding.cache import PromptStates, RowCache
from equipoise.decoding.control import Twist
from equipoise.decoding.nucleus import sample_weighed
from equipoise.decoding.prefill import prefill
from equipoise.decoding.sampler import CONTROLLED_ROWS, step
from equipoise.decoding.stopping import EndOfSentence
from equipoise.model.draws import Draw, Prompt, Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import check_architecture


@torch.inference_mode()
def sample_particles(
    lm: LanguageModel,
    prompts: Sequence[Prompt],
    counts: Sequence[int],
    sampling: Sampling,
    seed: int,
    particles: int,
    twist: Twist,
    on_drawn: Callable[[int], None] | None = None,
) -> list[list[Draw]]:
    """``counts[i]`` completions of ``prompts[i]``, for every i, each one of a group of particles.

    The other particles of its group are the ``earlier`` ones of a draw: they cost as much. Groups
    are independent of each other, and as many are decoded at a time as a batch has room for.

    Args:
        lm: The model; weights in its compute type decode fastest.
        prompts: What to continue.
        counts: Completions to draw of each prompt.
        sampling: How to draw; the temperature is above 0, and the model's distribution is meant at
            that temperature. What a nucleus leaves out of a proposal is never drawn.
        seed: Of the random numbers.
        particles: K, at least 1.
        twist: Guides the particles.
        on_drawn: Called with the number of completions finished since the last call.

    Raises:
        EquipoiseError: Context and completion do not fit into the model's context window.
    """
    longest = max((len(prompt.context) for prompt in prompts), default=0)
    check_architecture(lm.model.config, longest + sampling.max_new_tokens)
    queue = [index for index, count in enumerate(counts) for _ in range(count)]
    draws: list[list[Draw]] = [[] for _ in prompts]
    if not queue:
        return draws
    end = EndOfSentence(lm.tokenizer, lm.stop_tokens, [prompt.prefix for prompt in prompts])
    generator = torch.Generator().manual_seed(seed)
    logits, states = prefill(lm, prompts)
    size = max(1, sampling.batch_size // particles)
    for first in range(0, len(queue), size):
        groups = queue[first : first + size]
        wave = _Wave(lm, groups, states, sampling, generator, particles, twist, end)
        for prompt, draw in zip(groups, wave.run(logits, on_drawn), strict=True):
            draws[prompt].append(draw)
    return draws


class _Wave:
    """G groups of K particles side by side: row i holds particle i % K of group open[i // K]."""

    def __init__(
        self,
        lm: LanguageModel,
        groups: Sequence[int],
        states: PromptStates,
        sampling: Sampling,
        generator: torch.Generator,
        particles: int,
        twist: Twist,
        end: EndOfSentence,
    ) -> None:
        self.lm, self.sampling, self.generator = lm, sampling, generator
        self.n, self.twist, self.end = particles, twist, end
        self.prompts = [prompt for prompt in groups for _ in range(particles)]
        self.cache = RowCache(states, len(self.prompts))
        every = torch.arange(len(self.prompts), device=lm.device)
        self.cache.start(every, torch.tensor(self.prompts, device=lm.device))
        twist.allocate(len(self.prompts))
        twist.start(range(len(self.prompts)), self.prompts)
        self.open = list(range(len(groups)))
        self.drawn: list[list[int]] = [[] for _ in self.prompts]
        self.over = [False] * len(self.prompts)
        self.weights = torch.zeros(len(groups), particles, dtype=torch.float64)
        self.pending = torch.zeros(len(self.prompts), dtype=torch.long, device=lm.device)
        self.done: dict[int, Draw] = {}

    def run(self, first: Tensor, on_drawn: Callable[[int], None] | None) -> list[Draw]:
        """A draw of each group, given the ``first`` logits [C, V] after each prompt."""
        logits = first[torch.tensor(self.prompts, device=first.device)]
        while True:
            self._extend(logits)
            self._resample()
            finished = self._finish()
            if on_drawn:
                on_drawn(finished)
            if not self._close():
                return [self.done[group] for group in sorted(self.done)]
            logits = self._step()

    def _particles(self) -> list[int]:
        """The particle of every row."""
        return [group * self.n + k for group in self.open for k in range(self.n)]

    def _extend(self, logits: Tensor) -> None:
        """Draw a token in every row that goes on from its ``logits`` [R, V], and weigh it."""
        owners = self._particles()
        live = [row for row, owner in enumerate(owners) if not self.over[owner]]
        parts = [live[at : at + CONTROLLED_ROWS] for at in range(0, len(live), CONTROLLED_ROWS)]
        pairs = [self._draw(logits[part], part) for part in parts]
        tokens = torch.cat([drawn for drawn, _ in pairs])
        self.pending[live] = tokens
        before, values = self.twist.hopes.clone(), tokens.tolist()
        self.twist.accept(live, values)
        gained = torch.cat([ratio for _, ratio in pairs]) + (self.twist.hopes - before)[live]
        for row, value, gain in zip(live, values, gained.tolist(), strict=True):
            owner, drawn = owners[row], self.drawn[owners[row]]
            self.weights[owner // self.n, owner % self.n] += gain
            drawn.append(value)
            ended = self.end.reached(self.prompts[owner], drawn)
            self.over[owner] = ended or len(drawn) == self.sampling.max_new_tokens

    def _draw(self, logits: Tensor, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
        """A token [R] of each of ``rows``, and log p - log q [R] of it."""
        adjusted, tokens = self.twist.adjust(logits, rows)
        how = self.sampling.model_dump(include={"temperature", "top_p", "top_k"})
        columns, proposed = sample_weighed(adjusted, **how, generator=self.generator)
        drawn = tokens[columns]
        scaled = logits.float() / self.sampling.temperature
        own = scaled.gather(-1, drawn[:, None])[:, 0] - scaled.logsumexp(-1)
        return drawn, own.cpu().double() - proposed.cpu()

    def _resample(self) -> None:
        """Where few particles hold most of a group's weight, copy these over the others."""
        sources, targets = [], []
        for place, group in enumerate(self.open):
            shares = self.weights[group].softmax(0)
            if group in self.done or float((shares**2).sum()) * self.n <= 2:
                continue
            for k, parent in enumerate(systematic(shares, self.generator)):
                if parent != k:
                    sources.append(place * self.n + parent)
                    targets.append(place * self.n + k)
                    self.drawn[group * self.n + k] = list(self.drawn[group * self.n + parent])
                    self.over[group * self.n + k] = self.over[group * self.n + parent]
            self.weights[group] = 0
        if sources:
            self.twist.copy(sources, targets)
            index = torch.tensor([sources, targets], device=self.lm.device)
            self.cache.copy(index[0], index[1])
            self.pending[index[1]] = self.pending[index[0]]

    def _finish(self) -> int:
        """Choose a particle of every group all of which have ended; how many groups that were."""
        before = len(self.done)
        for group in self.open:
            own = range(group * self.n, (group + 1) * self.n)
            if group not in self.done and all(self.over[particle] for particle in own):
                shares = self.weights[group].softmax(0)
                chosen = int(torch.multinomial(shares, 1, generator=self.generator))
                draws = [self._as_draw(particle) for particle in own]
                others = (*draws[:chosen], *draws[chosen + 1 :])
                self.done[group] = replace(draws[chosen], earlier=others)
        return len(self.done) - before

    def _as_draw(self, particle: int) -> Draw:
        tokens = self.drawn[particle]
        ended = self.end.reached(self.prompts[particle], tokens)
        return Draw(self.end.text(tokens), len(tokens), ended, tuple(tokens))

    def _close(self) -> bool:
        """Drop the rows of finished groups once they are a fifth; whether a group is left."""
        left = [place for place, group in enumerate(self.open) if group not in self.done]
        if left and len(left) <= 0.8 * len(self.open):
            rows = [place * self.n + k for place in left for k in range(self.n)]
            index = torch.tensor(rows, device=self.lm.device)
            self.cache.keep(index)
            self.twist.keep(rows)
            self.pending = self.pending[index]
            self.open = [self.open[place] for place in left]
        return bool(left)

    def _step(self) -> Tensor:
        """Logits [R, V] after the pending token of every row."""
        idle = [row for row, owner in enumerate(self._particles()) if self.over[owner]]
        self.cache.rest(torch.tensor(idle, dtype=torch.long, device=self.lm.device))
        return step(self.lm, self.cache, self.pending)


def systematic(shares: Tensor, generator: torch.Generator | None = None) -> list[int]:
    """The parent of each of K particles with ``shares`` [K], which sum to 1.

    Systematic resampling: one random number decides, and a particle with share w has w K children,
    rounded down or up. One that has any keeps its own place.
    """
    n = len(shares)
    start = torch.rand(1, dtype=torch.float64, generator=generator)
    goals = (torch.arange(n, dtype=torch.float64) + start) / n
    parents = torch.searchsorted(shares.double().cumsum(0), goals, right=True).clamp_max(n - 1)
    children = torch.bincount(parents, minlength=n).tolist()
    more = [k for k in range(n) for _ in range(children[k] - 1)]
    return [k if children[k] else more.pop() for k in range(n)]
