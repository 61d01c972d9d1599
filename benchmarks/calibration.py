"""Do the intervals and tests hold? Studies with known truth are simulated and analysed.

For each setting, thousands of studies of two methods: how often the nominal 95 % intervals hold the
truth (of one rate, of a difference, of a gap), how often the test at 5 % finds a difference that is
not there, and how often a difference of just the default margin is called equivalence. Methods
differ in how far their seeds move them, too. Part of the grid is *held out*: what is reported was
chosen on the other part. Goals: coverage 93-97 %, false alarms at most 6 %, false equivalence at
most 2.5 %.

Writes a row for each setting, from which docs/statistics.md takes its tables; one core, some
fifteen minutes.

    python benchmarks/calibration.py [--studies N] [--seed N] [--out results/calibration.csv]
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from sides import number, text

from equipoise.statistics.estimate import Floats
from equipoise.statistics.intervals import rate_interval
from equipoise.statistics.rate_difference import RateDifference, rate_difference
from equipoise.statistics.rates import sampling_floor
from equipoise.statistics.simulation import (
    Effects,
    draw_rates,
    draw_subjects,
    level_of,
    marginal_rate,
)
from equipoise.statistics.statistics_settings import StatisticsSettings
from equipoise.statistics.two_level import Subjects, difference, gap, mean

MARGIN = StatisticsSettings().margin
EQUIVALENT = StatisticsSettings().alpha / 5
"""The level at which verdicts claim equivalence; see ``conclusion.shows_equivalence``."""

Row = dict[str, Any]
"""What was found of a setting, in percent."""

TWICE: tuple[Subjects, Subjects] = ("sampled", "fixed")


@dataclass(frozen=True)
class Setting:
    """One kind of study; SDs are on the logit scale, those of scores in their unit."""

    part: Literal["tuned", "held out"]
    kind: Literal["rate", "score"]
    seeds: int
    samples: int
    subjects: int
    rate: float
    seed_sd_a: float
    seed_sd_b: float
    subject_sd: float

    @property
    def higher(self) -> float:
        """Rate of a better method: 10 points more, or half way to 1."""
        return min(self.rate + 0.1, (1 + self.rate) / 2)


_A = (0.1, 0.1), (0.5, 0.5), (0.0, 0.5), (0.0, 1.0)
_B = (0.2, 0.2), (0.4, 0.4), (0.0, 0.5), (0.0, 1.0)


def settings() -> Iterator[Setting]:
    """Every setting; SDs are those of this project's own studies (``spread.py``), and larger."""
    tuned = itertools.product(
        ("tuned",), ("rate",), (3, 10), (20, 50), (5, 20), (0.5, 0.9, 0.95, 0.99), _A, (0.3, 0.6)
    )
    held_out = itertools.product(
        ("held out",), ("rate",), (4, 8), (30,), (5, 20), (0.6, 0.85, 0.93, 0.98), _B, (0.45,)
    )
    scores = itertools.product(
        ("held out",), ("score",), (3, 10), (20,), (5, 20), (0.0,), (*_A[1:3], (0.1, 0.1)), (0.6,)
    )
    for *head, (a, b), subject_sd in itertools.chain(tuned, held_out, scores):
        yield Setting(*head, a, b, subject_sd)  # type: ignore[call-arg,arg-type]


def of_rates(setting: Setting, studies: int, generator: np.random.Generator) -> Iterator[Row]:
    """What is found for new subjects and for these, in percent."""
    sides = [
        (setting.rate, setting.seed_sd_a),
        (setting.rate, setting.seed_sd_b),
        (setting.higher, setting.seed_sd_a),
        (setting.rate - MARGIN, setting.seed_sd_b),
    ]
    rates, fixed = _draw(setting, sides, studies, generator)
    a, b, better, worse = rates
    trained = np.arange(setting.subjects) < 0.75 * setting.subjects
    for subjects in TWICE:
        new = subjects == "sampled"

        def truth(one: int, other: int, new: bool = new) -> Floats:
            apart = sides[one][0] - sides[other][0]
            return np.full(studies, apart) if new else (fixed[one] - fixed[other]).mean(-1)

        single = mean(a, subjects, sampling_floor(_hits(a, setting)))
        ends = rate_interval(single, np.full(studies, _hits(a, setting)[1]))
        found = {
            "about": subjects,
            "rate_covered": _covered(ends, setting.rate if new else fixed[0].mean(-1)),
            "difference_covered": _covered(
                _compared(better, b, setting, subjects).interval(), truth(2, 1)
            ),
            "gap_covered": np.nan,
            "false_alarms": 100
            - _covered(_compared(a, b, setting, subjects).interval(), truth(0, 1)),
        }
        if setting.subjects >= 20:
            parts = [_hits(a[..., side], setting) for side in (trained, ~trained)]
            own = 0.0 if new else fixed[0][:, trained].mean(-1) - fixed[0][:, ~trained].mean(-1)
            ends = gap(a, trained, subjects, sampling_floor(*parts)).interval()
            found["gap_covered"] = _covered(ends, own)
        # For these subjects the difference is the margin only on average: what is judged is
        # whether those that exceed it are called equivalent.
        called = _compared(a, worse, setting, subjects).p_equivalent(MARGIN) < EQUIVALENT
        wrong = called & (truth(0, 3) >= MARGIN - 1e-9)
        found["falsely_equivalent"] = float(
            100 * wrong.sum() / (truth(0, 3) >= MARGIN - 1e-9).sum()
        )
        yield found


def of_scores(setting: Setting, studies: int, generator: np.random.Generator) -> Iterator[Row]:
    """Differences of normal scores of SD 1, a method's seeds and subjects moving them."""
    shape = studies, 1, setting.subjects
    shared = generator.normal(0, setting.subject_sd, shape)
    sides = []
    for sd in (setting.seed_sd_a, setting.seed_sd_b):
        own = generator.normal(0, setting.subject_sd / 3, shape)
        seeds = generator.normal(0, sd, (studies, setting.seeds, 1))
        noise = (studies, setting.seeds, setting.subjects)
        texts = generator.normal(0, 1 / np.sqrt(setting.samples), noise)
        sides.append((shared + own + seeds + texts, own.mean(axis=(-2, -1))))
    (a, mean_a), (b, mean_b) = sides
    for subjects in TWICE:
        truth = 0.0 if subjects == "sampled" else mean_a - mean_b
        held = _covered(difference(a, b, paired=True, subjects=subjects).interval(), truth)
        yield {"about": subjects, "difference_covered": held, "false_alarms": 100 - held}


def _draw(
    setting: Setting,
    sides: list[tuple[float, float]],
    studies: int,
    generator: np.random.Generator,
) -> tuple[list[Floats], list[Floats]]:
    """Rates (studies, seeds, subjects) of each side, and its subjects' true rates over seeds."""
    interaction = round(setting.subject_sd / 3, 6)
    common = Effects(seed_sd=0, subject_sd=setting.subject_sd, interaction_sd=interaction)
    moved = draw_subjects(len(sides), studies, setting.subjects, common, generator)
    rates, fixed = [], []
    for (rate, seed_sd), own in zip(sides, moved, strict=True):
        effects = common.model_copy(update={"seed_sd": seed_sd})
        level = level_of(rate, float(np.linalg.norm([seed_sd, setting.subject_sd, interaction])))
        size = {"seeds": setting.seeds, "samples": setting.samples, "generator": generator}
        rates += [*draw_rates((level,), own[None], effects, **size)]  # type: ignore[arg-type]
        fixed.append(marginal_rate(level + own, seed_sd))
    return rates, fixed


def _compared(a: Floats, b: Floats, setting: Setting, subjects: Subjects) -> RateDifference:
    floor = sampling_floor(_hits(a, setting), _hits(b, setting))
    n = setting.samples * setting.subjects
    return rate_difference(a, b, n, n, paired=True, subjects=subjects, sampling=floor)


def _hits(rates: Floats, setting: Setting) -> tuple[Floats, int]:
    """Hits and completions of each study."""
    n = setting.samples * rates.shape[-2] * rates.shape[-1]
    return np.rint(rates.sum(axis=(-2, -1)) * setting.samples), n


def _covered(ends: tuple[Floats, Floats], truth: Floats | float) -> float:
    """Share of intervals with the truth in them, in percent."""
    return float(100 * ((ends[0] <= truth) & (truth <= ends[1])).mean())


def main() -> None:
    """Simulate, say how far it is, and write the table."""
    started = time.perf_counter()
    studies, seed = number("--studies", 2000), number("--seed", 0)
    rows = []
    for i, setting in enumerate(settings()):
        of = of_rates if setting.kind == "rate" else of_scores
        found = of(setting, studies, np.random.default_rng([seed, i]))
        rows += [{**vars(setting), **row, "studies": studies} for row in found]
    out = Path(text("--out", "results/calibration.csv"))
    out.parent.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(rows)
    table.round(2).to_csv(out, index=False)
    error = 100 * float(np.sqrt(0.05 * 0.95 / studies))
    print(f"{len(table)} rows, seed {seed}, Monte-Carlo error {error:.2f} points")
    measured = [
        name for name in table.columns if name.endswith(("covered", "alarms", "equivalent"))
    ]
    print(table.groupby(["part", "kind", "about"])[measured].agg(["min", "max"]).T.to_string())
    print(f"{out}, {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
