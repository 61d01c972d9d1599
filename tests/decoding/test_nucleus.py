from __future__ import annotations

import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from decoding.twins import chi_square_p_value, nucleus_probabilities
from equipoise.decoding import sample_tokens
from equipoise.decoding.nucleus import sample_weighed

VOCABULARIES = [2, 7, 97, 1009]
SETTINGS = [
    {},
    {"top_p": 0.95},
    {"top_p": 0.3},
    {"top_p": 0.5, "temperature": 0.7},
    {"top_k": 3},
    {"top_p": 0.9, "top_k": 5, "temperature": 1.5},
    {"top_p": 0.7, "top_k": 60, "temperature": 3.0},
]
LEVEL = 1e-3


def smooth(vocabulary: int) -> Tensor:
    """Logits [V] that all differ."""
    return 2 * torch.randn(vocabulary)


def tied(vocabulary: int) -> Tensor:
    """Logits [V] in bfloat16, rounded until many are equal, some of them excluded."""
    logits = (2 * torch.randn(vocabulary)).mul(2).round().div(2)
    logits[torch.rand(vocabulary) < 0.2] = -math.inf
    logits[vocabulary // 2] = 1.5
    return logits.bfloat16()


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def counts(logits: Tensor, n: int, seed: int = 0, **options: float) -> Tensor:
    """How often each of V tokens is among ``n`` draws from ``logits`` [V]."""
    drawn = sample_tokens(logits.expand(n, -1), generator=seeded(seed), **options)
    assert drawn.shape == (n,)
    assert drawn.dtype == torch.long
    return torch.bincount(drawn, minlength=len(logits))


@pytest.mark.parametrize("kind", [smooth, tied])
@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_frequencies_follow_the_definition(
    kind: object, vocabulary: int, options: dict[str, float]
) -> None:
    logits = kind(vocabulary)
    # 1,009 tokens x 3,000 rows are three chunks, 7 x 6,000 are a single one.
    found = counts(logits, 3_000 if vocabulary > 1_000 else 6_000, **options)
    expected = nucleus_probabilities(logits, **options)
    assert found[expected == 0].sum() == 0, "drawn from outside the nucleus"
    assert (found[expected > 0.005] > 0).all(), "never drawn although in the nucleus"
    assert chi_square_p_value(found, expected) > LEVEL


def test_every_token_of_the_nucleus_and_no_other_is_drawn() -> None:
    # Of 20 in all, ranked: 8 4 2 2 2 1 1; before each stand 0 8 12 14 16 18 19.
    logits = torch.tensor([2, 1, 8, 2, 1, 4, 2]).log()

    def drawn(**options: float) -> list[int]:
        return counts(logits, 2_000, **options).nonzero().flatten().tolist()

    assert drawn() == [0, 1, 2, 3, 4, 5, 6]
    assert drawn(top_p=0.81) == [0, 2, 3, 5, 6]
    # Among equal tokens the lower index ranks first.
    assert drawn(top_p=0.79) == [0, 2, 3, 5]
    assert drawn(top_p=0.69) == [0, 2, 5]
    # Of 18 that five leave, 12 stand before the first 2.
    assert drawn(top_p=0.67, top_k=5) == [0, 2, 5]
    assert drawn(top_p=0.66, top_k=5) == [2, 5]
    assert drawn(top_k=4) == [0, 2, 3, 5]


def test_the_chi_square_check_can_fail() -> None:
    logits = smooth(97)
    found = counts(logits, 8_000, top_p=1.0, temperature=1.0)
    assert chi_square_p_value(found, nucleus_probabilities(logits)) > LEVEL
    assert chi_square_p_value(found, nucleus_probabilities(logits, temperature=1.1)) < 1e-9


def test_chi_square_by_hand() -> None:
    # (30-25)^2/25 + (20-25)^2/25 + (50-50)^2/50 = 2, 2 degrees of freedom: exp(-2/2).
    p_value = chi_square_p_value(
        torch.tensor([30, 20, 50]), torch.tensor([0.25, 0.25, 0.5], dtype=torch.float64)
    )
    assert p_value == pytest.approx(math.exp(-1))


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_support_is_that_of_transformers(vocabulary: int, options: dict[str, float]) -> None:
    logits = smooth(vocabulary)
    scores = TemperatureLogitsWarper(options.get("temperature", 1.0))(None, logits[None])
    if top_k := options.get("top_k", 0):
        scores = TopKLogitsWarper(int(top_k))(None, scores)
    scores = TopPLogitsWarper(options.get("top_p", 1.0))(None, scores)
    theirs = torch.softmax(scores[0].double(), dim=-1)
    torch.testing.assert_close(nucleus_probabilities(logits, **options), theirs)
    found = counts(logits, 2_000, seed=1, **options)
    assert found[theirs == 0].sum() == 0
    assert (found[theirs > 0.008] > 0).all()


def test_rows_are_independent_and_calls_go_on() -> None:
    logits = smooth(7)
    generator = seeded()
    draws = torch.stack(
        [sample_tokens(logits.expand(4_000, -1), generator=generator) for _ in range(2)]
    )
    one = nucleus_probabilities(logits)
    both = (one[:, None] * one).flatten()
    neighbours = draws[0, :-1:2] * 7 + draws[0, 1::2]
    assert chi_square_p_value(torch.bincount(neighbours, minlength=49), both) > LEVEL
    calls = draws[0] * 7 + draws[1]
    assert chi_square_p_value(torch.bincount(calls, minlength=49), both) > LEVEL


@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_each_row_is_drawn_from_its_own_logits(options: dict[str, float]) -> None:
    rows, vocabulary = 3_001, 1009  # several chunks, the last one not full
    wanted = torch.randint(vocabulary, (rows,))
    logits = torch.full((rows, vocabulary), -math.inf)
    logits[torch.arange(rows), wanted] = torch.randn(rows)
    assert torch.equal(sample_tokens(logits, generator=seeded(), **options), wanted)


def test_same_seed_same_tokens() -> None:
    logits = torch.randn(500, 97)
    first, again, other = (
        sample_tokens(logits, top_p=0.9, generator=seeded(seed)) for seed in (3, 3, 4)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_input_is_left_as_it_was() -> None:
    logits = torch.randn(5, 97)
    before = logits.clone()
    sample_tokens(logits, temperature=0.5, top_p=0.5, top_k=9, generator=seeded())
    assert torch.equal(logits, before)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_temperature_zero_takes_the_first_most_probable(dtype: torch.dtype) -> None:
    logits = torch.randn(400, 97).to(dtype)
    assert torch.equal(sample_tokens(logits, temperature=0), logits.float().argmax(-1))
    assert sample_tokens(torch.tensor([[1.0, 3.0, 3.0]]), temperature=0).tolist() == [1]


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_a_tiny_nucleus_is_the_first_most_probable(vocabulary: int) -> None:
    logits = torch.randn(50, vocabulary).mul(2).round()
    first = (logits == logits.amax(-1, keepdim=True)).int().argmax(-1)
    assert torch.equal(sample_tokens(logits, top_p=1e-6, generator=seeded()), first)
    assert torch.equal(sample_tokens(logits, top_k=1, generator=seeded()), first)


@pytest.mark.parametrize("temperature", [1e-40, 1e-20, 1e-6, 1e-3])
def test_a_tiny_temperature_is_greedy(temperature: float) -> None:
    logits = torch.randn(50, 97)
    drawn = sample_tokens(logits, temperature=temperature, generator=seeded())
    assert torch.equal(drawn, logits.argmax(-1))


def test_a_huge_temperature_is_uniform_over_what_is_not_excluded() -> None:
    logits = torch.tensor([5.0, -math.inf, -3.0, 40.0])
    found = counts(logits, 6_000, temperature=1e9)
    third = torch.tensor([1 / 3, 0, 1 / 3, 1 / 3], dtype=torch.float64)
    assert chi_square_p_value(found, third) > LEVEL


@pytest.mark.parametrize(
    ("logits", "possible"),
    [
        ([1e30, -1e30, 0.0], {0}),
        ([3e38, 3e38, -3e38], {0, 1}),
        ([-3e38, -3e38, -math.inf], {0, 1}),
        ([-1e4, -1e4 - 1, -2e4], {0, 1}),
        ([80.0, 79.0, -1e30], {0, 1}),
        ([-math.inf, -math.inf, -5e4], {2}),
    ],
)
@pytest.mark.parametrize("options", [{}, {"top_p": 0.9}, {"top_k": 2}], ids=str)
def test_extreme_logits(logits: list[float], possible: set[int], options: dict[str, float]) -> None:
    found = counts(torch.tensor(logits), 500, **options)
    assert set(found.nonzero().flatten().tolist()) == possible


@pytest.mark.parametrize(
    "row", [[math.nan, 1.0, 2.0], [-math.inf] * 3, [math.nan] * 3, [1.0, math.inf, 0.0]]
)
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_rows_that_say_nothing_are_refused(row: list[float], temperature: float) -> None:
    logits = torch.zeros(4, 3)
    logits[2] = torch.tensor(row)
    with pytest.raises(ValueError, match="NaN or no finite value"):
        sample_tokens(logits, temperature=temperature, generator=seeded())


def test_top_k_beyond_the_vocabulary_keeps_all() -> None:
    logits = smooth(7)
    assert torch.equal(counts(logits, 1_000, top_k=7), counts(logits, 1_000, top_k=100))
    assert torch.equal(counts(logits, 1_000, top_k=7), counts(logits, 1_000))


LOGITS = st.lists(
    st.one_of(
        st.just(-math.inf),
        st.integers(-3, 3).map(float),
        st.floats(-50, 50, width=32),
    ),
    min_size=1,
    max_size=20,
).filter(lambda row: max(row) > -math.inf)


@settings(deadline=None)
@given(
    LOGITS,
    st.floats(0.01, 1),
    st.integers(0, 22),
    st.floats(0.05, 5),
    st.integers(0, 2**63 - 1),
)
def test_what_is_drawn_is_in_the_nucleus(
    row: list[float], top_p: float, top_k: int, temperature: float, seed: int
) -> None:
    logits = torch.tensor(row)
    kept = nucleus_probabilities(logits, temperature, 1.0, top_k)
    before = kept.sort(descending=True).values.cumsum(-1)
    # Where a mass equals top_p up to rounding either answer is right.
    assume(((before - top_p).abs() > 1e-5).all() or top_p == 1)
    # Different logits whose probabilities are equal in float32: see the test below.
    weights = ((logits - logits.max()) / temperature).exp()
    likely = weights > 0
    assume(len(weights[likely].unique()) == len(logits[likely].unique()))
    expected = nucleus_probabilities(logits, temperature, top_p, top_k)
    drawn = sample_tokens(
        logits.expand(20, -1),
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        generator=seeded(seed),
    )
    assert (expected[drawn] > 0).all()


def test_logits_too_near_to_differ_in_probability_are_ranked_by_index() -> None:
    logits = torch.tensor([[0.0, 4.4e-20]]).expand(20, -1)
    assert sample_tokens(logits, top_p=0.25, generator=seeded(0)).tolist() == [0] * 20


def test_what_was_drawn_is_as_likely_as_the_definition_says_however_wide_the_nucleus() -> None:
    """Rows whose nuclei hold a handful, a thousand and nearly all of 5,000 tokens, side by side."""
    logits = torch.randn(4, 5000) * torch.tensor([[0.03], [0.5], [2.0], [30.0]])
    drawn, found = sample_weighed(logits, top_p=0.95, generator=torch.Generator().manual_seed(1))
    for row, token, value in zip(logits, drawn.tolist(), found.tolist(), strict=True):
        expected = nucleus_probabilities(row, top_p=0.95)[token]
        assert value == pytest.approx(math.log(expected), abs=1e-5)


def test_of_no_rows_nothing_is_drawn() -> None:
    for temperature in (0.0, 1.0):
        assert sample_tokens(torch.empty(0, 9), temperature=temperature, top_p=0.9).shape == (0,)
    drawn, values = sample_weighed(torch.empty(0, 9), top_p=0.9)
    assert (drawn.shape, values.shape) == ((0,), (0,))
