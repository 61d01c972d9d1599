"""Studies made up to be analysed: completions with known seed and subject effects."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from equipoise.settings import Settings
from equipoise.statistics.estimate import Floats


class Effects(Settings):
    """How far seeds and subjects move a method's rate: standard deviations on the logit scale.

    logit rate[method, seed, subject] = level[method] + seed effect[method, seed]
        + subject effect[subject] + interaction[method, subject], all normal and independent.

    Each method is trained anew with each seed, so that its seed effects are its own.
    """

    seed_sd: float = Field(0.3, ge=0, le=10)
    """Of what training with another seed changes; 0.3 is 7 points at a rate of one half."""
    subject_sd: float = Field(0.6, ge=0, le=10)
    """Of what makes a subject easy or hard for every method."""
    interaction_sd: float = Field(0.2, ge=0, le=10)
    """Of what makes a subject easy or hard for one method."""


def draw_rates(
    levels: tuple[float, ...],
    effects: Effects,
    *,
    studies: int,
    seeds: int,
    subjects: int,
    samples: int,
    generator: np.random.Generator,
    subject_effects: Floats | None = None,
) -> Floats:
    """Rates of made-up studies, shape (methods, studies, seeds, subjects).

    Args:
        levels: Logit of each method's rate at effects of 0.
        effects: Standard deviations.
        studies: How many studies.
        seeds: Of each method.
        subjects: The same for all methods and seeds of a study.
        samples: Completions of each method, seed and subject.
        generator: Of all that is random.
        subject_effects: What adds to the logits of each method and subject, shape (methods,
            subjects), the same in all studies; drawn anew for each study by default.
    """
    from scipy.special import expit

    shape = (len(levels), studies, seeds, subjects)
    logits = np.array(levels)[:, None, None, None] + generator.normal(
        0, effects.seed_sd, (*shape[:3], 1)
    )
    if subject_effects is None:
        shared = generator.normal(0, effects.subject_sd, (1, studies, 1, subjects))
        own = generator.normal(0, effects.interaction_sd, (len(levels), studies, 1, subjects))
        logits = logits + shared + own
    else:
        logits = logits + subject_effects[:, None, None, :]
    rates: Floats = generator.binomial(samples, expit(logits)) / samples
    return rates


def marginal_rate(level: float, sd: float) -> float:
    """Mean of expit(level + x) over normal x of standard deviation ``sd``, in (0, 1).

    Gauss-Hermite quadrature with 80 nodes: exact to 1e-9 for SDs up to 3.
    """
    from scipy.special import expit

    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    return float((weights * expit(level + sd * nodes)).sum() / weights.sum())


def level_of(rate: float, sd: float) -> float:
    """The level whose ``marginal_rate`` is ``rate``, which is in (0, 1)."""
    from scipy.optimize import brentq

    return float(brentq(lambda level: marginal_rate(level, sd) - rate, -60.0, 60.0, xtol=1e-10))
