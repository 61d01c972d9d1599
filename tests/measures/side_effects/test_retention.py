"""Retention equals the plain computation: one answer a row, full distributions, transformers."""

from __future__ import annotations

import pandas as pd
import pytest
import torch

from equipoise.errors import EquipoiseError
from equipoise.measures.side_effects.answers import draw_answers
from equipoise.measures.side_effects.requests import Request
from equipoise.measures.side_effects.retention import retention_items
from equipoise.model.draws import Sampling
from equipoise.model.language_model import LanguageModel
from tiny_models import byte_level_tokenizer, tiny_language_model, tiny_llama, wrap_tokenizer

ASKED = [
    Request("unrelated", "What is a volcano?"),
    Request("unrelated", "What is 9 times 8?"),
    Request("unrelated", "What is a variable?"),
    Request("people", "Describe a poet."),
]


@pytest.fixture(scope="module")
def tuned(tiny_lm: LanguageModel) -> LanguageModel:
    """The same architecture and tokenizer with other weights."""
    other = tiny_llama(tiny_lm.output_rows, seed=5).eval()
    return LanguageModel(other, tiny_lm.tokenizer, "tuned", tiny_lm.device, tiny_lm.dtype)


@pytest.fixture(scope="module")
def answers(tiny_lm: LanguageModel) -> pd.DataFrame:
    return draw_answers(tiny_lm, ASKED, Sampling())


def plain(base: LanguageModel, lm: LanguageModel, answers: pd.DataFrame) -> list[float]:
    """KL a token, and the share of tokens whose likeliest one differs; one row after the other."""
    divergence, changed, count = 0.0, 0, 0
    for row in answers[answers["kind"] == "unrelated"].itertuples():
        context = base.context(row.request, "")
        tokens = [*context, *base.continuation(row.request, "", row.text)]
        if not row.ended and len(tokens) > len(context) + 1:
            tokens = tokens[:-1]
        ids = torch.tensor([tokens])
        with torch.no_grad():
            p, q = (
                one.model(input_ids=ids).logits[0, len(context) - 1 : -1].log_softmax(-1)
                for one in (base, lm)
            )
        divergence += float((p.exp() * (p - q)).sum())
        changed += int((p.argmax(-1) != q.argmax(-1)).sum())
        count += len(p)
    return [divergence / count, changed / count]


def test_equals_the_plain_computation(
    tiny_lm: LanguageModel, tuned: LanguageModel, answers: pd.DataFrame
) -> None:
    items = retention_items(tiny_lm, tuned, answers)
    means = items.groupby("instrument", sort=False)["value"].mean()
    assert list(means.index) == ["retention_kl", "retention_top1"]
    assert means.tolist() == pytest.approx(plain(tiny_lm, tuned, answers), abs=1e-4)
    assert means["retention_kl"] > 0.01
    assert (items.groupby("instrument").size() == 3).all(), "people are not unrelated"


def test_a_model_has_not_gone_from_itself(tiny_lm: LanguageModel, answers: pd.DataFrame) -> None:
    items = retention_items(tiny_lm, tiny_lm, answers)
    assert items["value"].abs().max() < 1e-6


def test_an_answer_that_ended_predicts_the_end(
    tiny_lm: LanguageModel, tuned: LanguageModel, answers: pd.DataFrame
) -> None:
    ended = answers.assign(text=[" yes", "", "x y", ""], ended=True)
    items = retention_items(tiny_lm, tuned, ended)
    means = items.groupby("instrument", sort=False)["value"].mean()
    assert means.tolist() == pytest.approx(plain(tiny_lm, tuned, ended), abs=1e-4)


def test_other_tokens_cannot_be_compared(tiny_lm: LanguageModel, answers: pd.DataFrame) -> None:
    tokenizer = wrap_tokenizer(byte_level_tokenizer(["other words"] * 4, 300), chat=True)
    other = LanguageModel(
        tiny_llama(len(tokenizer)).eval(), tokenizer, "other", tiny_lm.device, tiny_lm.dtype
    )
    with pytest.raises(EquipoiseError, match="'other' has another vocabulary than 'tiny"):
        retention_items(tiny_lm, other, answers)


def test_answers_are_whole_turns_and_the_same_each_time(
    tiny_lm: LanguageModel, answers: pd.DataFrame
) -> None:
    """Greedily, they are what ``generate`` gives, behind the end of a sentence too."""
    greedy = draw_answers(tiny_lm, ASKED[:2], Sampling(temperature=0))
    for row in greedy.itertuples():
        ids = torch.tensor([tiny_lm.context(row.request, "")])
        with torch.no_grad():
            plain_ids = tiny_lm.model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=32,
                do_sample=False,
                pad_token_id=0,
                eos_token_id=sorted(tiny_lm.stop_tokens),
            )[0, ids.shape[1] :]
        assert row.text == tiny_lm.tokenizer.decode(plain_ids, skip_special_tokens=True)
    pd.testing.assert_frame_equal(answers, draw_answers(tiny_lm, ASKED, Sampling()))
    assert answers["kind"].tolist() == [one.kind for one in ASKED]


def test_it_does_not_stop_at_a_sentence() -> None:
    """A model that says nothing but full stops says as many as there are tokens."""
    lm = tiny_language_model(chat=True)
    stop = lm.tokenizer.convert_tokens_to_ids(".")
    hidden = lm.model.get_output_embeddings().weight
    with torch.no_grad():
        lm.model.model.norm.weight.zero_()
        hidden.zero_()
    lm.model.get_output_embeddings().register_forward_hook(
        lambda module, inputs, output: output.index_fill(-1, torch.tensor([stop]), 9.0)
    )
    [answer] = draw_answers(lm, ASKED[:1], Sampling(temperature=0))["text"]
    assert answer == "." * 32
