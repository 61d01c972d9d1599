"""Do the intervals and tests hold? Studies with known truth are simulated and analysed.

For each of 48 settings, thousands of studies of two methods on 15 train and 5 validation subjects:
how often the nominal 95 % intervals hold the truth, how often the test at 5 % finds a difference
that is not there, and how often a difference of just the margin is called equivalence (below 2.5 %,
as verdicts have it).
Seeds and subjects differ as much as they do in this project's own studies; then twice as much, and
as for the least stable method. Then what else was tried. Goals: coverage 93-97 %, false alarms at
most 6 %. Prints the tables of docs/statistics.md; one core, some minutes.

    python benchmarks/calibration.py [--studies N] [--seed N]
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, stdtrit
from sides import number

from equipoise.statistics.estimate import Estimate, Floats
from equipoise.statistics.intervals import rate_interval
from equipoise.statistics.permutation import permute_cells, permute_seeds
from equipoise.statistics.rates import sampling_floor
from equipoise.statistics.simulation import (
    Effects,
    draw_rates,
    draw_subjects,
    level_of,
    marginal_rate,
)
from equipoise.statistics.two_level import Subjects, difference, gap, mean

TRAINED = np.arange(20) < 15
TWICE: tuple[Subjects, Subjects] = ("sampled", "fixed")


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


SETTINGS = [
    Setting(*values)
    for values in itertools.product((3, 10), (50, 250), (0.5, 0.9, 0.99), (0.1, 0.5), (0.3, 0.6))
]
"""What was measured: SDs of 0 to 0.5 logit over seeds, of 0 to 0.6 over subjects."""

STRESS = [
    *(Setting(*v) for v in itertools.product((3, 10), (50,), (0.5, 0.9, 0.99), (0.5,), (1.0,))),
    *(Setting(seeds, 50, 0.05, 1.5, 1.2) for seeds in (3, 10)),
]
"""Subjects twice as unequal, and DPO without a term for likelihood, as docs/dpo.md has it."""

FEW = [Setting(*v) for v in itertools.product((3, 10), (50,), (0.5, 0.9), (0.1, 0.5), (0.6,))]


def simulate(
    setting: Setting, studies: int, generator: np.random.Generator
) -> tuple[Floats, Floats, tuple[float, ...]]:
    """Rates (3, studies, seeds, 20) of two equal methods and a better one, and their truths.

    Returns:
        The rates; the true rates of these subjects over all seeds, shape (3, studies, 20); and the
        true rates over all seeds and subjects.
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
    fixed = marginal_rate(np.array(levels)[:, None, None] + subjects, setting.seed_sd)
    return rates, fixed, truths


def hits(rates: Floats, setting: Setting) -> tuple[Floats, int]:
    """Hits and completions of each study."""
    n = setting.samples * rates.shape[-2] * rates.shape[-1]
    return np.rint(rates.sum(axis=(-2, -1)) * setting.samples), n


def covered(ends: tuple[Floats, Floats], truth: Floats | float) -> float:
    """Share of intervals with the truth in them, in percent."""
    return float(100 * ((ends[0] <= truth) & (truth <= ends[1])).mean())


def coverages(setting: Setting, studies: int, generator: np.random.Generator) -> list[float]:
    """A row of the main table, in percent, for each estimand."""
    rates, fixed, truths = simulate(setting, studies, generator)
    same, other, better = rates
    row = []
    for subjects in TWICE:
        new = subjects == "sampled"
        of_rate = truths[0] if new else fixed[0].mean(axis=-1)
        of_gap = 0.0 if new else fixed[0][:, TRAINED].mean(-1) - fixed[0][:, ~TRAINED].mean(-1)
        of_difference = truths[2] - truths[0] if new else (fixed[2] - fixed[0]).mean(axis=-1)
        of_none = 0.0 if new else (fixed[1] - fixed[0]).mean(axis=-1)
        single = hits(same, setting)
        found = mean(same, subjects, sampling_floor(single))
        row.append(covered(rate_interval(found, np.full(studies, single[1])), of_rate))
        row.append(covered(_difference(better, same, setting, subjects).interval(), of_difference))
        parts = [hits(same[..., side], setting) for side in (TRAINED, ~TRAINED)]
        row.append(covered(gap(same, TRAINED, subjects, sampling_floor(*parts)).interval(), of_gap))
        nothing = _difference(other, same, setting, subjects).interval()
        row.append(100 - covered(nothing, of_none))
        larger = _difference(better, same, setting, subjects)
        row.append(float(100 * (larger.p_equivalent(of_difference) < 0.025).mean()))
    return row


def _difference(a: Floats, b: Floats, setting: Setting, subjects: Subjects) -> Estimate:
    floor = sampling_floor(hits(a, setting), hits(b, setting))
    return difference(a, b, paired=True, subjects=subjects, sampling=floor)


def alternatives(setting: Setting, studies: int, generator: np.random.Generator) -> list[float]:
    """Other intervals of a rate: coverage in percent for new seeds and subjects."""
    rates, _, truths = simulate(setting, studies, generator)
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
    rates, _, _ = simulate(setting, studies, generator)
    a, b = rates[:2]
    (k_a, n), (k_b, _) = hits(a, setting), hits(b, setting)
    pooled = (k_a + k_b) / (2 * n)
    z = (k_a - k_b) / n / np.sqrt(np.maximum(pooled * (1 - pooled) * 2 / n, 1e-300))
    tests = [
        2 * ndtr(-np.abs(z)),
        np.array([permute_cells(x, y, paired=True) for x, y in zip(a, b, strict=True)]),
        np.array([permute_seeds(x, y, paired=True) for x, y in zip(a, b, strict=True)]),
        _difference(a, b, setting, "fixed").p_value(),
        _difference(a, b, setting, "sampled").p_value(),
    ]
    return [float(100 * (p < 0.05).mean()) for p in tests]


HEAD = "| seeds | samples | rate | seed SD | subject SD |"


def main() -> None:
    """Print the tables."""
    started = time.perf_counter()
    studies, seed = number("--studies", 4000), number("--seed", 0)
    few = max(studies // 4, 1)
    error, larger = (100 * float(np.sqrt(0.05 * 0.95 / n)) for n in (studies, few))
    print(f"Seed {seed}; {studies:,} studies a row, Monte-Carlo error {error:.2f} points.\n")
    _summarise(_coverage_table(SETTINGS, studies, seed, 0))
    print("\nWhat is further apart than anything stable:\n")
    _coverage_table(STRESS, studies, seed, 1000)
    print(f"\nBelow: {few:,} studies a row, error {larger:.2f} points.\n")
    print(f"{HEAD} binomial | Satterthwaite | Banerjee | mixture | mixture, Wilson |")
    print("|---" * 10 + "|")
    for i, setting in enumerate(FEW):
        _print(setting, alternatives, few, [seed, 100 + i])
    print(f"\nAgain {studies:,} studies a row.\n")
    print(f"{HEAD} two rates | cells | seeds | fixed | sampled |")
    print("|---" * 10 + "|")
    for i, setting in enumerate(FEW):
        _print(setting, false_alarms, studies, [seed, 200 + i])
    print(f"\n{time.perf_counter() - started:.0f} s")


def _coverage_table(settings: list[Setting], studies: int, seed: int, offset: int) -> Floats:
    """Print and return a table of ``coverages``."""
    names = "rate | difference | gap | false alarms | falsely equivalent |"
    print(HEAD + "".join(f" {which}: {names}" for which in TWICE))
    print("|---" * 15 + "|")
    rows = [_print(s, coverages, studies, [seed, offset + i]) for i, s in enumerate(settings)]
    return np.array(rows)


def _summarise(table: Floats) -> None:
    """Print how many entries of a table are as they should be."""
    for at, name in ((0, "sampled"), (5, "fixed")):
        part, alarms, equivalent = table[:, at : at + 3], table[:, at + 3], table[:, at + 4]
        inside = ((part >= 93) & (part <= 97)).sum()
        coverage = f"coverage {part.min():.1f}-{part.max():.1f} %, mean {part.mean():.1f} %"
        wrong = f"false alarms {alarms.min():.1f}-{alarms.max():.1f} %"
        wrong += f", falsely equivalent {equivalent.min():.1f}-{equivalent.max():.1f} %"
        print(f"\n{name}: {coverage}, {inside} of {part.size} in 93-97; {wrong}")


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
