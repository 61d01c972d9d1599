from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from decoding.twins import cut
from equipoise.decoding.stopping import EndOfSentence
from equipoise.model.language_model import LanguageModel
from tiny_models import metaspace_tokenizer, tiny_llama, wrap_tokenizer

PREFIXES = ["The doctor was", "", "The Dr", 'She said "', "1", "The best is vitamin C."]


@pytest.fixture(scope="module")
def metaspace_lm() -> LanguageModel:
    tokenizer = wrap_tokenizer(metaspace_tokenizer("first"), chat=False)
    cpu = torch.device("cpu")
    return LanguageModel(tiny_llama(len(tokenizer)), tokenizer, "unigram", cpu, torch.float32)


@pytest.fixture(params=["tiny_lm", "tiny_plain_lm", "metaspace_lm"])
def lm(request: pytest.FixtureRequest) -> LanguageModel:
    model: LanguageModel = request.getfixturevalue(request.param)
    return model


def first_end(lm: LanguageModel, prompt: int, tokens: list[int]) -> tuple[list[int], bool]:
    """``tokens`` up to where `EndOfSentence`, asked after each of them, sees the end."""
    end = EndOfSentence(lm.tokenizer, lm.stop_tokens, PREFIXES)
    for length in range(1, len(tokens) + 1):
        if end.reached(prompt, tokens[:length]):
            return tokens[:length], True
    return tokens, False


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_end_is_where_decoding_everything_after_each_token_finds_it(
    lm: LanguageModel, data: st.DataObject
) -> None:
    tokenizer = lm.tokenizer
    pieces = [
        ". ",
        ".",
        "!",
        "? ",
        "\n",
        " bold",
        "Dr.",
        ' "',
        " e.g.",
        "…",
        "…\n",
        "é",
        " 3.5",
        "）",
    ]
    spelt = [tokenizer(piece, add_special_tokens=False)["input_ids"] for piece in pieces]
    any_token = st.integers(0, len(tokenizer) - 1).map(lambda token: [token])
    parts = data.draw(
        st.lists(st.one_of(st.sampled_from(spelt), any_token), min_size=1, max_size=9)
    )
    tokens = [token for part in parts for token in part]
    prompt = data.draw(st.integers(0, len(PREFIXES) - 1))
    assert first_end(lm, prompt, tokens) == cut(lm, PREFIXES[prompt], tokens)


@pytest.mark.parametrize(
    ("prefix", "text", "end"),
    [
        ("The doctor was", " bold. She", " bold. "),
        ("The doctor was", " bold.", None),  # ".5" or "..." may follow
        ("The doctor was", " bold\nand", " bold\n"),
        ("The Dr", ". Smith was bold", None),
        ('She said "', 'yes!" Then', 'yes!" T'),  # "and left" may follow
        ("The doctor was", " bold … So", " bold … S"),
        ("The doctor was", " bold … and so", None),
        ("The Dr", " took vitamin C. She was", " took vitamin C. Sh"),
        ("The best is vitamin C.", " She was", " Sh"),
    ],
)
def test_ends_by_hand(tiny_lm: LanguageModel, prefix: str, text: str, end: str | None) -> None:
    tokenizer = tiny_lm.tokenizer
    tokens = [t for c in text for t in tokenizer(c, add_special_tokens=False)["input_ids"]]
    found, ended = first_end(tiny_lm, PREFIXES.index(prefix), tokens)
    assert tokenizer.decode(found) == (text if end is None else end)
    assert ended == (end is not None)


def test_each_prompt_is_judged_with_its_own_prefix(tiny_lm: LanguageModel) -> None:
    end = EndOfSentence(tiny_lm.tokenizer, tiny_lm.stop_tokens, PREFIXES)
    tokens = tiny_lm.tokenizer(". ", add_special_tokens=False)["input_ids"]
    assert end.reached(PREFIXES.index("The doctor was"), tokens)
    assert not end.reached(PREFIXES.index("The Dr"), tokens)
    assert not end.reached(PREFIXES.index(""), tokens), "no letter yet"


def test_every_stop_token_ends_and_none_is_text(tiny_lm: LanguageModel) -> None:
    end = EndOfSentence(tiny_lm.tokenizer, tiny_lm.stop_tokens, PREFIXES)
    bold = tiny_lm.tokenizer(" bold", add_special_tokens=False)["input_ids"]
    assert len(tiny_lm.stop_tokens) == 2
    for stop in tiny_lm.stop_tokens:
        assert end.reached(0, [*bold, stop])
        assert end.text([*bold, stop]) == " bold"
    other = tiny_lm.tokenizer.convert_tokens_to_ids("<|im_start|>")
    assert not end.reached(0, [*bold, other])


def test_text_keeps_the_spaces_before_punctuation(tiny_lm: LanguageModel) -> None:
    end = EndOfSentence(tiny_lm.tokenizer, tiny_lm.stop_tokens, PREFIXES)
    text = " bold , n't  kind ."
    assert end.text(tiny_lm.tokenizer(text, add_special_tokens=False)["input_ids"]) == text


@pytest.mark.parametrize("scheme", ["always", "first", "never"])
def test_the_first_space_of_a_completion_is_kept(scheme: str) -> None:
    """Decoded alone, tokens of SentencePiece's kind lose it: "The nursewas bold."."""
    tokenizer = wrap_tokenizer(metaspace_tokenizer(scheme), chat=False)
    whole = tokenizer("The nurse was bold.", add_special_tokens=False)["input_ids"]
    start = len(tokenizer("The nurse", add_special_tokens=False)["input_ids"])
    end = EndOfSentence(tokenizer, frozenset(), ["The nurse"])
    assert end.text(whole[start:]) == " was bold."
