"""Slow twins: what decoding should do, written as its definition reads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor
from transformers import PreTrainedModel

from equipoise.model.draws import Prompt
from equipoise.model.language_model import LanguageModel
from equipoise.task.sentence import sentence_is_complete
from tiny_models import wrap_tokenizer


def nucleus_probabilities(
    logits: Tensor, temperature: float = 1.0, top_p: float = 1.0, top_k: int = 0
) -> Tensor:
    """Probabilities [V] in float64 from ``logits`` [V], by a stable sort of all of them."""
    logits = logits.double()
    order = logits.argsort(descending=True, stable=True)[: top_k or None]
    probabilities = torch.softmax(logits[order] / temperature, dim=-1)
    before = probabilities.cumsum(-1) - probabilities
    kept = torch.where(before < top_p, probabilities, 0.0)
    return torch.zeros_like(logits).scatter(0, order, kept / kept.sum())


def chi_square_p_value(counts: Tensor, probabilities: Tensor, least: float = 5.0) -> float:
    """Of ``counts`` [V] under ``probabilities`` [V]; cells that expect less than ``least`` are one.

    The upper tail of chi-square with d degrees of freedom is Q(d / 2, x / 2).
    """
    assert counts[probabilities == 0].sum() == 0, "an impossible cell was drawn"
    expected = probabilities * counts.sum()
    rare = expected < least
    observed = torch.cat([counts[~rare], counts[rare].sum()[None]]).double()
    expected = torch.cat([expected[~rare], expected[rare].sum()[None]])
    observed, expected = observed[expected > 0], expected[expected > 0]
    if len(expected) == 1:
        return 1.0
    statistic = ((observed - expected) ** 2 / expected).sum()
    freedom = torch.tensor(len(expected) - 1.0, dtype=torch.float64)
    return float(torch.special.gammaincc(freedom / 2, statistic / 2))


def character_language_model(model: PreTrainedModel, characters: str) -> LanguageModel:
    """``model`` whose tokens are 0, the end of the sequence, and then ``characters`` one by one.

    So a completion's text tells its tokens. The tokenizer is byte-level: a character beyond ASCII
    stands for several tokens.
    """
    alphabet = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    pieces = dict.fromkeys(
        piece for c in characters for part, _ in alphabet.pre_tokenize_str(c) for piece in part
    )
    vocabulary = {piece: index for index, piece in enumerate(["<|endoftext|>", *pieces])}
    assert len(vocabulary) == model.config.vocab_size
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = alphabet
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>"])
    wrapped = wrap_tokenizer(tokenizer, chat=False)
    return LanguageModel(model, wrapped, "characters", torch.device("cpu"), torch.float32)


def prompt(lm: LanguageModel, text: str, prefix: str = "") -> Prompt:
    """A prompt whose context is ``text``."""
    return Prompt(tuple(lm.tokenizer(text)["input_ids"]), prefix)


def has_ended(lm: LanguageModel, prefix: str, tokens: Sequence[int]) -> bool:
    """The rule: the last token ends a turn or sequence, or the sentence so far is complete."""
    if tokens[-1] in lm.stop_tokens:
        return True
    # Behind another word, as some tokenizers drop the first space of what stands alone.
    before = lm.tokenizer("b", add_special_tokens=False)["input_ids"]
    alone, whole = (
        lm.tokenizer.decode(t, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        for t in (before, [*before, *tokens])
    )
    return sentence_is_complete(prefix + whole[len(alone) :])


def cut(lm: LanguageModel, prefix: str, tokens: Sequence[int]) -> tuple[list[int], bool]:
    """``tokens`` up to where the rule ends them, everything decoded after each one."""
    for end in range(1, len(tokens) + 1):
        if has_ended(lm, prefix, tokens[:end]):
            return list(tokens[:end]), True
    return list(tokens), False


def generate_greedily(lm: LanguageModel, context: Sequence[int], max_new_tokens: int) -> list[int]:
    """What transformers itself continues ``context`` with."""
    inputs = torch.tensor([context])
    output = lm.model.generate(
        inputs,
        attention_mask=torch.ones_like(inputs),
        do_sample=False,
        max_new_tokens=max_new_tokens,
        eos_token_id=sorted(lm.stop_tokens),
    )
    continued: list[int] = output[0, len(context) :].tolist()
    return continued
