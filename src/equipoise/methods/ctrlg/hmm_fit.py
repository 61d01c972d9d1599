"""Distils a language model into an HMM, on the text that it is going to be asked for.

The model's own completions of the study's prompts are the data. Hidden states start as clusters of
the model's last-layer states, each at the token it has just read (latent variable distillation, Liu
et al. 2023, arXiv 2210.04398), and expectation-maximisation goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from pydantic import Field

from equipoise.decoding.sampler import sample
from equipoise.errors import EquipoiseError
from equipoise.methods.ctrlg.hmm import HMM, from_counts
from equipoise.methods.method import OnProgress, no_progress
from equipoise.model.draws import Prompt, Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import PrefixTree, TokenSequence, node_states
from equipoise.settings import Settings

SEQUENCES_A_TREE = 64
HELD_OUT = 0.1
PATIENCE = 2
"""Iterations without a better held-out likelihood after which fitting ends."""


class DistillSettings(Settings):
    """How an HMM is distilled.

    Attributes:
        hidden_states: H. More follow the model more closely; the guarantee does not depend on it.
        n_samples: Completions drawn to learn from, over all prompts; a tenth of them only measures.
        n_clustered: Of these, how many have their states clustered for the start.
        iterations: Most steps of expectation-maximisation; it ends when completions that were not
            learnt from become less likely.
        smoothing: Pseudocount of each row of probabilities.
        hmm_seed: Of samples and clusters; not the cell's seed, so that a study distils once.
    """

    hidden_states: Annotated[int, Field(ge=1, le=16384)] = 256
    n_samples: Annotated[int, Field(ge=10)] = 10_000
    n_clustered: Annotated[int, Field(ge=1)] = 3_000
    iterations: Annotated[int, Field(ge=0)] = 10
    smoothing: Annotated[float, Field(gt=0)] = 1e-3
    hmm_seed: Annotated[int, Field(ge=0, lt=2**32)] = 0


@dataclass(frozen=True)
class DistillRecord:
    """What distilling gave.

    Attributes:
        tokens: Tokens learnt from.
        train: Mean log-probability in nats of a token, at the start and after each iteration.
        held_out: Likewise, on completions that were not learnt from.
        chosen: Iteration with the highest held-out value: the HMM that is used.
    """

    tokens: int
    train: list[float]
    held_out: list[float]
    chosen: int


def distill(
    lm: LanguageModel,
    prompts: Sequence[Prompt],
    beginnings: Sequence[tuple[int, ...]],
    sampling: Sampling,
    settings: DistillSettings,
    on_progress: OnProgress = no_progress,
) -> tuple[HMM, DistillRecord]:
    """An HMM of what ``lm`` says after ``prompts``.

    Args:
        lm: The model, with weights in its compute type.
        prompts: What it continues.
        beginnings: For each prompt, the tokens at its end that the HMM reads too.
        sampling: How completions are drawn.
        settings: How to learn.
        on_progress: Receives stage, done, total.

    Raises:
        EquipoiseError: There are fewer distinct states than ``hidden_states``.
    """
    sequences, contexts = _draw(lm, prompts, beginnings, sampling, settings, on_progress)
    n_held_out = max(1, int(HELD_OUT * len(sequences)))
    train, held_out = sequences[n_held_out:], sequences[:n_held_out]
    clustered = train[: settings.n_clustered]
    clusters = _cluster(lm, clustered, contexts[n_held_out:], settings, on_progress)
    hmm = _from_clusters(clustered, clusters, settings, lm.output_rows)
    return _fit(hmm, train, held_out, settings, on_progress)


def _fit(
    hmm: HMM,
    train: Sequence[tuple[int, ...]],
    held_out: Sequence[tuple[int, ...]],
    settings: DistillSettings,
    on_progress: OnProgress,
) -> tuple[HMM, DistillRecord]:
    """Expectation-maximisation until it no longer helps on what is not learnt from."""
    best, chosen = hmm, 0
    fitted, measured = [], [hmm.log_likelihood(held_out)]
    for iteration in range(1, settings.iterations + 1):
        on_progress("fitting the HMM", iteration - 1, settings.iterations)
        hmm, before = hmm.reestimated(train, settings.smoothing)
        fitted.append(before)
        measured.append(hmm.log_likelihood(held_out))
        if measured[-1] > measured[chosen]:
            best, chosen = hmm, iteration
        elif iteration - chosen >= PATIENCE:
            break
    fitted.append(hmm.log_likelihood(train))
    return best, DistillRecord(sum(map(len, train)), fitted, measured, chosen)


def _draw(
    lm: LanguageModel,
    prompts: Sequence[Prompt],
    beginnings: Sequence[tuple[int, ...]],
    sampling: Sampling,
    settings: DistillSettings,
    on_progress: OnProgress,
) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """Token sequences for the HMM in random order, and the context of each up to its beginning."""
    total = -(-settings.n_samples // len(prompts)) * len(prompts)
    done = 0

    def on_drawn(count: int) -> None:
        nonlocal done
        done += count
        on_progress("sampling for the HMM", done, total)

    counts = [total // len(prompts)] * len(prompts)
    draws = sample(lm, prompts, counts, sampling, settings.hmm_seed, on_drawn=on_drawn)
    pairs = [
        ((*beginning, *draw.ids), prompt.context[: len(prompt.context) - len(beginning)])
        for prompt, beginning, of_prompt in zip(prompts, beginnings, draws, strict=True)
        for draw in of_prompt
    ]
    order = np.random.default_rng(settings.hmm_seed).permutation(len(pairs))
    return [pairs[i][0] for i in order], [pairs[i][1] for i in order]


@torch.inference_mode()
def _cluster(
    lm: LanguageModel,
    sequences: Sequence[tuple[int, ...]],
    contexts: Sequence[tuple[int, ...]],
    settings: DistillSettings,
    on_progress: OnProgress,
) -> np.ndarray:
    """Cluster of every token of ``sequences``, by the state of the model that has read it."""
    from sklearn.cluster import MiniBatchKMeans  # type: ignore[import-untyped]

    if settings.hidden_states == 1:
        return np.zeros(sum(map(len, sequences)), dtype=np.int64)
    found = []
    for start in range(0, len(sequences), SEQUENCES_A_TREE):
        on_progress("clustering states", start, len(sequences))
        several = zip(
            sequences[start : start + SEQUENCES_A_TREE],
            contexts[start : start + SEQUENCES_A_TREE],
            strict=False,
        )
        tree = PrefixTree.build(TokenSequence((*c, *s), len(c)) for s, c in several)
        tree = tree.to(lm.device)
        states = node_states(lm.model, tree)[tree.target_nodes[tree.paths]]
        found.append(states.float().cpu().numpy())
    vectors = np.concatenate(found)
    if len(np.unique(vectors[: 4 * settings.hidden_states], axis=0)) < settings.hidden_states:
        raise EquipoiseError(
            f"the samples have fewer than {settings.hidden_states} distinct states",
            field="hidden_states",
            hint="Set fewer hidden_states or more n_samples.",
        )
    means = MiniBatchKMeans(
        settings.hidden_states, random_state=settings.hmm_seed, n_init=1, batch_size=4096
    )
    clusters: np.ndarray = means.fit_predict(vectors)
    return clusters


def _from_clusters(
    sequences: Sequence[tuple[int, ...]],
    clusters: np.ndarray,
    settings: DistillSettings,
    rows: int,
) -> HMM:
    """The HMM that counts give when every token's cluster is its hidden state."""
    n = settings.hidden_states
    states = torch.from_numpy(clusters).long()
    tokens = torch.tensor([token for sequence in sequences for token in sequence])
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    firsts = torch.zeros(len(tokens), dtype=torch.bool)
    firsts[torch.cumsum(lengths, 0) - lengths] = True
    inner = ~firsts[1:]
    initial = torch.bincount(states[firsts], minlength=n).float()
    pairs = torch.bincount(states[:-1][inner] * n + states[1:][inner], minlength=n * n).float()
    emitted = torch.zeros(n, rows).index_put_(
        (states, tokens), torch.ones(len(tokens)), accumulate=True
    )
    # Enough that expectation-maximisation may leave the clusters.
    return from_counts(initial, pairs.view(n, n), emitted, max(settings.smoothing, 0.1))
