"""Two levels of chance: by hand, against plain t-tests and ANOVA, and as theorems."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from equipoise.statistics.two_level import difference, gap, mean


def test_components_by_hand() -> None:
    # seeds (rows) have means 0.3, 0.5: variance 0.02, over 2 seeds 0.01
    # subjects (columns) have means 0.2, 0.4, 0.6: variance 0.04, over 3: 0.013333
    # residuals: rates - row - column + 0.4 are all 0, as 0.1 0.3 0.5 / 0.3 0.5 0.7 is additive
    found = mean(np.array([[0.1, 0.3, 0.5], [0.3, 0.5, 0.7]]))
    assert float(found.value) == pytest.approx(0.4)
    assert found.variances.tolist() == pytest.approx([0.01, 0.04 / 3])
    assert found.df.tolist() == pytest.approx([1, 2])


def test_residual_is_taken_from_the_subjects_share_by_hand() -> None:
    # rows 0.2 0.6 / 0.4 0.4: row means 0.4, 0.4; columns 0.3, 0.5: variance 0.02
    # residuals -0.1 0.1 / 0.1 -0.1: sum of squares 0.04 on 1 df, over 2 seeds: 0.02
    found = mean(np.array([[0.2, 0.6], [0.4, 0.4]]))
    assert found.variances.tolist() == pytest.approx([0, 0])
    # with one column shifted by 0.4: columns 0.3, 0.9, variance 0.18, less 0.02, over 2: 0.08
    shifted = mean(np.array([[0.2, 1.0], [0.4, 0.8]]))
    assert shifted.variances.tolist() == pytest.approx([0, 0.08])


def test_fixed_subjects_are_the_t_test_of_the_seeds_means() -> None:
    rates = np.random.default_rng(0).uniform(size=(5, 7))
    found = mean(rates, "fixed")
    expected = stats.ttest_1samp(rates.mean(axis=1), 0.5)
    assert float(found.p_value(0.5)) == pytest.approx(expected.pvalue)


def test_paired_difference_with_fixed_subjects_is_the_paired_t_test() -> None:
    generator = np.random.default_rng(1)
    a, b = generator.uniform(size=(2, 4, 6))
    found = difference(a, b, paired=True, subjects="fixed")
    expected = stats.ttest_rel(a.mean(axis=1), b.mean(axis=1))
    assert float(found.p_value()) == pytest.approx(expected.pvalue)


def test_unpaired_difference_with_fixed_subjects_is_welchs_test() -> None:
    generator = np.random.default_rng(2)
    a, b = generator.uniform(size=(3, 6)), generator.uniform(size=(8, 6))
    found = difference(a, b, paired=False, subjects="fixed")
    expected = stats.ttest_ind(a.mean(axis=1), b.mean(axis=1), equal_var=False)
    assert float(found.p_value()) == pytest.approx(expected.pvalue)
    sides = DescrStatsW(a.mean(axis=1)), DescrStatsW(b.mean(axis=1))
    ends = CompareMeans(*sides).tconfint_diff(usevar="unequal")
    assert [float(end) for end in found.interval()] == pytest.approx(list(ends))


def test_one_seed_is_the_paired_t_test_over_subjects() -> None:
    generator = np.random.default_rng(3)
    a, b = generator.normal(size=(2, 1, 9))
    found = difference(a, b, paired=True)
    expected = stats.ttest_rel(a[0], b[0])
    assert found.df.tolist() == [8]
    assert float(found.p_value()) == pytest.approx(expected.pvalue)


def test_one_subject_leaves_the_seeds_and_one_cell_nothing() -> None:
    rates = np.array([[0.2], [0.4], [0.9]])
    assert mean(rates).df.tolist() == [2]
    assert mean(rates[:1]).variances.shape == (0,)
    assert mean(rates[:1], "fixed").variances.shape == (0,)


def test_gap_by_hand() -> None:
    rates = np.array([[0.9, 0.7, 0.5, 0.1], [0.8, 0.8, 0.4, 0.4]])
    trained = np.array([True, True, False, False])
    fixed = gap(rates, trained, "fixed")
    # gaps of the seeds: 0.8 - 0.3 = 0.5 and 0.8 - 0.4 = 0.4; variance 0.005, over 2 seeds 0.0025
    assert float(fixed.value) == pytest.approx(0.45)
    assert fixed.variances.tolist() == pytest.approx([0.0025])
    # For new subjects. Train columns 0.85, 0.75: variance 0.005; residuals 0.05: 4 x 0.0025 on
    # 1 df, over 2 seeds: 0.005; others 0.45, 0.25: 0.02 and residuals 0.1: 0.02. So nothing is
    # left on the subjects' level.
    unscaled = gap(rates, trained, proportions=False)
    assert unscaled.variances.tolist() == pytest.approx([0.0025])
    assert unscaled.df.tolist() == pytest.approx([1])
    # The seeds' p are 0.55 and 0.6, p (1 - p) 0.2475 and 0.24, on average 0.24375; their gaps are
    # taken as 0.5 x 0.24375 / 0.2475 = 0.492424 and 0.4 x 0.24375 / 0.24 = 0.40625
    assert gap(rates, trained).variances.tolist() == [pytest.approx(0.0861742**2 / 4, rel=1e-5)]


def test_welch_of_all_sources_of_a_gap() -> None:
    rates = np.random.default_rng(8).uniform(size=(3, 9))
    trained = np.arange(9) < 6
    found = gap(rates, trained, proportions=False)
    by_subject = rates.mean(axis=0)
    noise = [
        two_way_residual(rates[:, side]) / 3 for side in (trained, ~trained)
    ]  # residual mean squares over the seeds
    parts = [
        ((rates[:, trained].mean(1) - rates[:, ~trained].mean(1)).var(ddof=1) / 3, 2),
        (max(by_subject[trained].var(ddof=1) - noise[0], 0) / 6, 5),
        (max(by_subject[~trained].var(ddof=1) - noise[1], 0) / 3, 2),
    ]
    total = sum(v for v, _ in parts)
    assert found.variances[0] == pytest.approx(total)
    assert found.df[0] == pytest.approx(total**2 / sum(v**2 / df for v, df in parts))


def two_way_residual(rates: np.ndarray) -> float:
    """The slow way."""
    seeds, subjects = rates.shape
    total = 0.0
    for s in range(seeds):
        for o in range(subjects):
            expected = rates[s].mean() + rates[:, o].mean() - rates.mean()
            total += (rates[s, o] - expected) ** 2
    return total / (seeds - 1) / (subjects - 1)


def test_seeds_that_move_all_subjects_alike_do_not_widen_a_gap() -> None:
    odds = np.array([0.01, 0.02, 0.04])[:, None]  # of missing, by seed
    rates = 1 - odds * np.array([1.0, 1.0, 1.0, 5.0, 5.0])  # 5 times as hard, in every seed
    trained = np.arange(5) < 3
    assert np.ptp(rates[:, :3].mean(axis=1) - rates[:, 3:].mean(axis=1)) > 0.1
    unscaled, found = gap(rates, trained, proportions=False), gap(rates, trained)
    # 1 - p falls out but for p, which is 0.97, 0.94 and 0.88
    assert found.variances[0] < unscaled.variances[0] / 50


def test_gap_is_the_difference_of_the_means_and_changes_sign_with_the_groups() -> None:
    rates = np.random.default_rng(4).uniform(size=(3, 20))
    trained = np.arange(20) < 15
    there, back = gap(rates, trained), gap(rates, ~trained)
    assert float(there.value) == pytest.approx(rates[:, :15].mean() - rates[:, 15:].mean())
    assert float(back.value) == pytest.approx(-float(there.value))
    assert back.variances == pytest.approx(there.variances)
    assert back.df == pytest.approx(there.df)


def test_variance_is_unbiased_under_crossed_effects() -> None:
    # V = 0.09 / 3 + 0.16 / 5 + 0.04 / 15; the cut at 0 hardly ever acts here
    generator = np.random.default_rng(5)
    shape = (20_000, 3, 5)
    rates = generator.normal(0, 0.3, (shape[0], 3, 1)) + generator.normal(0, 0.4, (shape[0], 1, 5))
    found = mean(rates + generator.normal(0, 0.2, shape))
    expected = 0.09 / 3 + 0.16 / 5 + 0.04 / 15
    assert found.variances.sum(axis=-1).mean() == pytest.approx(expected, rel=0.02)
    assert found.value.var() == pytest.approx(expected, rel=0.03)


def test_skewed_subjects_have_fewer_degrees_of_freedom() -> None:
    even = np.linspace(0, 1, 20)[None, :].repeat(2, axis=0)
    skewed = np.r_[np.zeros(19), 1.0][None, :].repeat(2, axis=0)
    assert mean(even).df[-1] == 19
    # 19 zeros and a one: p = 1/20, squared skewness (1 - 2p)² / (p (1 - p)) = 0.81 / 0.0475
    # = 17.0526; 19 / (1 + 17.0526 - 12/20) = 1.0887
    assert mean(skewed).df[-1] == pytest.approx(1.0887, abs=1e-4)


def test_leading_axes_are_separate_data_sets_and_seeds_can_be_in_any_order() -> None:
    rates = np.random.default_rng(6).uniform(size=(4, 3, 7))
    many = mean(rates)
    for i in range(4):
        one = mean(rates[i][[2, 0, 1]][:, ::-1])
        assert float(one.se) == pytest.approx(float(many.se[i]))
        assert float(one.half_width()) == pytest.approx(float(many.half_width()[i]))
