"""A model's architecture and tokenizer without its weights."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, LlamaConfig

from equipoise.errors import EquipoiseError
from equipoise.model.context import ContextEncoder
from equipoise.model.draws import Exchange
from equipoise.model.embedded import cache_folder
from equipoise.model.prefix_tree import TokenSequence
from equipoise.model.registry import EMBEDDED, local_folder, model_label

LLAMA_3_1_8B = {
    "vocab_size": 128_256,
    "hidden_size": 4096,
    "intermediate_size": 14_336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "max_position_embeddings": 131_072,
    "tie_word_embeddings": False,
}
"""Dubey et al. 2024, "The Llama 3 Herd of Models", arXiv 2407.21783, table 3; 8.03 billion."""

KNOWN = dict.fromkeys(("meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-8B-Instruct"), LLAMA_3_1_8B)
"""Architectures of Hub models that are planned for without asking the Hub."""


class Encoder(Protocol):
    """Turns prompts and answers into tokens, as `ContextEncoder` does."""

    def context(self, prompt: str, prefix: str, earlier: tuple[Exchange, ...] = ()) -> list[int]:
        """Tokens that a completion continues."""

    def continuation(self, prompt: str, prefix: str, text: str) -> list[int]:
        """Tokens of ``text`` beyond that."""


class WordEncoder:
    """Stands in for a tokenizer that is not here: a token for each mark and up to seven letters.

    It counts English as vocabularies of 50,000 and more do, to within a tenth.
    """

    TEMPLATE = 12
    """Tokens of a chat template around a prompt."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}

    def context(self, prompt: str, prefix: str, earlier: tuple[Exchange, ...] = ()) -> list[int]:
        """See ``Encoder``."""
        before = [
            token
            for exchange in earlier
            for token in (*range(self.TEMPLATE), *self._tokens(" ".join(exchange)))
        ]
        return [*before, *range(self.TEMPLATE), *self._tokens(f"{prompt} {prefix}")]

    def continuation(self, prompt: str, prefix: str, text: str) -> list[int]:
        """See ``Encoder``."""
        return [*self._tokens(text.removeprefix(prefix)), 0]

    def _tokens(self, text: str) -> list[int]:
        pieces = re.findall(r"\w{1,7}|[^\w\s]", text)
        return [self._ids.setdefault(p, self.TEMPLATE + len(self._ids)) for p in pieces]


@dataclass(frozen=True)
class ModelSize:
    """What is known of a model from its configuration.

    Attributes:
        name: Its name.
        config: Of transformers.
        encoder: Its tokenizer, or what stands in for it.
        has_tokenizer: Whether it is its own.
    """

    name: str
    config: Any
    encoder: Encoder
    has_tokenizer: bool

    @cached_property
    def network(self) -> Any:
        """The network without memory for weights."""
        with torch.device("meta"):
            return AutoModelForCausalLM.from_config(self.config, attn_implementation="sdpa")

    @cached_property
    def parameters(self) -> int:
        """Number of weights, tied ones counted once."""
        return sum(p.numel() for p in self.network.parameters())

    @cached_property
    def matrix_parameters(self) -> int:
        """Weights that every token is multiplied with; an embedding is looked up, not multiplied.

        The output layer is left out: only tokens that predict something are multiplied with it.
        """
        text = self.config.get_text_config()
        tables = 1 if text.tie_word_embeddings else 2
        return self.parameters - tables * int(text.vocab_size) * int(text.hidden_size)

    @property
    def vocabulary(self) -> int:
        """Number of logits of a token."""
        return int(self.config.get_text_config().vocab_size)

    def answer(self, prompt: str, prefix: str, text: str) -> TokenSequence:
        """Context and answer as tokens, as `LanguageModel.answer` gives them."""
        context = self.encoder.context(prompt, prefix)
        own = self.encoder.continuation(prompt, prefix, text)
        return TokenSequence((*context, *own), start=len(context))

    @property
    def kv_bytes_per_token(self) -> int:
        """Keys and values of one token in all layers, in 16 bits."""
        text = self.config.get_text_config()
        heads = getattr(text, "num_key_value_heads", None) or text.num_attention_heads
        size = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
        return 2 * 2 * int(text.num_hidden_layers) * int(heads) * int(size)


def model_size(name: str | Path) -> ModelSize:
    """The model called ``name``; nothing is fetched, and no weight is read.

    Raises:
        EquipoiseError: Its configuration is not on this machine.
    """
    folder = local_folder(name)
    if str(name) in EMBEDDED:
        folder = cache_folder() / "models" / str(name)
    label, source = model_label(name), str(folder or name)
    try:
        config = AutoConfig.from_pretrained(source, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        if source not in KNOWN:
            fetched = f"'equipoise models fetch {name}' does." if str(name) in EMBEDDED else ""
            raise EquipoiseError(
                f"the configuration of model '{name}' is not on this machine",
                field="study.model",
                hint=fetched or "Fetch its config.json into a folder and name that, with --model.",
            ) from error
        return ModelSize(label, LlamaConfig(**KNOWN[source]), WordEncoder(), False)
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            source, local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError):
        return ModelSize(label, config, WordEncoder(), False)
    encoder = ContextEncoder(tokenizer, label, config.get_text_config().vocab_size)
    return ModelSize(label, config, encoder, True)
