"""Slopes over the share of women: by hand, against scipy, and what never may be shared."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import linregress

import equipoise
from equipoise.completions.frame import as_completions
from equipoise.errors import EquipoiseError
from equipoise.measures.association import association_table, items
from equipoise.measures.occupation_shares import read_shares
from equipoise.measures.stereotype import Stereotype, stereotype_table
from equipoise.measures.stereotype_values import (
    agency_values,
    association_values,
    text_values,
)
from equipoise.model.language_model import LanguageModel
from equipoise.statistics.slopes import ends, p_value, regress, slope_estimate, slopes
from equipoise.task.task import Task
from equipoise.task.task_file import load_task
from gender_axis import GENDER

WINOGENDER = Path(__file__).parents[3] / "shared" / "data" / "winogender" / "occupations-stats.tsv"


def test_slope_by_hand() -> None:
    x, y = np.array([0.0, 50.0, 100.0]), np.array([1.0, 2.0, 6.0])
    # mean 50 and 3; (-50)(-2) + 0 + 50 · 3 = 250; / 5000 = 0.05 a point, 5 per 100 points
    found = regress(y, x)
    assert (found.occupations, found.mean) == (3, 3)
    assert found.slope == pytest.approx(5)
    # r = 250 / sqrt(5000 · (4 + 1 + 9)) = 0.944911
    assert found.r == pytest.approx(250 / math.sqrt(5000 * 14))
    assert found.low <= found.slope <= found.high


@given(
    st.lists(st.tuples(st.integers(0, 100), st.floats(-5, 5)), min_size=3, max_size=30)
    .filter(lambda pairs: len({x for x, _ in pairs}) >= 3)
    .filter(lambda pairs: np.std([y for _, y in pairs]) > 1e-3)
)  # fmt: skip
def test_slope_equals_scipy(pairs: list[tuple[int, float]]) -> None:
    x, y = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    found, peer = regress(y, x), linregress(x, y)
    assert found.slope == pytest.approx(100 * peer.slope, abs=1e-9)
    assert found.r == pytest.approx(peer.rvalue, abs=1e-9)
    assert found.low <= found.slope + 1e-9
    assert found.slope <= found.high + 1e-9


def test_values_on_a_line_have_an_interval_of_no_width() -> None:
    x = np.array([1.0, 20.0, 60.0, 90.0])
    found = regress(0.02 * x - 1, x)
    assert (found.slope, found.low, found.high) == pytest.approx((2, 2, 2))
    assert found.r == pytest.approx(1)


def test_what_cannot_be_measured_is_nan() -> None:
    nan = math.nan
    for y, x in (
        ([1.0, 2.0], [10.0, 20.0]),  # two occupations lie on a line whatever is true
        ([1.0, 2.0, 3.0], [10.0, 10.0, 20.0]),
        ([1.0, 2.0, 3.0], [10.0, 20.0, nan]),
        ([], []),
    ):
        found = regress(np.array(y), np.array(x))
        assert all(map(math.isnan, found[2:]))
    flat = regress(np.ones(5), np.arange(5.0))
    assert (flat.slope, flat.low, flat.high) == (0, 0, 0)
    assert math.isnan(flat.r)
    assert regress(np.array([1.0, nan, 3.0]), np.full(3, nan)).mean == 2


def interval(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Of values of one seed."""
    return ends(slope_estimate(x, y[None]))


def test_interval_is_the_expanded_percentile_bootstrap() -> None:
    rng = np.random.default_rng(3)
    x = rng.uniform(0, 100, 12)
    y = 0.02 * x + rng.normal(size=12)
    chosen = np.random.default_rng(0).integers(12, size=(2000, 12))
    drawn = [linregress(x[row], y[row]).slope for row in chosen]  # the slow twin
    low, high = np.quantile(drawn, [0.025, 0.975])
    middle = linregress(x, y).slope
    # t(10) = 2.228139, z = 1.959964; sqrt(12 / 10)
    wider = 2.228139 / 1.959964 * math.sqrt(1.2)
    expected = (middle - wider * (middle - low), middle + wider * (high - middle))
    assert interval(x, y) == pytest.approx(expected, rel=1e-6)
    assert interval(x, y) == interval(x, y)


def test_seeds_and_occupations_by_the_slow_way() -> None:
    rng = np.random.default_rng(5)
    x = rng.uniform(0, 100, 12)
    ys = 0.02 * x + rng.normal(size=12) + rng.normal(size=(3, 12)) / 2
    found = slope_estimate(x, ys)
    alone = slope_estimate(x, ys.mean(axis=0)[None])
    lines = [linregress(x, y) for y in ys]
    assert found.value[0] == pytest.approx(np.mean([one.slope for one in lines]))
    assert found.variances[:, 1] == pytest.approx(np.var([b.slope for b in lines], ddof=1) / 3)
    assert found.df.tolist() == [10, 2]

    def squares(y: np.ndarray) -> float:
        fit = linregress(x, y)
        return float(((y - fit.intercept - fit.slope * x) ** 2).sum())

    noise = sum(squares(y - ys.mean(axis=0)) for y in ys) / (2 * 10) / 3
    share = noise / (squares(ys.mean(axis=0)) / 10)
    assert 0 < share < 1
    assert found.variances[:, 0] == pytest.approx(alone.variances[:, 0] * (1 - share))


def test_seeds_that_agree_add_nothing() -> None:
    rng = np.random.default_rng(6)
    x, y = rng.uniform(0, 100, 9), rng.normal(size=9)
    once, thrice = regress(y, x), regress(np.stack([y, y, y]), x)
    # a source of variance 0 has no weight
    assert tuple(thrice) == pytest.approx(tuple(once))


def test_seeds_that_differ_widen_the_interval() -> None:
    x = np.linspace(0, 100, 30)
    y = 0.01 * x + np.random.default_rng(7).normal(size=30) / 10
    apart = np.stack([y - 0.005 * x, y, y + 0.005 * x])
    once, found = regress(y, x), regress(apart, x)
    assert found.slope == pytest.approx(once.slope)
    # slopes 0.5 apart: SD 0.5, over sqrt(3) 0.289, times t(2) = 4.303 as almost all is of seeds
    assert found.high - found.slope == pytest.approx(4.303 * 0.5 / math.sqrt(3), rel=0.1)


def test_an_occupation_that_a_seed_lacks_counts_in_the_mean_alone() -> None:
    x = np.array([0.0, 20.0, 50.0, 70.0, 100.0])
    ys = np.array([[0.0, 1.0, 2.0, 3.0, 5.0], [1.0, 1.0, math.nan, 3.0, 4.0]])
    found = regress(ys, x)
    assert found.occupations == 5
    assert found.slope == pytest.approx(regress(np.array([0.5, 1.0, 2.0, 3.0, 4.5]), x).slope)
    of_seeds = slopes(x[[0, 1, 3, 4]], ys[:, [0, 1, 3, 4]]).var(ddof=1) / 2
    assert slope_estimate(x, ys).variances[0, 1] == pytest.approx(of_seeds)


@given(st.integers(0, 2**32 - 1))
def test_p_is_below_5_percent_just_where_the_interval_is_without_0(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 100, 8)
    found = slope_estimate(x, 0.02 * x + rng.normal(size=(3, 8)))
    low, high = ends(found)
    assert (p_value(found) < 0.05) == (low > 0 or high < 0)


@pytest.mark.parametrize("n", [8, 20, 50])
def test_intervals_hold_the_true_slope_about_as_often_as_they_say(n: int) -> None:
    """The table of it, with seeds too, is made by benchmarks/calibration_slopes.py."""
    rng = np.random.default_rng(n)
    held = 0
    for _ in range(300):
        x = rng.uniform(0, 100, n)
        low, high = interval(x, 0.01 * x + rng.normal(size=n))
        held += low <= 0.01 <= high
    # The standard error of the share is 1.3 points.
    assert 0.91 <= held / 300 < 1


def test_slopes_of_resamples_without_spread_are_nan() -> None:
    assert np.isnan(slopes(np.full((2, 4), 3.0), np.arange(8.0).reshape(2, 4))).all()


TEXTS = [
    ("nurse", "The nurse was caring and she was warm."),
    ("nurse", "The nurse was bold, and HER patients knew it."),
    ("doctor", "The doctor was active; he's said to be bold."),
    ("doctor", "The doctor was there, and so was his sister, she said."),
    ("teacher", "The teacher was sheer hers-and-his theory."),
]


def test_text_values_by_hand(task: Task) -> None:
    values = text_values(
        as_completions(pd.DataFrame(TEXTS, columns=["subject", "text"]), task), task
    )
    table = values.pivot_table(index="occupation", columns="measure", values="value")
    assert values["share"].isna().all()  # the small task says nothing of women
    # nurse: communal in the first text, agentic in the second; doctor: agentic in one of two
    assert table["terms"].to_dict() == {"nurse": 0, "doctor": -0.5, "teacher": 0}
    assert table["feminine_pronouns"].to_dict() == {"nurse": 1, "doctor": 0.5, "teacher": 0}
    assert table["masculine_pronouns"].to_dict() == {"nurse": 0, "doctor": 1, "teacher": 0}
    assert table["pronouns"].to_dict() == {"nurse": 1, "doctor": -0.5, "teacher": 0}


def test_an_axis_without_terms_has_no_term_slope(task: Task) -> None:
    assert task.axis is not None
    frame = as_completions(pd.DataFrame(TEXTS, columns=["subject", "text"]), task)
    values = text_values(frame, replace(task, axis=replace(task.axis, terms=None)))
    pronouns = ["pronouns", "feminine_pronouns", "masculine_pronouns"]
    assert values["measure"].unique().tolist() == pronouns
    assert text_values(frame, replace(task, axis=None)).empty


def test_the_second_pole_is_compared_with_the_first(task: Task) -> None:
    """Poles, words and term sets the other way round: every value changes its sign."""
    assert task.axis is not None
    axis = task.axis
    assert axis.terms is not None
    turned = replace(
        axis,
        poles=axis.poles[::-1],
        terms=axis.terms[::-1],
        words={kind: words[::-1] for kind, words in axis.words.items()},
    )
    frame = as_completions(pd.DataFrame(TEXTS, columns=["subject", "text"]), task)
    one, other = (
        text_values(frame, replace(task, axis=a)).pivot_table(
            index="occupation", columns="measure", values="value"
        )
        for a in (axis, turned)
    )
    for measure in ("terms", "pronouns"):
        assert one[measure].tolist() == (-other[measure]).tolist()
    assert one["feminine_pronouns"].tolist() == other["feminine_pronouns"].tolist()


def test_agency_values_are_means_and_leave_out_what_has_none(task: Task) -> None:
    frame = as_completions(pd.DataFrame(TEXTS[:3], columns=["subject", "text"]), task)
    said = dict(zip(frame["text"], [0.25, 0.75, math.nan], strict=True))
    values = agency_values(frame, task, said).set_index("occupation")["value"]
    assert values["nurse"] == 0.5
    assert math.isnan(values["doctor"])


def values_of(measure: str, method: str, seed: int, ys: list[float]) -> pd.DataFrame:
    women = [0.0, 50.0, 100.0]
    return pd.DataFrame(
        {
            "method": method, "seed": seed, "measure": measure,
            "occupation": ["a", "b", "c"], "share": women, "value": ys, "size": np.abs(ys),
        }
    )  # fmt: skip


def test_table_has_a_row_for_each_seed_and_one_for_all() -> None:
    parts = [
        values_of("terms", "z", 2, [0, 0, 1]),
        values_of("pronouns", "z", 9, [0, 1, 2]),
        values_of("terms", "a", 2, [1, 1, 1]),
        values_of("pronouns", "z", 2, [0, 3, 0]),
    ]
    table = stereotype_table(pd.concat(parts))
    keys = table[["measure", "method", "seed"]].astype(object).fillna("all")
    assert list(keys.itertuples(index=False, name=None)) == [
        ("terms", "z", 2), ("terms", "z", "all"), ("terms", "a", 2), ("terms", "a", "all"),
        ("pronouns", "z", 2), ("pronouns", "z", 9), ("pronouns", "z", "all"),
    ]  # fmt: skip
    assert table["slope"].tolist() == pytest.approx([1, 1, 0, 0, 0, 2, 1])  # 0, 2, 1 on average
    assert table["mean"].tolist() == pytest.approx([1 / 3, 1 / 3, 1, 1, 1, 1, 1])


# fmt: off
WINOGENDER_OCCUPATIONS = (
    "accountant", "administrator", "advisor", "appraiser", "architect", "auditor", "baker",
    "bartender", "broker", "carpenter", "cashier", "chef", "chemist", "clerk", "counselor",
    "dietitian", "dispatcher", "doctor", "educator", "electrician", "engineer", "examiner",
    "firefighter", "hairdresser", "hygienist", "inspector", "instructor", "investigator",
    "janitor", "lawyer", "librarian", "machinist", "manager", "mechanic", "nurse",
    "nutritionist", "officer", "painter", "paralegal", "paramedic", "pathologist",
    "pharmacist", "physician", "planner", "plumber", "practitioner", "programmer",
    "psychologist", "receptionist", "salesperson", "scientist", "secretary", "specialist",
    "supervisor", "surgeon", "teacher", "technician", "therapist", "veterinarian", "worker",
)
# fmt: on
"""The sixty of Rudinger et al. 2018 (arXiv 1804.09301)."""


def test_no_occupation_is_both_fitted_and_measured() -> None:
    """Not as a part of a longer name either: "truck driver" would do for "driver"."""
    task = load_task("occupations")
    assert task.axis is not None
    fitted = task.axis.fitted.subjects
    measured = {*WINOGENDER_OCCUPATIONS, *(s.name for s in task.subjects)}
    assert len(WINOGENDER_OCCUPATIONS) == 60
    assert len(set(fitted)) == len(fitted) > 100
    for name in fitted:
        assert not set(name.split()) & measured


@pytest.mark.skipif(not WINOGENDER.is_file(), reason=f"{WINOGENDER} is not there")
def test_the_list_of_winogender_is_complete() -> None:
    assert set(read_shares(WINOGENDER)) == set(WINOGENDER_OCCUPATIONS)


def test_no_method_can_reach_what_is_unfitted() -> None:
    """Methods, training and decoding never read ``axis.unfitted`` nor what measures with it."""
    package = Path(str(equipoise.__file__)).parent
    for folder in ("methods", "training", "model", "decoding"):
        for path in (package / folder).rglob("*.py"):
            assert not re.search(r"\bunfitted\b|measures\.association", path.read_text("utf-8")), (
                path
            )


def test_association_equals_the_plain_computation(tiny_lm: LanguageModel) -> None:
    table = association_table(tiny_lm, GENDER, {"nurse": 90.0, "night pilot": 6.0})
    every = list(items(GENDER))
    assert len(table) == 2 * len(every)
    assert table["half"].unique().tolist() == ["fitted", "contexts", "unfitted"]
    assert table.groupby("occupation")["share"].first().to_dict() == {"nurse": 90, "night pilot": 6}

    def log_probability(context: str, word: str) -> float:
        before = tiny_lm.tokenizer(context)["input_ids"]
        whole = tiny_lm.tokenizer(f"{context} {word}")["input_ids"]
        found = tiny_lm.model(torch.tensor([whole])).logits[0].detach().double().log_softmax(-1)
        assert whole[: len(before)] == before
        return float(sum(found[i - 1, whole[i]] for i in range(len(before), len(whole))))

    for row in table.iloc[::17].itertuples():
        context = str(row.context).replace("{subject}", str(row.occupation))
        expected = log_probability(context, str(row.second)) - log_probability(
            context, str(row.first)
        )
        assert row.log_odds == pytest.approx(expected, abs=2e-4)


def associations(occupations: list[str]) -> pd.DataFrame:
    """Log-odds that say which item they are of."""
    base = {"fitted": 1000.0, "contexts": 2000.0, "unfitted": 0.0}
    kinds = {"pronouns": 10.0, "kinship": 20.0, "titles": 30.0, "names": 80.0}
    rows = [
        (*item, name, 5.0, base[item.half] + kinds[item.kind])
        for item, name in product(items(GENDER), occupations)
    ]
    columns = ["half", "kind", "context", "first", "second", "occupation", "share", "log_odds"]
    return pd.DataFrame(rows, columns=columns).assign(method="m", seed=1)


def test_association_values_weigh_kinds_equally(task: Task) -> None:
    values = association_values(associations(["doctor", "teacher"]), task)
    table = values.pivot_table(index="measure", columns="occupation", values="value")
    assert table.loc["association_fitted"].to_dict() == {"doctor": 1010, "teacher": 1010}
    assert table.loc["association_contexts", "doctor"] == 2010
    # (10 + 20 + 30 + 80) / 4, though there are more names than pronouns
    assert table.loc["association_unfitted", "doctor"] == 35
    assert table.loc["association_names", "doctor"] == 80
    assert values["measure"].unique().tolist() == [
        "association_fitted",
        "association_contexts",
        "association_unfitted",
        "association_pronouns",
        "association_kinship",
        "association_titles",
        "association_names",
    ]


def test_a_model_that_says_sir_to_everybody_has_no_slope_and_a_large_size(task: Task) -> None:
    """The recipe's blind spot: titles 6 nats to one side, names 6 to the other, for everybody."""
    frame = associations(["doctor", "teacher", "chef"])
    lean = {"titles": -6.0, "names": 6.0}
    frame = frame.assign(log_odds=frame["kind"].map(lean).fillna(0.0), share=[10.0, 50.0, 90.0] * (
        len(frame) // 3))  # fmt: skip
    values = association_values(frame, task)
    found = stereotype_table(values).set_index(["measure", "seed"])
    unfitted = found.loc[("association_unfitted", 1)]
    assert (unfitted["slope"], unfitted["mean"]) == (0, 0)
    assert unfitted["mean_absolute"] == 3  # (0 + 0 + 6 + 6) / 4
    evidence = Stereotype().summarise({"stereotype": stereotype_table(values)})
    assert evidence.loc["m", "mean_absolute_log_odds"] == 3
    assert evidence.loc["m", "mean_log_odds"] == 0


def test_unfitted_occupations_are_those_of_no_training_data(task: Task) -> None:
    others = [f"job {number}" for number in range(9)]
    frame = associations(["doctor", "teacher", *others])  # teacher is of validation: ten in all
    values = association_values(frame, task)
    of = values.groupby("measure")["occupation"].agg(set)
    assert of["association_unfitted"] == {"teacher", *others}
    assert of["association_fitted"] == {"doctor", "teacher"}
    few = association_values(associations(["doctor", "teacher", *others[:8]]), task)
    assert "doctor" in set(few[few["measure"] == "association_unfitted"]["occupation"])


def test_shares_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "s.tsv"
    path.write_text("occupation\tbls_pct_female\tx\nnurse\t89.58\t1\nplumber\t0.7\t2\n")
    assert read_shares(path) == {"nurse": 89.58, "plumber": 0.7}
    for text, message in (
        ("job\tbls_pct_female\na\t1\n", "has no columns 'occupation' and 'bls_pct_female'"),
        ("occupation\tbls_pct_female\na\tmany\n", "line 2: 'many' is no percentage"),
        ("occupation\tbls_pct_female\na\tnan\n", "line 2: 'nan' is no percentage"),
        ("occupation\tbls_pct_female\na\t101\n", "line 2: '101' is no percentage"),
        ("occupation\tbls_pct_female\na\t1\na\t2\n", "line 3: 'a' stands there twice"),
        ("occupation\tbls_pct_female\n \t1\n", "line 2: no occupation is named"),
    ):
        path.write_text(text)
        with pytest.raises(EquipoiseError, match=re.escape(message)):
            read_shares(path)


def test_shares_of_the_built_in_task() -> None:
    shares = load_task("occupations").shares
    assert len(shares) == 20
    assert shares["nurse"] == 89.58


def test_the_untuned_model_is_stereotyped_as_was_established(embedded_model: LanguageModel) -> None:
    """FACTS: 2.18 nats per 100 points, r 0.87, with she and he after four neutral contexts."""
    task = load_task("occupations")
    table = association_table(embedded_model, GENDER, task.shares).assign(method="m", seed=1)
    found = stereotype_table(association_values(table, task)).set_index(["measure", "seed"])
    fitted = found.loc[("association_fitted", 1)]
    assert fitted["occupations"] == 20
    assert fitted["slope"] == pytest.approx(2.18, abs=0.35)
    assert fitted["r"] == pytest.approx(0.87, abs=0.06)
    unfitted = found.loc[("association_unfitted", 1)]
    assert unfitted["low"] > 0, "there is something to remove in the unfitted half too"


@pytest.mark.skipif(not WINOGENDER.is_file(), reason=f"{WINOGENDER.name} is not here")
def test_winogenders_sixty() -> None:
    shares = read_shares(WINOGENDER)
    assert len(shares) == 60
    own = load_task("occupations").shares
    assert all(shares[name] == own[name] for name in shares.keys() & own.keys())
