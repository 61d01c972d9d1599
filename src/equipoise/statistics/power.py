"""How many seeds and samples show a difference: power, by simulating studies and testing them."""

from __future__ import annotations

import itertools
import math
from typing import Annotated, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from equipoise.progress import tracked
from equipoise.statistics.rate_difference import rate_difference
from equipoise.statistics.rates import sampling_floor
from equipoise.statistics.simulation import Effects, draw_rates, draw_subjects, level_of
from equipoise.statistics.two_level import Subjects


class PowerSettings(Effects):
    """What is to be detected, with what, and how surely."""

    baseline: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Rate of the one method, averaged over seeds and subjects."""
    difference: Annotated[float, Field(gt=-1, lt=1)] = 0.1
    """How much the other method's rate is higher; 0 gives the rate of false alarms."""
    subjects: Annotated[int, Field(ge=2, le=1000)] = 20
    """Subjects, the same for both methods."""
    seeds: Annotated[tuple[int, ...], Field(strict=False, min_length=1)] = (3, 5, 10, 20)
    """Seeds of each method to try; 2 or more."""
    samples: Annotated[tuple[int, ...], Field(strict=False, min_length=1)] = (10, 50, 250)
    """Completions of each subject and seed to try."""
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    """Level of the test."""
    power: Annotated[float, Field(gt=0, lt=1)] = 0.8
    """How often the difference is to be found."""
    about: Subjects = "sampled"
    """Whether the test is about new subjects too (sampled), or these alone (fixed)."""
    studies: Annotated[int, Field(ge=100, le=100_000)] = 1000
    """Simulated studies of each size."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Of the simulation."""

    @model_validator(mode="after")
    def _sizes_are_possible(self) -> Self:
        if not 0 < self.baseline + self.difference < 1:
            total = self.baseline + self.difference
            raise ValueError(f"baseline + difference is {total:g}, not between 0 and 1")
        if min(self.seeds) < 2 or max(self.seeds) > 1000:
            raise ValueError("seeds must be from 2 to 1000")
        if min(self.samples) < 1 or max(self.samples) > 1_000_000:
            raise ValueError("samples must be from 1 to 1,000,000")
        if self.studies * self.subjects * max(self.seeds) > 20_000_000:
            raise ValueError("studies × subjects × seeds is above 20 million; ask for less")
        return self


def power_table(settings: PowerSettings) -> pd.DataFrame:
    """One row per number of seeds and of samples, in the order given.

    Columns: ``seeds``, ``samples``, ``completions`` (of each method), ``power`` (share of simulated
    studies whose test, that of ``comparisons`` for one pair of methods with the same seeds, comes
    out below alpha), ``error`` (Monte-Carlo standard error of ``power``). Both 0-1.
    """
    spread = math.hypot(settings.seed_sd, settings.subject_sd, settings.interaction_sd)
    levels = tuple(
        level_of(rate, spread)
        for rate in (settings.baseline + settings.difference, settings.baseline)
    )
    rows = []
    sizes = list(itertools.product(settings.seeds, settings.samples))
    for seeds, samples in tracked(sizes, "simulated studies", len(sizes)):
        # Each size has random numbers of its own, so that it does not depend on the others.
        generator = np.random.default_rng([settings.seed, seeds, samples])
        power = _power(settings, levels, seeds, samples, generator)
        error = math.sqrt(power * (1 - power) / settings.studies)
        total = seeds * samples * settings.subjects
        rows.append((seeds, samples, total, power, error))
    return pd.DataFrame(rows, columns=["seeds", "samples", "completions", "power", "error"])


def enough(table: pd.DataFrame, target: float) -> pd.DataFrame:
    """The rows of ``power_table`` that reach ``target``, fewest completions first."""
    reached = table[table["power"] >= target]
    return reached.sort_values(["completions", "seeds"], ignore_index=True)


def _power(
    settings: PowerSettings,
    levels: tuple[float, ...],
    seeds: int,
    samples: int,
    generator: np.random.Generator,
) -> float:
    effects = draw_subjects(2, settings.studies, settings.subjects, settings, generator)
    a, b = draw_rates(levels, effects, settings, seeds=seeds, samples=samples, generator=generator)
    n = samples * seeds * settings.subjects
    hits = [np.rint(rates.sum(axis=(-2, -1)) * samples) for rates in (a, b)]
    floor = sampling_floor(*((h, n) for h in hits))
    by_seed = samples * settings.subjects
    found = rate_difference(
        a, b, by_seed, by_seed, paired=True, subjects=settings.about, sampling=floor
    )
    return float((found.p_value() < settings.alpha).mean())
