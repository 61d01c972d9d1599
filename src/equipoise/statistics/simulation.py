"""Studies made up to be analysed: completions with known seed and subject effects."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from equipoise.settings import Settings
from equipoise.statistics.estimate import Floats


class Effects(Settings):
    """How far seeds and subjects move a method's rate: standard deviations on the logit scale.

    logit rate[method, seed, subject] = level[method] + seed effect[method, seed]
        + subject effect[subject] + interaction[method, subject], all normal and independent.

    Each method is trained anew with each seed, so that its seed effects are its own.
    """

    seed_sd: Annotated[float, Field(ge=0, le=10)] = 0.3
    """Of what training with another seed changes; 0.3 is 7 points at a rate of one half."""
    subject_sd: Annotated[float, Field(ge=0, le=10)] = 0.6
    """Of what makes a subject easy or hard for every method."""
    interaction_sd: Annotated[float, Field(ge=0, le=10)] = 0.2
    """Of what makes a subject easy or hard for one method."""


def draw_subjects(
    methods: int, studies: int, subjects: int, effects: Effects, generator: np.random.Generator
) -> Floats:
    """What each subject adds to each method's logit, shape (methods, studies, subjects)."""
    shared = generator.normal(0, effects.subject_sd, (1, studies, subjects))
    own = generator.normal(0, effects.interaction_sd, (methods, studies, subjects))
    return shared + own


def draw_rates(
    levels: tuple[float, ...],
    subject_effects: Floats,
    effects: Effects,
    *,
    seeds: int,
    samples: int,
    generator: np.random.Generator,
) -> Floats:
    """Rates of made-up studies, shape (methods, studies, seeds, subjects).

    Args:
        levels: Logit of each method's rate where all effects are 0.
        subject_effects: From ``draw_subjects``, shape (methods, studies, subjects).
        effects: Standard deviations; here that of seeds is used.
        seeds: Of each method.
        samples: Completions of each method, seed and subject.
        generator: Of all that is random.
    """
    from scipy.special import expit

    methods, studies, _ = subject_effects.shape
    of_seeds = generator.normal(0, effects.seed_sd, (methods, studies, seeds, 1))
    logits = np.array(levels)[:, None, None, None] + subject_effects[:, :, None, :] + of_seeds
    rates: Floats = generator.binomial(samples, expit(logits)) / samples
    return rates


def marginal_rate(level: ArrayLike, sd: float) -> Floats:
    """Mean of expit(level + x) over normal x of standard deviation ``sd``, in (0, 1), any shape.

    Gauss-Hermite quadrature with 40 nodes: exact to 1e-6 for SDs up to 2.
    """
    from scipy.special import expit

    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    parts = expit(np.asarray(level, dtype=np.float64)[..., None] + sd * nodes)
    mean: Floats = parts @ (weights / weights.sum())
    return mean


def level_of(rate: float, sd: float) -> float:
    """The level whose ``marginal_rate`` is ``rate``, which is in (0, 1)."""
    from scipy.optimize import brentq

    return float(
        brentq(lambda level: float(marginal_rate(level, sd)) - rate, -60.0, 60.0, xtol=1e-10)
    )
