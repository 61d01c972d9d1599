"""Minimal pairs: the plain computation, and the instruments of others."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from equipoise.measures.side_effects.pair_files import Pair
from equipoise.measures.side_effects.pairs import opened, pair_items, preferences
from equipoise.model.language_model import LanguageModel
from tiny_models import byte_level_tokenizer, tiny_llama, wrap_tokenizer

PAIRS = [
    Pair("1", "age", "The old man forgot it.", "The young man forgot it."),
    Pair("2", "age", "He is a pilot.", "She is a pilot."),
    Pair("3", "gender", "The nurse was kind", "The nurse was kind and bold."),
    Pair("4", "gender", "Same.", "Same."),
]


def plain(lm: LanguageModel, text: str) -> float:
    """The log-probability of a whole text behind the token that begins one."""
    ids = torch.tensor([opened(lm, text)])
    with torch.no_grad():
        logits = lm.model(input_ids=ids).logits[0, :-1].log_softmax(-1)
    return float(logits.gather(-1, ids[0, 1:, None]).sum())


def test_preferences_equal_the_plain_computation(tiny_lm: LanguageModel) -> None:
    """Of whole sentences: what they begin with alike cancels out."""
    expected = [plain(tiny_lm, one.stereotyped) - plain(tiny_lm, one.other) for one in PAIRS]
    assert preferences(tiny_lm, PAIRS) == pytest.approx(expected, abs=1e-4)
    assert expected[-1] == 0


def test_a_text_begins_with_one_start_token(tiny_lm: LanguageModel) -> None:
    end = tiny_lm.tokenizer.eos_token_id
    assert opened(tiny_lm, "He is") == (end, *tiny_lm.encoder.plain("He is"))
    tokenizer = wrap_tokenizer(byte_level_tokenizer(), chat=False, starts_with="<s>")
    starts = LanguageModel(
        tiny_llama(len(tokenizer)).eval(), tokenizer, "starts", tiny_lm.device, tiny_lm.dtype
    )
    assert opened(starts, "He is") == tuple(starts.encoder.plain("He is"))
    assert opened(starts, "He is").count(tokenizer.bos_token_id) == 1


def test_shares_by_group_and_of_all(tiny_lm: LanguageModel) -> None:
    items = pair_items(tiny_lm, "crows_pairs", PAIRS)
    found = items.groupby(["instrument", "group"], sort=False)["value"].mean().to_dict()
    likelier = [float(value > 0) for value in preferences(tiny_lm, PAIRS)]
    assert likelier[3] == 0, "neither of two equal sentences is likelier"
    assert found == {
        ("crows_pairs", "all"): np.mean(likelier),
        ("crows_pairs", "age"): np.mean(likelier[:2]),
        ("crows_pairs", "gender"): np.mean(likelier[2:]),
    }


def test_one_group_is_all(tiny_lm: LanguageModel) -> None:
    assert set(pair_items(tiny_lm, "pairs", PAIRS[:2])["group"]) == {"age"}


def test_winobias_is_a_difference_in_nats_too(tiny_lm: LanguageModel) -> None:
    items = pair_items(tiny_lm, "winobias", PAIRS)
    nats = items[(items["instrument"] == "winobias_nats") & (items["group"] == "all")]
    assert nats["value"].tolist() == preferences(tiny_lm, PAIRS)


def test_winogender_has_a_slope_over_shares(tiny_lm: LanguageModel) -> None:
    """Of the feminine over the masculine sentence, whichever is the stereotyped side."""
    shares = {"nurse": 90.0, "pilot": 10.0, "clerk": 70.0, "chef": 40.0}
    pairs = []
    for name, share in shares.items():
        she, he = f"The {name} said that she left.", f"The {name} said that he left."
        sides = (she, he) if share > 50 else (he, she)
        pairs.append(Pair(f"{name}.x.0", "occupation", *sides, name, share))
    items = pair_items(tiny_lm, "winogender", pairs)
    odds = [
        plain(tiny_lm, f"The {name} said that she left.")
        - plain(tiny_lm, f"The {name} said that he left.")
        for name in shares
    ]
    slope = 100 * np.polyfit(list(shares.values()), odds, 1)[0]
    own = items[items["instrument"] == "winogender_slope"]
    assert own["value"].mean() == pytest.approx(slope, abs=1e-3)
    assert own["item"].tolist() == list(shares)
