"""Tiny models of the package, and tokenizers of further kinds."""

from __future__ import annotations

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from equipoise.testing.models import (
    CHATML,
    CORPUS,
    SPECIAL,
    byte_level_tokenizer,
    tiny_language_model,
    tiny_llama,
    wrap_tokenizer,
)

__all__ = [
    "CHATML",
    "SPECIAL",
    "byte_level_tokenizer",
    "metaspace_tokenizer",
    "tiny_language_model",
    "tiny_llama",
    "wrap_tokenizer",
]


def metaspace_tokenizer(prepend: str) -> Tokenizer:
    """A Unigram model over words that begin with a visible space, as SentencePiece makes it.

    ``prepend`` is ``always``, ``first`` or ``never``: where a space is put before a text.
    """
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=prepend)
    tokenizer.decoder = decoders.Metaspace(prepend_scheme=prepend)
    trainer = trainers.UnigramTrainer(
        vocab_size=250,
        special_tokens=SPECIAL,
        unk_token="<unk>",  # noqa: S106 - a token of text, not of access
        initial_alphabet=[chr(code) for code in range(33, 127)] + ["–", "\n"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer
