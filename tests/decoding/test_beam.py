from __future__ import annotations

import itertools

import pytest
import torch

from decoding.twins import character_language_model, cut, prompt
from equipoise.decoding.beam import beam_search
from equipoise.errors import EquipoiseError
from equipoise.model.draws import Prompt
from equipoise.model.language_model import LanguageModel
from tiny_architectures import ARCHITECTURES, tiny_llama

LETTERS = "abcdefghijklmnop"
FEW = "ab."  # '.' can end a sentence


def log_probability(lm: LanguageModel, context: tuple[int, ...], tokens: tuple[int, ...]) -> float:
    """Of ``tokens`` after ``context``, by one plain forward pass."""
    with torch.inference_mode():
        logits = lm.model(torch.tensor([[*context, *tokens]])).logits[0]
    return sum(
        float(logits[len(context) - 1 + i].double().log_softmax(-1)[token])
        for i, token in enumerate(tokens)
    )


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("n", [1, 2, 5])
def test_equals_generate(architecture: str, n: int) -> None:
    lm = character_language_model(ARCHITECTURES[architecture](17), LETTERS)
    prompts = [prompt(lm, text) for text in ("a", "abcdefg", "pon")]
    found = beam_search(lm, prompts, n, 12)
    for asked, draws in zip(prompts, found, strict=True):
        inputs = torch.tensor([asked.context])
        expected = lm.model.generate(
            inputs,
            attention_mask=torch.ones_like(inputs),
            do_sample=False,
            num_beams=n,
            num_return_sequences=n,
            length_penalty=0.0,
            max_new_tokens=12,
            eos_token_id=sorted(lm.stop_tokens),
            pad_token_id=0,
        )[:, inputs.shape[1] :].tolist()
        texts = [row[: row.index(0) + 1] if 0 in row else row for row in expected]
        assert [list(draw.ids) for draw in draws] == texts


def test_with_enough_beams_equals_enumeration() -> None:
    """Completions end at a full stop, at the end of the sequence, or at three tokens."""
    model = tiny_llama(4, seed=3)
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(0.3)
    lm = character_language_model(model, FEW)
    asked = Prompt(tuple(lm.tokenizer("ab")["input_ids"]), "ab")
    every: dict[tuple[int, ...], bool] = {}
    for tokens in itertools.product(range(4), repeat=3):
        text, ended = cut(lm, asked.prefix, tokens)
        every[tuple(text)] = ended
    scores = {text: log_probability(lm, asked.context, text) for text in every}
    assert torch.tensor(list(scores.values())).exp().sum() == pytest.approx(1)
    [draws] = beam_search(lm, [asked], 64, 3)
    assert [draw.ids for draw in draws] == sorted(every, key=lambda text: -scores[text])
    assert [draw.ended for draw in draws] == [every[draw.ids] for draw in draws]
    assert {len(draw.ids) for draw in draws} == {1, 2, 3}


def test_draws_report_text_tokens_and_progress() -> None:
    lm = character_language_model(tiny_llama(17), LETTERS)
    done: list[int] = []
    found = beam_search(lm, [prompt(lm, "a"), prompt(lm, "b")], 3, 5, on_drawn=done.append)
    assert done == [3, 3]
    for draw in itertools.chain(*found):
        assert draw.tokens == len(draw.ids)
        assert list(lm.tokenizer(draw.text)["input_ids"]) == [t for t in draw.ids if t]


def test_no_prompt_and_no_room() -> None:
    lm = character_language_model(tiny_llama(17), LETTERS)
    assert beam_search(lm, [], 3, 5) == []
    with pytest.raises(EquipoiseError, match="context"):
        beam_search(lm, [prompt(lm, "a")], 2, 10_000)
