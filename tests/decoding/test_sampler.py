from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
import torch

from decoding.twins import (
    character_language_model,
    chi_square_p_value,
    cut,
    generate_greedily,
    has_ended,
    nucleus_probabilities,
    prompt,
)
from equipoise.decoding import Draw, Sampling, sample
from equipoise.errors import EquipoiseError
from equipoise.model.draws import Prompt
from equipoise.model.language_model import LanguageModel
from tiny_architectures import ARCHITECTURES, tiny_gemma3, tiny_llama

LETTERS = "abcdefghijklmnop"
ENDS = "abcDr.!?)\"' \n1,…"  # '…' is three tokens, so that there are 19 with the end of sequence
GREEDY = {"temperature": 0.0, "top_p": 1.0}


@pytest.fixture(scope="module", params=ARCHITECTURES)
def letters_lm(request: pytest.FixtureRequest) -> LanguageModel:
    """Models of several families that hardly ever end by themselves."""
    return character_language_model(ARCHITECTURES[request.param](17), LETTERS)


@pytest.fixture(scope="module")
def llama_lm() -> LanguageModel:
    return character_language_model(tiny_llama(17), LETTERS)


@pytest.fixture(scope="module")
def ends_lm() -> LanguageModel:
    """A model that often ends a sentence, a line or the sequence, or seems to."""
    model = tiny_llama(19)
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(0.3)  # flat: every ending comes up
    return character_language_model(model, ENDS)


def tokens_of(lm: LanguageModel, draw: Draw) -> list[int]:
    """The drawn tokens: one a character of the text, and perhaps the end of the sequence."""
    tokens = list(lm.tokenizer(draw.text)["input_ids"])
    return tokens + [0] * (draw.tokens - len(tokens))


@pytest.mark.parametrize("batch_size", [1, 3, 250])
def test_greedy_equals_generate(letters_lm: LanguageModel, batch_size: int) -> None:
    lm = letters_lm
    prompts = [prompt(lm, text) for text in ("a", "abcdefghijk", "abcdefg", "ponm", "abcdefgl")]
    counts = [2, 1, 0, 3, 1]
    # 45 tokens are more than the room the cache begins with.
    sampling = Sampling(**GREEDY, max_new_tokens=45, batch_size=batch_size)
    draws = sample(lm, prompts, counts, sampling, seed=0)
    assert [len(of_prompt) for of_prompt in draws] == counts
    for asked, of_prompt in zip(prompts, draws, strict=True):
        expected = generate_greedily(lm, asked.context, 45)
        for draw in of_prompt:
            assert tokens_of(lm, draw) == expected
            assert draw.tokens == len(expected)
            assert draw.ended == (expected[-1] == 0)
    assert any(draw.tokens == 45 for of_prompt in draws for draw in of_prompt)
    assert len({draw.text for of_prompt in draws for draw in of_prompt}) > 1


@pytest.mark.parametrize("batch_size", [1, 2, 5, 250])
def test_greedy_equals_generate_where_rows_end_at_different_times(batch_size: int) -> None:
    """Rows are refilled, rest and are dropped: 61 requests for prompts that end early and late."""
    lm = character_language_model(tiny_llama(17, seed=5), LETTERS)
    prompts = [prompt(lm, first + second) for first in LETTERS for second in "ag"]
    expected = [generate_greedily(lm, asked.context, 30) for asked in prompts]
    assert len({len(tokens) for tokens in expected}) > 2, "some end early"
    counts = [1 + index % 3 for index in range(len(prompts))]
    sampling = Sampling(**GREEDY, max_new_tokens=30, batch_size=batch_size)
    draws = sample(lm, prompts, counts, sampling, seed=0)
    for tokens, count, of_prompt in zip(expected, counts, draws, strict=True):
        assert [tokens_of(lm, draw) for draw in of_prompt] == [tokens] * count


def test_greedy_stops_where_the_sentence_does(ends_lm: LanguageModel) -> None:
    prefix = "The aD"
    prompts = [prompt(ends_lm, text, prefix) for text in ("a", "Dr. ", "ab1, c", "!?", "cab ")]
    draws = sample(ends_lm, prompts, [1] * 5, Sampling(**GREEDY, max_new_tokens=50), seed=0)
    for asked, (draw,) in zip(prompts, draws, strict=True):
        tokens, finished = cut(ends_lm, prefix, generate_greedily(ends_lm, asked.context, 50))
        text = ends_lm.tokenizer.decode(
            tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        assert draw == Draw(text, len(tokens), finished)


def test_completions_grow_far_beyond_the_first_room() -> None:
    llama_lm = character_language_model(tiny_llama(17, seed=2), LETTERS)
    prompts = [prompt(llama_lm, text) for text in ("ab", "abcdefghijklmnop")]
    expected = [generate_greedily(llama_lm, asked.context, 200) for asked in prompts]
    assert max(map(len, expected)) == 200
    draws = sample(llama_lm, prompts, [1, 1], Sampling(**GREEDY, max_new_tokens=200), seed=0)
    assert [tokens_of(llama_lm, draw) for (draw,) in draws] == expected


@pytest.mark.parametrize(
    "options",
    [{"top_p": 0.8}, {"top_p": 1.0, "top_k": 4}, {"top_p": 0.95, "temperature": 1.7}],
    ids=str,
)
def test_first_two_tokens_follow_the_exact_distribution(
    ends_lm: LanguageModel, options: dict[str, float]
) -> None:
    prompts = [prompt(ends_lm, "ab1, c", "The Dr"), prompt(ends_lm, "Dr.", "The a")]
    # 97 rows and 4,000 requests: most rows are refilled many times, at different lengths.
    sampling = Sampling(max_new_tokens=2, batch_size=97, **options)
    draws = sample(ends_lm, prompts, [2_000, 2_000], sampling, seed=11)
    for asked, of_prompt in zip(prompts, draws, strict=True):
        expected = two_token_probabilities(ends_lm, asked, options)
        assert sum(expected.values()) == pytest.approx(1)
        found = Counter((draw.text, draw.tokens, draw.ended) for draw in of_prompt)
        assert found.keys() <= expected.keys()
        p_value = chi_square_p_value(
            torch.tensor([found[key] for key in expected]),
            torch.tensor(list(expected.values()), dtype=torch.float64),
        )
        assert p_value > 1e-3


def two_token_probabilities(
    lm: LanguageModel, asked: Prompt, options: dict[str, float]
) -> dict[tuple[str, int, bool], float]:
    """Exact probability of every outcome (text, tokens, finished) of at most two tokens."""
    outcomes: Counter[tuple[str, int, bool]] = Counter()

    def extend(drawn: list[int], probability: float) -> None:
        ended = bool(drawn) and has_ended(lm, asked.prefix, drawn)
        if ended or len(drawn) == 2:
            text = lm.tokenizer.decode(
                drawn, skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
            outcomes[text, len(drawn), ended] += probability
            return
        with torch.no_grad():
            logits = lm.model(torch.tensor([[*asked.context, *drawn]])).logits[0, -1]
        for token, share in enumerate(nucleus_probabilities(logits, **options).tolist()):
            if share:
                extend([*drawn, token], probability * share)

    extend([], 1.0)
    return outcomes


def test_every_completion_ends_by_the_rule_and_no_later(ends_lm: LanguageModel) -> None:
    lm, prefix = ends_lm, "The Dr"
    prompts = [prompt(lm, text, prefix) for text in ("ab", "Dr. ", "ab1")]
    sampling = Sampling(top_p=1.0, max_new_tokens=6, batch_size=20)
    draws = [d for of in sample(lm, prompts, [90, 90, 90], sampling, seed=2) for d in of]
    whole = [d for d in draws if "\N{REPLACEMENT CHARACTER}" not in d.text]
    kinds: Counter[str] = Counter()
    for draw in whole:
        tokens = tokens_of(lm, draw)
        assert len(tokens) == draw.tokens <= 6
        assert cut(lm, prefix, tokens) == (tokens, draw.ended)
        assert draw.ended or draw.tokens == 6
        kinds["cut" if not draw.ended else "sequence" if tokens[-1] == 0 else "sentence"] += 1
    assert len(whole) > 100
    assert all(kinds[kind] >= 5 for kind in ("cut", "sequence", "sentence")), kinds


def test_end_of_turn_ends_and_is_not_text(fresh_tiny_lm: Callable[[], LanguageModel]) -> None:
    lm = fresh_tiny_lm()
    never = torch.zeros(lm.model.config.vocab_size)
    never[lm.end_of_turn] = 1e4
    lm.model.lm_head.register_forward_hook(lambda module, inputs, output: output + never)
    context = Prompt(tuple(lm.context("Hello", "The doctor was")), "The doctor was")
    draws = sample(lm, [context], [7], Sampling(batch_size=2), seed=0)
    assert draws == [[Draw("", 1, True)] * 7]


def test_same_seed_same_completions(ends_lm: LanguageModel) -> None:
    prompts = [prompt(ends_lm, text) for text in ("ab", "Dr. ")]
    sampling = Sampling(max_new_tokens=12, batch_size=5)
    first, again, other = (sample(ends_lm, prompts, [9, 8], sampling, seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert len({draw.text for draw in first[0]}) > 1


def test_other_random_numbers_are_neither_read_nor_moved(ends_lm: LanguageModel) -> None:
    asked = [prompt(ends_lm, "ab")]
    first = sample(ends_lm, asked, [9], Sampling(max_new_tokens=5), seed=1)
    torch.manual_seed(77)
    state = torch.get_rng_state()
    assert sample(ends_lm, asked, [9], Sampling(max_new_tokens=5), seed=1) == first
    assert torch.equal(torch.get_rng_state(), state)


def test_nothing_asked_nothing_drawn(llama_lm: LanguageModel) -> None:
    calls: list[int] = []
    asked = [prompt(llama_lm, "a"), prompt(llama_lm, "b")]
    assert sample(llama_lm, asked, [0, 0], Sampling(), 0, on_drawn=calls.append) == [[], []]
    assert sample(llama_lm, [], [], Sampling(), 0) == []
    assert sum(calls) == 0


@pytest.mark.parametrize("max_new_tokens", [1, 6])
@pytest.mark.parametrize("batch_size", [1, 7, 250])
def test_progress_adds_up(ends_lm: LanguageModel, max_new_tokens: int, batch_size: int) -> None:
    calls: list[int] = []
    prompts = [prompt(ends_lm, text) for text in ("ab", "ab", "c")]  # twice the same context
    sampling = Sampling(max_new_tokens=max_new_tokens, batch_size=batch_size)
    draws = sample(ends_lm, prompts, [5, 6, 12], sampling, 0, on_drawn=calls.append)
    assert [len(of_prompt) for of_prompt in draws] == [5, 6, 12]
    assert sum(calls) == 23
    assert min(calls) >= 0
    assert all(1 <= draw.tokens <= max_new_tokens for of_prompt in draws for draw in of_prompt)


@pytest.mark.parametrize(
    ("lm", "window"),
    [
        (character_language_model(tiny_llama(17), LETTERS), 256),
        (character_language_model(tiny_gemma3(17, window=32), LETTERS), 32),
    ],
    ids=["positions", "sliding"],
)
def test_window_is_not_exceeded(lm: LanguageModel, window: int) -> None:
    asked = [prompt(lm, "a"), prompt(lm, "abcde")]
    for room, fits in ((window - 5, True), (window - 4, False)):
        sampling = Sampling(**GREEDY, max_new_tokens=room)
        if fits:
            draws = sample(lm, asked, [1, 1], sampling, seed=0)
            expected = [generate_greedily(lm, each.context, room) for each in asked]
            assert [tokens_of(lm, draw) for (draw,) in draws] == expected
        else:
            with pytest.raises(
                EquipoiseError, match=rf"exceed the model's \w+ of {window}"
            ) as caught:
                sample(lm, asked, [1, 1], sampling, seed=0)
            assert "sampling.max_new_tokens" in str(caught.value)


def test_bfloat16_weights_take_tokens_that_are_best_up_to_rounding() -> None:
    exact = character_language_model(tiny_llama(17), LETTERS)
    lm = character_language_model(tiny_llama(17), LETTERS)
    lm.dtype = torch.bfloat16
    lm.use_compute_type()
    asked = [prompt(lm, text) for text in ("a", "abcdefg", "ponm")]
    draws = sample(lm, asked, [2, 1, 4], Sampling(**GREEDY, max_new_tokens=40, batch_size=3), 0)
    for each, of_prompt in zip(asked, draws, strict=True):
        for draw in of_prompt:
            tokens = tokens_of(lm, draw)
            with torch.no_grad():
                logits = exact.model(torch.tensor([[*each.context, *tokens]])).logits[0]
            logits = logits[len(each.context) - 1 : -1]
            chosen = logits.gather(-1, torch.tensor(tokens)[:, None])[:, 0]
            assert (logits.amax(-1) - chosen).max() < 0.3
            assert logits.std() > 1, "rounding is small against the differences"


def test_weights_keep_no_gradient(llama_lm: LanguageModel) -> None:
    sample(llama_lm, [prompt(llama_lm, "a")], [1], Sampling(max_new_tokens=2), seed=0)
    assert all(parameter.grad is None for parameter in llama_lm.model.parameters())
