"""Tiny models of several families, made from their configurations on the spot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

# The head size 10 is neither hidden size / heads nor equal to any other size.
_SIZES: dict[str, Any] = {
    "hidden_size": 30,
    "intermediate_size": 34,
    "num_hidden_layers": 2,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "head_dim": 10,
    "max_position_embeddings": 256,
    "attn_implementation": "sdpa",
    "bos_token_id": None,
    "eos_token_id": 0,
    "pad_token_id": 0,
}


def _made(kind: type[PreTrainedModel], config: Any, width: float, seed: int) -> PreTrainedModel:
    """The model with weights drawn anew, norms and biases included, so that each of them counts."""
    torch.manual_seed(seed)
    model = kind(config)
    with torch.no_grad():
        for parameter in model.parameters():
            centre = parameter.mean() if parameter.ndim == 1 else 0.0
            parameter.normal_(0.0, width).add_(centre)
    return model.eval()


def tiny_llama(vocabulary: int, seed: int = 0) -> PreTrainedModel:
    """Grouped-query attention, tied embeddings."""
    config = LlamaConfig(vocab_size=vocabulary, tie_word_embeddings=True, **_SIZES)
    return _made(LlamaForCausalLM, config, 0.3, seed)


def tiny_qwen2(vocabulary: int, seed: int = 0) -> PreTrainedModel:
    """Biases on queries, keys and values; untied embeddings."""
    config = Qwen2Config(vocab_size=vocabulary, tie_word_embeddings=False, **_SIZES)
    return _made(Qwen2ForCausalLM, config, 0.3, seed)


def tiny_qwen3(vocabulary: int, seed: int = 0) -> PreTrainedModel:
    """Norms on queries and keys."""
    config = Qwen3Config(vocab_size=vocabulary, tie_word_embeddings=True, **_SIZES)
    return _made(Qwen3ForCausalLM, config, 0.3, seed)


def tiny_gemma3(vocabulary: int, seed: int = 0, window: int = 64) -> PreTrainedModel:
    """One layer of sliding and one of full attention, each with its own rotary frequencies."""
    config = Gemma3TextConfig(
        vocab_size=vocabulary,
        sliding_window=window,
        layer_types=["sliding_attention", "full_attention"],
        query_pre_attn_scalar=10,
        **_SIZES,
    )
    return _made(Gemma3ForCausalLM, config, 0.15, seed)


ARCHITECTURES: dict[str, Callable[[int], PreTrainedModel]] = {
    "llama": tiny_llama,
    "qwen2": tiny_qwen2,
    "qwen3": tiny_qwen3,
    "gemma3": tiny_gemma3,
}
"""Each takes the size of the vocabulary."""
