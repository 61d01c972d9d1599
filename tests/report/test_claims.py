from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wilcoxon

from equipoise.report.claims import caveats, claim
from equipoise.runs.finished_run import ALPHA
from report.made_runs import comparisons


def row(**changes: Any) -> dict[str, Any]:
    return {str(k): v for k, v in comparisons(changes).to_dict("records")[0].items()}


def test_a_difference_that_is_shown() -> None:
    found = claim(row())
    assert found.finding == "differs"
    assert (found.higher, found.lower, found.difference) == ("sft", "prompt", 0.9)
    assert found.text == (
        "sft (90.0 %) is significantly higher than prompt (0.0 %) "
        "(difference +90.0 points; 95 % interval 80.0 to 95.0; p = 0.001, Holm-corrected)."
    )


def test_the_same_row_written_the_other_way_round_says_the_same() -> None:
    turned = row(method_a="sft", method_b="prompt", mean_a=0.9, mean_b=0.0, difference=0.9,
                 low=0.8, high=0.95)  # fmt: skip
    assert claim(turned) == claim(row())


def test_an_uncorrected_p_value_carries_nothing() -> None:
    found = claim(row(p=0.02, p_holm=0.06))
    assert found.finding == "not shown"
    assert "are not shown to differ" in found.text


def test_equivalence_is_said_where_it_was_shown_only() -> None:
    close = row(mean_a=0.95, mean_b=0.96, difference=-0.01, p_holm=0.6, p_equivalent_holm=0.009)
    assert claim(close).finding == "equivalent"
    for p in (0.2, 0.011):  # below alpha / 5 it takes
        assert claim({**close, "p_equivalent_holm": p}).finding == "not shown"
    assert claim({**close, "p_equivalent_holm": math.nan}).finding == "not shown"
    both = claim({**close, "p_holm": 0.01})
    assert both.finding == "differs"
    assert "but by less than the margin" in both.text


def test_what_could_not_be_tested_is_no_finding() -> None:
    found = claim(row(p_holm=math.nan, low=math.nan, high=math.nan))
    assert found.finding == "not tested"
    assert "p " not in found.text
    assert "interval" not in found.text


def test_scores_are_told_in_their_unit_not_in_points() -> None:
    fluency = row(outcome="log_probability_base", mean_a=-2.5, mean_b=-2.0, difference=-0.5,
                  low=-0.75, high=-0.25, p_equivalent_holm=math.nan)  # fmt: skip
    assert claim(fluency).text == (
        "sft (−2.000) is significantly higher than prompt (−2.500) "
        "(difference +0.500 nats; 95 % interval 0.250 to 0.750; p = 0.001, Holm-corrected)."
    )
    agency = claim({**fluency, "outcome": "agency", "mean_a": 0.25, "mean_b": 0.75, "p_holm": 0.2})
    assert agency.text.startswith("sft (0.750) and prompt (0.250) are not shown to differ")
    assert "(difference +0.500; 95 %" in agency.text
    ends = claim({**fluency, "low": math.nan, "high": math.nan, "p_holm": math.nan})
    assert ends.text.endswith("could not be tested against each other (difference +0.500 nats).")


def test_the_level_is_the_runs() -> None:
    strict = claim(row(p_holm=0.02), alpha=0.01)
    assert strict.finding == "not shown"
    assert "99 % interval 80.0 to 95.0" in strict.text
    assert claim(row(p_holm=0.02, p_equivalent_holm=0.019), alpha=0.1).text.count("margin") == 1


def test_one_seed_is_about_one_model() -> None:
    assert claim(row(seeds_b=1)).text.endswith("one trained model each, not about the methods.")


@given(p=st.floats(0, 1), equivalent=st.floats(0, 1), difference=st.floats(-1, 1))
def test_significance_is_claimed_exactly_where_a_row_carries_it(
    p: float, equivalent: float, difference: float
) -> None:
    found = claim(row(p_holm=p, p_equivalent_holm=equivalent, difference=difference))
    assert ("significant" in found.text) == (p < ALPHA)
    assert found.difference >= 0


class TestCaveats:
    """What a number of seeds cannot say."""

    def test_one_seed(self) -> None:
        [told] = caveats(1)
        assert "nothing can be concluded about methods" in told

    def test_three_seeds(self) -> None:
        spread, smallest = caveats(3)
        # chi-squared, 2 degrees of freedom: quantiles 7.378 and 0.0506; sqrt(2 / 7.378) = 0.52,
        # sqrt(2 / 0.0506) = 6.3
        assert "0.52 to 6.3 times as large" in spread
        assert "3 pairs of seeds cannot give a p-value below 0.25" in smallest

    def test_the_smallest_p_value_is_that_of_flipped_signs(self) -> None:
        for n in (3, 5):
            exact = wilcoxon(np.arange(1, n + 1), method="exact").pvalue
            assert f"below {exact:.2g}." in caveats(n)[1]

    @pytest.mark.parametrize("n", [2, 10, 30])
    def test_others(self, n: int) -> None:
        assert len(caveats(n)) == (2 if n < 8 else 1)
