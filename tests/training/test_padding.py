"""Tokenizers whose padding is the end of the sequence: the end is drawn and learnt all the same.

Where a trainer masks what is padding, such a model never learns to stop.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from equipoise.decoding.sampler import sample
from equipoise.model.draws import Draw, Question, Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import TokenSequence
from equipoise.model.scoring import tree_log_probabilities
from tiny_models import tiny_language_model
from training.runs import Run

PROMPT, PREFIX, TEXT = "Complete: The doctor was", "The doctor was", "The doctor was bold and kind."


def padded_with(token: str, *, chat: bool) -> LanguageModel:
    """The tiny model, whose tokenizer and configuration pad with ``token``."""
    lm = tiny_language_model(chat=chat)
    lm.tokenizer.pad_token = token
    pad = int(lm.tokenizer.pad_token_id)
    lm.model.config.pad_token_id = lm.model.generation_config.pad_token_id = pad
    return lm


@pytest.fixture(params=[False, True], ids=["plain", "chat"])
def pads(request: pytest.FixtureRequest) -> Callable[[str], LanguageModel]:
    return lambda token: padded_with(token, chat=request.param)


def end_of(lm: LanguageModel) -> str:
    return str(lm.tokenizer.decode([lm.encoder.end_of_turn]))


def drawn(lm: LanguageModel) -> list[Draw]:
    with torch.no_grad():  # the end is likely, so that answers end at every length
        lm.model.get_input_embeddings().weight[lm.encoder.end_of_turn] *= 3
    question = Question(PROMPT, PREFIX)
    [found] = lm.draw([question], [40], Sampling(max_new_tokens=12), 1, decoder=sample)
    return found


def test_answers_end_where_padding_begins(pads: Callable[[str], LanguageModel]) -> None:
    end = end_of(pads("<unk>"))
    found, others = drawn(pads(end)), drawn(pads("<unk>"))
    assert [draw.ids for draw in found] == [draw.ids for draw in others]
    assert len({draw.tokens for draw in found if draw.ended}) > 1
    assert not any(end in draw.text for draw in found)


def test_one_update_learns_the_end(pads: Callable[[str], LanguageModel], tmp_path: Path) -> None:
    end = end_of(pads("<unk>"))
    trained, gains = [], []
    for token in (end, "<unk>"):
        lm = pads(token)
        context = lm.encoder.context(PROMPT, PREFIX)
        answer = lm.encoder.continuation(PROMPT, PREFIX, TEXT)
        whole = (*context, *answer)
        last = TokenSequence(whole, len(whole) - 1)
        before = float(tree_log_probabilities(lm, [last])[0])
        run = Run(lambda lm=lm: lm, tmp_path / token.strip("<|>"))
        example = TokenSequence(whole, len(context))
        trained.append(run([example], lm=lm, max_steps=1, warmup_ratio=0.0, learning_rate=1e-2))
        gains.append(float(tree_log_probabilities(lm, [last])[0]) - before)
    assert gains[0] > 0.1
    assert gains[0] == gains[1]
    assert all(torch.equal(trained[0][name], trained[1][name]) for name in trained[0])
