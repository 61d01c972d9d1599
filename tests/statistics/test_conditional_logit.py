"""Conditional logistic regression: statsmodels' estimate, and defined results under separation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.discrete.conditional_models import ConditionalLogit
from statsmodels.stats.contingency_tables import StratifiedTable

from equipoise.statistics.conditional_logit import conditional_logit
from equipoise.statistics.simulation import Effects, draw_rates, draw_subjects

Z = stats.norm.ppf(0.975)


def rows(hits: np.ndarray, n: np.ndarray, x: int) -> list[tuple[int, int, int]]:
    """(outcome, method, subject) of each completion."""
    return [
        (int(i < hits[s, o]), x, o)
        for s in range(hits.shape[0])
        for o in range(hits.shape[1])
        for i in range(n[s, o])
    ]


@pytest.mark.parametrize("seed", range(5))
def test_one_seed_equals_statsmodels(seed: int) -> None:
    generator = np.random.default_rng(seed)
    n_a, n_b = generator.integers(3, 12, size=(2, 1, 5))
    a, b = generator.binomial(n_a, 0.6), generator.binomial(n_b, 0.4)
    y, x, groups = np.array(rows(a, n_a, 1) + rows(b, n_b, 0)).T
    model = ConditionalLogit(y, x[:, None].astype(float), groups=groups)
    found = conditional_logit(a, n_a, b, n_b, paired=True)
    log_odds = math.log(found.value)
    # The likelihood's slope is 0 there; its optimiser stops a little earlier.
    assert model.score(np.array([log_odds])) == pytest.approx(0, abs=1e-8)
    fit = model.fit(disp=0)
    assert log_odds == pytest.approx(fit.params[0], abs=1e-3)
    half = Z * fit.bse[0]
    ends = (math.log(found.low), math.log(found.high))
    assert ends == pytest.approx((log_odds - half, log_odds + half), rel=1e-3)


def test_score_test_is_cochran_mantel_haenszel() -> None:
    a, n_a = np.array([[7, 3, 9]]), np.array([[10, 12, 15]])
    b, n_b = np.array([[3, 2, 8]]), np.array([[11, 9, 20]])
    tables = [[[a[0, i], n_a[0, i] - a[0, i]], [b[0, i], n_b[0, i] - b[0, i]]] for i in range(3)]
    expected = StratifiedTable(np.array(tables).transpose(1, 2, 0)).test_null_odds(correction=False)
    found = conditional_logit(a, n_a, b, n_b, paired=True)
    assert found.p == pytest.approx(expected.pvalue)


def test_swapping_the_methods_inverts_the_odds_ratio() -> None:
    generator = np.random.default_rng(7)
    n = np.full((3, 6), 20)
    a, b = generator.binomial(n, 0.7), generator.binomial(n, 0.5)
    there, back = (
        conditional_logit(a, n, b, n, paired=True),
        conditional_logit(b, n, a, n, paired=True),
    )
    assert there.value == pytest.approx(1 / back.value)
    assert there.low == pytest.approx(1 / back.high)
    assert there.p == pytest.approx(back.p)


@pytest.mark.parametrize(
    ("a", "b", "value"), [(10, 0, math.inf), (0, 10, 0.0), (10, 4, math.inf), (0, 4, 0.0)]
)
def test_separation_is_a_defined_result(a: int, b: int, value: float) -> None:
    n = np.full((3, 4), 10)
    found = conditional_logit(np.full((3, 4), a), n, np.full((3, 4), b), n, paired=True)
    assert found.value == value
    assert found.p < 1e-6
    known, unknown = (found.high, found.low) if value else (found.low, found.high)
    assert known == value
    assert math.isnan(unknown)


@pytest.mark.parametrize("rate", [0, 1])
def test_no_variation_tells_nothing(rate: int) -> None:
    n = np.full((3, 4), 10)
    found = conditional_logit(n * rate, n, n * rate, n, paired=True)
    assert math.isnan(found.value)
    assert found.p == 1
    # subjects without variation of their own are in no sum
    a, b = n * rate, n * rate
    a[:, 0], b[:, 0] = 6, 4
    alone = conditional_logit(a[:, :1], n[:, :1], b[:, :1], n[:, :1], paired=True)
    assert conditional_logit(a, n, b, n, paired=True).value == pytest.approx(alone.value)


def test_thousands_of_completions_do_not_overflow() -> None:
    n = np.full((3, 2), 20_000)
    found = conditional_logit(n // 2, n, n // 2 - 300, n, paired=True)
    rates = 0.5, 0.485
    odds = rates[0] / (1 - rates[0]) / (rates[1] / (1 - rates[1]))
    assert found.value == pytest.approx(odds, rel=1e-3)


def test_seeds_make_it_a_test_of_methods() -> None:
    generator = np.random.default_rng(8)
    effects = Effects(seed_sd=0.5, subject_sd=0.6, interaction_sd=0)
    subjects = draw_subjects(2, 200, 10, effects, generator)
    rates = draw_rates((0.0, 0.0), subjects, effects, seeds=5, samples=40, generator=generator)
    n = np.full((5, 10), 40)
    counts = np.rint(rates * 40).astype(int)
    for paired in (True, False):
        pairs = zip(*counts, strict=True)
        p = np.array([conditional_logit(a, n, b, n, paired=paired).p for a, b in pairs])
        assert (p < 0.05).mean() < 0.1  # 5 % and three standard errors
