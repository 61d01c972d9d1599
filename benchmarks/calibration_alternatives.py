"""What else was tried for intervals and tests, on a few settings of ``calibration.py``.

Intervals of one rate: binomial, t intervals of the two-level variance with other degrees of
freedom. Tests of two equal methods: of two rates as if all completions were independent, and
permutations. Prints two tables of docs/statistics.md; one core, some minutes.

    python benchmarks/calibration_alternatives.py [--studies N] [--seed N]
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, stdtrit
from sides import number

from equipoise.statistics.estimate import Floats
from equipoise.statistics.intervals import rate_interval
from equipoise.statistics.permutation import permute_cells, permute_seeds
from equipoise.statistics.rate_difference import RateDifference, rate_difference
from equipoise.statistics.rates import sampling_floor
from equipoise.statistics.simulation import (
    Effects,
    draw_rates,
    draw_subjects,
    level_of,
)
from equipoise.statistics.two_level import Subjects, difference, mean


@dataclass(frozen=True)
class Setting:
    """One kind of study: seeds, samples, rate of the methods, and SDs on the logit scale."""

    seeds: int
    samples: int
    rate: float
    seed_sd: float
    subject_sd: float
    interaction: bool = True

    def __str__(self) -> str:
        return (
            f"| {self.seeds} | {self.samples} | {100 * self.rate:g} % | {self.seed_sd} | "
            f"{self.subject_sd} |"
        )

    @property
    def effects(self) -> Effects:
        """The interaction of method and subject, if any, is a third of the subjects' SD."""
        return Effects(
            seed_sd=self.seed_sd,
            subject_sd=self.subject_sd,
            interaction_sd=round(self.subject_sd / 3, 6) if self.interaction else 0.0,
        )

    @property
    def spread(self) -> float:
        """SD on the logit scale of everything together."""
        effects = self.effects
        return float(
            np.hypot(np.hypot(effects.seed_sd, effects.subject_sd), effects.interaction_sd)
        )

    @property
    def higher(self) -> float:
        """Rate of a better method: 10 points more, or half way to 1."""
        return min(self.rate + 0.1, (1 + self.rate) / 2)


FEW = [Setting(*v) for v in itertools.product((3, 10), (50,), (0.5, 0.9), (0.1, 0.5), (0.6,))]


def simulate(
    setting: Setting, studies: int, generator: np.random.Generator
) -> tuple[Floats, tuple[float, ...]]:
    """Rates (3, studies, seeds, 20) of two equal methods and a better one, and their truths.

    Returns:
        The rates, and the true rates over all seeds and subjects.
    """
    truths = (setting.rate, setting.rate, setting.higher)
    levels = tuple(level_of(rate, setting.spread) for rate in truths)
    subjects = draw_subjects(3, studies, 20, setting.effects, generator)
    rates = draw_rates(
        levels,
        subjects,
        setting.effects,
        seeds=setting.seeds,
        samples=setting.samples,
        generator=generator,
    )
    return rates, truths


def hits(rates: Floats, setting: Setting) -> tuple[Floats, int]:
    """Hits and completions of each study."""
    n = setting.samples * rates.shape[-2] * rates.shape[-1]
    return np.rint(rates.sum(axis=(-2, -1)) * setting.samples), n


def covered(ends: tuple[Floats, Floats], truth: Floats | float) -> float:
    """Share of intervals with the truth in them, in percent."""
    return float(100 * ((ends[0] <= truth) & (truth <= ends[1])).mean())


def _difference(a: Floats, b: Floats, setting: Setting, subjects: Subjects) -> RateDifference:
    floor = sampling_floor(hits(a, setting), hits(b, setting))
    n = setting.samples * a.shape[-1]
    return rate_difference(a, b, n, n, paired=True, subjects=subjects, sampling=floor)


def alternatives(setting: Setting, studies: int, generator: np.random.Generator) -> list[float]:
    """Other intervals of a rate: coverage in percent for new seeds and subjects."""
    rates, truths = simulate(setting, studies, generator)
    found = mean(rates[0])
    value, variances, df = found.value, found.variances, found.df
    total = variances.sum(axis=-1)
    satterthwaite = total**2 / np.maximum((variances**2 / df).sum(axis=-1), 1e-300)
    half_s = -stdtrit(np.maximum(satterthwaite, 1), 0.025) * np.sqrt(total)
    half_b = np.sqrt((stdtrit(df, 0.025) ** 2 * variances).sum(axis=-1))
    _, n = hits(rates[0], setting)
    binomial = 1.959964 * np.sqrt(value * (1 - value) / n)
    symmetric = [(value - h, value + h) for h in (binomial, half_s, half_b, found.half_width())]
    wilson = rate_interval(found, np.full(studies, n))
    return [covered(pair, truths[0]) for pair in (*symmetric, wilson)]


def false_alarms(setting: Setting, studies: int, generator: np.random.Generator) -> list[float]:
    """How often tests at 5 % tell methods apart that are equal on each subject, in percent."""
    setting = replace(setting, interaction=False)
    rates, _ = simulate(setting, studies, generator)
    a, b = rates[:2]
    (k_a, n), (k_b, _) = hits(a, setting), hits(b, setting)
    pooled = (k_a + k_b) / (2 * n)
    z = (k_a - k_b) / n / np.sqrt(np.maximum(pooled * (1 - pooled) * 2 / n, 1e-300))
    tests = [
        2 * ndtr(-np.abs(z)),
        np.array([permute_cells(x, y, paired=True) for x, y in zip(a, b, strict=True)]),
        np.array([permute_seeds(x, y, paired=True) for x, y in zip(a, b, strict=True)]),
        difference(a, b, paired=True).p_value(),
        _difference(a, b, setting, "fixed").p_value(),
        _difference(a, b, setting, "sampled").p_value(),
    ]
    return [float(100 * (p < 0.05).mean()) for p in tests]


HEAD = "| seeds | samples | rate | seed SD | subject SD |"


def main() -> None:
    """Print the tables."""
    started = time.perf_counter()
    studies, seed = number("--studies", 1000), number("--seed", 0)
    error = 100 * float(np.sqrt(0.05 * 0.95 / studies))
    print(f"Seed {seed}; {studies:,} studies a row, Monte-Carlo error {error:.2f} points.\n")
    print(f"{HEAD} binomial | Satterthwaite | Banerjee | mixture | mixture, Wilson |")
    print("|---" * 10 + "|")
    for i, setting in enumerate(FEW):
        _print(setting, alternatives, studies, [seed, 100 + i])
    print(f"\n{HEAD} two rates | cells | seeds | symmetric | fixed | sampled |")
    print("|---" * 11 + "|")
    for i, setting in enumerate(FEW):
        _print(setting, false_alarms, studies, [seed, 200 + i])
    print(f"\n{time.perf_counter() - started:.0f} s")


def _print(
    setting: Setting,
    row: Callable[[Setting, int, np.random.Generator], list[float]],
    studies: int,
    seed: list[int],
) -> list[float]:
    """Print and return one row of a table."""
    found = row(setting, studies, np.random.default_rng(seed))
    print(f"{setting} " + " | ".join(f"{value:.1f}" for value in found) + " |", flush=True)
    return found


if __name__ == "__main__":
    main()
