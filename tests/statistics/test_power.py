"""Power: against the noncentral t where it is known, and as a level where nothing differs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.special import expit

from equipoise.errors import EquipoiseError
from equipoise.settings import parse
from equipoise.statistics.power import PowerSettings, enough, power_table
from equipoise.statistics.simulation import level_of, marginal_rate


def test_power_equals_the_noncentral_t_where_only_seeds_vary() -> None:
    # Fixed subjects without effects and very many samples: seed means are expit(level + seed
    # effect), nearly normal at a small SD; paired differences with SD sqrt(2) 0.1 x 0.25.
    settings = PowerSettings(
        baseline=0.475, difference=0.05, seeds=(4,), samples=(20_000,), subjects=2,
        seed_sd=0.1, subject_sd=0, interaction_sd=0, about="fixed", studies=4000,
    )  # fmt: skip
    sd = math.sqrt(2 * (0.1 * 0.25) ** 2 + 2 * 0.25 / 40_000)
    shift = 0.05 / (sd / 2)
    critical = stats.t.ppf(0.975, 3)
    expected = stats.nct.sf(critical, 3, shift) + stats.nct.cdf(-critical, 3, shift)
    [found] = power_table(settings)["power"]
    assert found == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / 4000))


def test_no_difference_is_found_as_often_as_alpha() -> None:
    settings = PowerSettings(difference=0, seeds=(3, 10), samples=(50,), studies=2000)
    assert (power_table(settings)["power"] < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 2000)).all()


def test_more_seeds_show_more_and_sizes_do_not_depend_on_each_other() -> None:
    table = power_table(PowerSettings(seeds=(3, 10), samples=(5, 100), studies=500))
    assert table["completions"].tolist() == [300, 6000, 1000, 20_000]
    power = table["power"].to_numpy().reshape(2, 2)
    assert (np.diff(power, axis=0) > 0).all()
    assert (np.diff(power, axis=1) > 0).all()
    [alone] = power_table(PowerSettings(seeds=(10,), samples=(100,), studies=500))["power"]
    assert alone == power[1, 1]
    first = enough(table, power[1, 0])
    assert first["completions"].is_monotonic_increasing
    assert (first["power"] >= power[1, 0]).all()
    assert enough(table, 1.1).empty


@pytest.mark.parametrize(("level", "sd"), [(0.0, 1.0), (2.2, 0.6), (-4.0, 1.2), (1.0, 0.0)])
def test_marginal_rate_is_the_integral(level: float, sd: float) -> None:
    expected = quad(lambda x: expit(level + sd * x) * stats.norm.pdf(x), -12, 12)[0]
    assert float(marginal_rate(level, sd)) == pytest.approx(expected, abs=1e-6)
    assert level_of(expected, sd) == pytest.approx(level, abs=1e-4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"baseline": 0.95, "difference": 0.1}, "baseline \\+ difference is 1.05, not between 0"),
        ({"baseline": 0.0}, "baseline: input should be greater than 0"),
        ({"seeds": [1]}, "seeds must be from 2 to 1000"),
        ({"samples": [0]}, "samples must be from 1 to"),
        ({"studies": 100_000, "seeds": [500]}, "above 20 million"),
        ({"seed_sd": -1}, "seed_sd: input should be greater than or equal to 0"),
    ],
)
def test_impossible_settings(settings: dict[str, object], message: str) -> None:
    with pytest.raises(EquipoiseError, match=message):
        parse(PowerSettings, settings)
