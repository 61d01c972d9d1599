"""How unequal are seeds and subjects? SDs on the logit scale, from the cells of two methods.

By moments: the variance of the rates over seeds, less what drawing completions adds, brought to the
logit scale by p (1 - p); of subjects the covariance of the two methods, and of a method's own
subjects what is left.
"""

from __future__ import annotations

import numpy as np

from equipoise.statistics.cells import Cells
from equipoise.statistics.estimate import Floats
from equipoise.statistics.simulation import Effects


def effects_of(a: Cells, b: Cells) -> Effects | None:
    """What moves the rates of two methods with the same subjects; None where it can't be seen.

    It can't with one seed or one subject, or where a method always or never has the outcome.
    """
    seeds, subjects = min(len(a.seeds), len(b.seeds)), len(a.subjects)
    if seeds < 2 or subjects < 2 or any(side.means.mean() in (0, 1) for side in (a, b)):
        return None
    of_subjects = [_on_logits(side.means.mean(axis=0), side) for side in (a, b)]
    shared = float(np.cov(of_subjects[0], of_subjects[1])[0, 1])
    own = float(np.var(of_subjects[0] - of_subjects[1], ddof=1)) / 2
    chance = sum(_chance(side.n.sum(axis=0), side) for side in (a, b)) / 2
    return Effects(
        seed_sd=_sd((seed_variance(a) + seed_variance(b)) / 2),
        subject_sd=_sd(shared),
        interaction_sd=_sd(own - chance),
    )


def seed_variance(cells: Cells) -> float:
    """Variance over seeds on the logit scale, beyond chance; 0 or more."""
    found = np.var(_on_logits(cells.means.mean(axis=1), cells), ddof=1)
    return max(float(found) - _chance(cells.n.sum(axis=1), cells), 0.0)


def _on_logits(rates: Floats, cells: Cells) -> Floats:
    """Rates as they lie about the mean on the logit scale."""
    rate = cells.means.mean()
    around: Floats = (rates - rate) / (rate * (1 - rate))
    return around


def _chance(n: Floats, cells: Cells) -> float:
    """What drawing ``n`` completions for each rate adds to the variance on the logit scale."""
    rate = cells.means.mean()
    return float((1 / (rate * (1 - rate) * n)).mean())


def _sd(variance: float) -> float:
    """An SD that a simulation takes: 0 where the variance is below it, at most 10."""
    return min(float(np.sqrt(max(variance, 0.0))), 10.0)
