"""Do the intervals of stereotype's slope hold? Values with a known slope are simulated.

Each occupation's value is its share of women times the true slope, plus what the occupation adds,
plus a slope and noise of each seed's own. How often the nominal 95 % interval holds the truth, for
the shares of women that the occupations task has (drawn with replacement where more are needed).
Prints the table of docs/measures.md.

    python benchmarks/calibration_slopes.py [--studies N] [--seed N]
"""

from __future__ import annotations

import itertools
import time

import numpy as np
from sides import number

from equipoise.statistics.slopes import Array, ends, slope_estimate
from equipoise.task.task_file import load_task

TRUE = 0.01
"""The slope per percentage point: 1 nat per 100 points."""

SCATTER = (
    (0.36, 0.0, 0.0),  # the untuned model
    (0.27, 0.09, 0.11),  # SFT
    (0.26, 0.15, 0.12),  # LEACE
    (0.03, 0.015, 0.015),  # SFT beside counterfactual contexts
    (0.3, 0.5, 0.1),  # seeds that differ far more than any of these
)
"""SDs in nats: of occupations, of seeds' slopes per 100 points, of a seed's single values; as they
were measured in the study ``full``, and what is worse."""

SHARES = np.array(list(load_task("occupations").shares.values()))
"""Percent of women in each of the task's occupations."""


def draw(
    n: int, seeds: int, sds: tuple[float, float, float], grows: bool, generator: np.random.Generator
) -> tuple[Array, Array]:
    """Shares [N] and values [S, N]; where it ``grows``, occupations scatter more with the share."""
    x = generator.choice(SHARES, n, replace=n > len(SHARES))
    of_occupations, of_slopes, noise = sds
    scale = of_occupations * (0.5 + x / 100 if grows else 1.0)
    own = generator.normal(size=(seeds, 1)) * of_slopes / 100 * (x - x.mean())
    values: Array = TRUE * x + generator.normal(size=n) * scale + own
    return x, values + generator.normal(size=(seeds, n)) * noise


def main() -> None:
    """Print the table."""
    started = time.perf_counter()
    studies, seed = number("--studies", 2000), number("--seed", 0)
    error = 100 * float(np.sqrt(0.05 * 0.95 / studies))
    print(f"Seed {seed}; {studies:,} studies a row, Monte-Carlo error {error:.2f} points.\n")
    print("| occupations | seeds | SD of occupations | of slopes | of values | even | growing |")
    print("|---" * 7 + "|")
    shape = itertools.product((5, 10, 20, 50), (1, 3, 10), SCATTER)
    for i, (n, seeds, sds) in enumerate(shape):
        if seeds == 1 and sds[1] > 0:
            continue  # the interval of one seed is not about others
        cells = []
        for grows in (False, True):
            generator = np.random.default_rng([seed, i, int(grows)])
            found = [
                ends(slope_estimate(*draw(n, seeds, sds, grows, generator))) for _ in range(studies)
            ]
            low, high = np.array(found).T
            cells.append(f"{100 * ((low <= TRUE) & (high >= TRUE)).mean():.1f}")
        row = [str(n), str(seeds), *map(str, sds), *cells]
        print("| " + " | ".join(row) + " |", flush=True)
    print(f"\n{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
