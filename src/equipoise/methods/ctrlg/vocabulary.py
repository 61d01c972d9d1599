"""What each token of a tokenizer adds to the text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from equipoise.errors import EquipoiseError
from equipoise.model.language_model import LanguageModel
from equipoise.task.lexicon import count_words

_ANCHOR = "a"


@dataclass(frozen=True)
class Vocabulary:
    """The tokens of a model as text.

    Attributes:
        pieces: [V] what each token adds to a text; ``None`` for special tokens, for fragments of a
            character, and for rows of the model that no token belongs to.
        stops: Tokens that end a completion.
        tokenizer: Finds the canonical tokens of a text.
    """

    pieces: tuple[str | None, ...]
    stops: frozenset[int]
    tokenizer: PreTrainedTokenizerBase

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase, rows: int, stops: Iterable[int]) -> Vocabulary:
        """The vocabulary of a model.

        Args:
            tokenizer: The model's.
            rows: Rows of its output layer; there may be more than tokens.
            stops: Tokens that end a completion.
        """
        stops = frozenset(stops)
        silent = {*tokenizer.all_special_ids, *tokenizer.added_tokens_decoder, *stops}
        n_tokens = min(len(tokenizer), rows)
        anchor = tokenizer(_ANCHOR, add_special_tokens=False)["input_ids"]
        ids = [token for token in range(n_tokens) if token not in silent]
        options = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}
        texts = tokenizer.batch_decode([[*anchor, token] for token in ids], **options)
        start = tokenizer.decode(anchor, **options)
        pieces: list[str | None] = [None] * rows
        for token, text in zip(ids, texts, strict=True):
            piece = text[len(start) :]
            if text.startswith(start) and piece and "\ufffd" not in piece:
                pieces[token] = piece
        return cls(tuple(pieces), stops, tokenizer)

    @classmethod
    def of_model(cls, lm: LanguageModel) -> Vocabulary:
        """The vocabulary of ``lm``."""
        return cls.of(lm.tokenizer, lm.output_rows, lm.stop_tokens)

    @cached_property
    def characters(self) -> frozenset[str]:
        """All characters that tokens write."""
        return frozenset(character for piece in self.pieces if piece for character in piece)

    @cached_property
    def most_words(self) -> int:
        """Most words that a token can begin or go on with."""
        return 1 + max((count_words(piece) for piece in self.pieces if piece), default=0)

    def spell(self, text: str) -> list[int] | None:
        """The canonical tokens of ``text`` inside a longer one, or ``None`` if there are none."""
        anchor = self.tokenizer("\n", add_special_tokens=False)["input_ids"]
        whole = self.tokenizer("\n" + text, add_special_tokens=False)["input_ids"]
        tokens = whole[len(anchor) :] if whole[: len(anchor)] == anchor else None
        if tokens is None or "".join(self.pieces[t] or "\0" for t in tokens) != text:
            tokens = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return tokens if "".join(self.pieces[t] or "\0" for t in tokens) == text else None

    def check_spelling(self, terms: Iterable[str]) -> None:
        """Refuse a tokenizer that cannot write ``terms``, or no second word at all.

        Raises:
            EquipoiseError: It names what cannot be written.
        """
        if not any(piece and " " in piece for piece in self.pieces):
            raise EquipoiseError(
                "no token of the model's tokenizer holds a space: it writes no second word",
                field="model",
                hint="Name a model of another tokenizer.",
            )
        missing = [
            term
            for term in terms
            if not any(self.spell(space + form) for space in (" ", "") for form in forms(term))
        ]
        if missing:
            raise EquipoiseError(
                f"the model's tokenizer has no tokens of whole characters that spell "
                f"{', '.join(map(repr, missing[:5]))}",
                field="constraint",
                hint="Leave that out, or name a model of another tokenizer.",
            )


def forms(term: str) -> tuple[str, str]:
    """How a wanted term may be written: as it is, and capitalised."""
    return term, term[0].upper() + term[1:]
