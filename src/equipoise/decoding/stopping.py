"""When a completion is over: the turn ends, or before that its first sentence is complete."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from equipoise.task.sentence import END_CHARACTERS, sentence_is_complete


class EndOfTurn:
    """Tells after each token whether an answer has ended: at the end of the model's turn."""

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        stop_tokens: AbstractSet[int],
        prefixes: Sequence[str],
    ) -> None:
        self.prefixes = list(prefixes)
        self._tokenizer = tokenizer
        self._stop_tokens = stop_tokens
        self._before = tokenizer("a", add_special_tokens=False)["input_ids"]
        self._text_before = self._decode(self._before)

    def reached(self, prompt: int, tokens: list[int]) -> bool:
        """Whether the completion ``tokens`` of prompt number ``prompt`` has ended.

        To be called after each token; all tokens but the last are known not to have ended it.
        """
        return tokens[-1] in self._stop_tokens

    def text(self, tokens: Sequence[int]) -> str:
        """What a completion adds to its context, without end-of-turn and other special tokens.

        It is decoded behind another text: alone, some tokenizers drop its first space.
        """
        return self._decode([*self._before, *tokens]).removeprefix(self._text_before)

    def _decode(self, tokens: Sequence[int]) -> str:
        return str(
            self._tokenizer.decode(
                tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
        )


class EndOfSentence(EndOfTurn):
    """Tells after each token whether a completion has ended: with its turn or first sentence.

    The rule is that of `equipoise.task.sentence`: text is decoded and judged by it. As decoding
    text costs more than drawing a token, that happens only once a completion holds a character
    that can end a sentence (or its prefix does: what follows an abbreviation may end it there).
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        stop_tokens: AbstractSet[int],
        prefixes: Sequence[str],
    ) -> None:
        super().__init__(tokenizer, stop_tokens, prefixes)
        self._prefix_may_end = [not END_CHARACTERS.isdisjoint(prefix) for prefix in prefixes]
        self._may_end: dict[int, bool] = {}

    def reached(self, prompt: int, tokens: list[int]) -> bool:
        """See `EndOfTurn.reached`."""
        if super().reached(prompt, tokens):
            return True
        if not (self._prefix_may_end[prompt] or any(map(self._can_end, tokens))):
            return False
        return sentence_is_complete(self.prefixes[prompt] + self.text(tokens))

    def _can_end(self, token: int) -> bool:
        """Whether ``token`` holds a character without which no sentence ends."""
        if token not in self._may_end:
            text = self._tokenizer.decode([token], clean_up_tokenization_spaces=False)
            # A fragment of a multi-byte character decodes to U+FFFD and may belong to any.
            self._may_end[token] = "\ufffd" in text or not END_CHARACTERS.isdisjoint(text)
        return self._may_end[token]
