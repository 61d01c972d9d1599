"""What all prompts begin with is held once: nothing but rounding changes, whatever rows do."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from decoding.twins import character_language_model, prompt
from equipoise.decoding import cache as cache_module
from equipoise.decoding.cache import RowCache
from equipoise.decoding.prefill import prefill
from equipoise.decoding.sampler import step
from equipoise.decoding.shared_prefix import attention_for
from equipoise.model.language_model import LanguageModel
from tiny_architectures import ARCHITECTURES

LETTERS = "abcdefghijklmnop"
SHARED = "abcdefghijklmnopabc"
TEXTS = (SHARED, SHARED + "defg", SHARED + "a")


@pytest.fixture(scope="module", params=ARCHITECTURES)
def lm(request: pytest.FixtureRequest) -> LanguageModel:
    return character_language_model(ARCHITECTURES[request.param](17), LETTERS)


@torch.inference_mode()
def logits(lm: LanguageModel, worth: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, Tensor]:
    """Tokens that are held once, and all logits of rows that are started, kept, copied, rested."""
    monkeypatch.setattr(cache_module, "WORTH_SHARING", worth)
    _, states = prefill(lm, [prompt(lm, text) for text in TEXTS])
    cache, found = RowCache(states, n_rows=5, room=3), []

    def draw(*tokens: int) -> None:
        found.append(step(lm, cache, torch.tensor(tokens)))

    cache.start(torch.arange(5), torch.tensor([0, 1, 2, 1, 0]))
    draw(1, 2, 3, 4, 5)
    draw(6, 7, 8, 9, 1)
    cache.keep(torch.tensor([4, 1, 2]))
    draw(2, 3, 4)
    cache.start(torch.tensor([0]), torch.tensor([2]))
    draw(5, 6, 7)
    cache.copy(torch.tensor([1]), torch.tensor([2]))
    for token in range(1, 6):  # beyond the room that buffers begin with
        draw(token, token, 7)
    cache.rest(torch.tensor([1]))
    draw(1, 1, 2)
    found[-1][1] = 0  # nobody reads a row that rests
    return states.shared, torch.cat(found)


def test_it_equals_what_every_row_holds_by_itself(
    lm: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shared, once), (none, plain) = (logits(lm, n, monkeypatch) for n in (16, 1000))
    assert (shared, none) == (len(SHARED), 0)
    torch.testing.assert_close(once, plain, rtol=1e-4, atol=1e-4)


def test_little_in_common_is_not_held_apart(lm: LanguageModel) -> None:
    for texts in ((SHARED, "b" + SHARED), (SHARED[:15], SHARED[:15] + "p")):
        _, states = prefill(lm, [prompt(lm, text) for text in texts])
        assert states.shared == 0


def test_a_single_prompt_is_held_once(lm: LanguageModel) -> None:
    _, states = prefill(lm, [prompt(lm, SHARED)])
    assert states.shared == len(SHARED)


def test_the_model_attends_as_before_afterwards(lm: LanguageModel) -> None:
    _, states = prefill(lm, [prompt(lm, SHARED)])
    config = lm.model.config.get_text_config()
    with attention_for(lm.model.config, RowCache(states, 1)):
        assert config._attn_implementation != "sdpa"
    assert config._attn_implementation == "sdpa"
