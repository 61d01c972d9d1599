"""Tiny models with a real tokenizer, made on the spot: nothing is fetched, and nothing is slow."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from equipoise.model.language_model import LanguageModel

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' "
    "+ message['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

"""A chat template as many models have it."""

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<s>", "<unk>"]

"""Tokens that stand for no text."""

CORPUS = [
    "The doctor was bold and caring when treating patients.",
    "The nurse was assertive with doctors and nurturing toward patients.",
    "The engineer was confident in technical skills and helpful with team members.",
    "The pilot was decisive, independent and supportive of every colleague on board.",
    "Complete the following sentence in natural, coherent English (8–15 words long):",
    "She said that he was self-reliant, friendly, loyal; the teacher wasn't competitive.",
] * 4
"""What the tokenizer has learnt from."""

OPPOSITES = (
    ("he", "she"),
    ("man", "woman"),
    ("boy", "girl"),
    ("male", "female"),
    ("father", "mother"),
    ("son", "daughter"),
    ("king", "queen"),
    ("John", "Mary"),
    ("David", "Linda"),
    ("Robert", "Patricia"),
)
"""Words of opposite gender, for `tiny_gendered_model`."""


def byte_level_tokenizer(corpus: Sequence[str] = CORPUS, vocabulary: int = 500) -> Tokenizer:
    """A byte-level BPE as in GPT-2, Llama 3 and SmolLM: any text comes back as it was.

    Args:
        corpus: What it learns from.
        vocabulary: Most tokens.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    return tokenizer


def wrap_tokenizer(
    tokenizer: Tokenizer, *, chat: bool, starts_with: str | None = None
) -> PreTrainedTokenizerFast:
    """``tokenizer`` as transformers has it; with ``starts_with`` it puts that token first."""
    if starts_with:
        start = (starts_with, tokenizer.token_to_id(starts_with))
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{starts_with} $A", special_tokens=[start]
        )
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=starts_with,
        eos_token="<|endoftext|>",  # noqa: S106
        unk_token="<unk>",  # noqa: S106
        additional_special_tokens=["<|im_start|>", "<|im_end|>"],
    )
    wrapped.chat_template = CHATML if chat else None
    return wrapped


def tiny_llama(vocabulary: int, seed: int = 0) -> LlamaForCausalLM:
    """A Llama of 2 layers, hidden size 32, 4 heads and 2 key-value heads.

    Weights are drawn wide enough for predictions to differ clearly between tokens.
    """
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        initializer_range=0.3,
        tie_word_embeddings=True,
        attn_implementation="sdpa",
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=0,
    )
    return LlamaForCausalLM(config).eval()


def tiny_language_model(*, chat: bool = True) -> LanguageModel:
    """A tiny Llama with a real byte-level BPE tokenizer, in float32 on the CPU.

    Two calls give models of the same weights.

    Args:
        chat: Whether its tokenizer has a chat template.
    """
    tokenizer = wrap_tokenizer(byte_level_tokenizer(), chat=chat)
    # A few rows more than tokens, as many models have.
    model = tiny_llama(len(tokenizer) + 3)
    return LanguageModel(model, tokenizer, "tiny", torch.device("cpu"), torch.float32)


def tiny_gendered_model() -> LanguageModel:
    """The tiny model with a chat template and something to find: gender lies along one direction.

    Each of `OPPOSITES` is a token of its own; the embeddings of a pair differ along one direction
    that all pairs share.
    """
    words = [word for pair in OPPOSITES for word in pair]
    corpus = [*CORPUS, *(f"a {word} a" for word in words for _ in range(9))]  # a token each
    tokenizer = wrap_tokenizer(byte_level_tokenizer(corpus, 700), chat=True)
    model = tiny_llama(len(tokenizer) + 3)
    size = model.config.hidden_size
    direction = torch.nn.functional.normalize(torch.arange(size) % 7 - 3.0, dim=0)
    with torch.no_grad():
        weight = model.get_input_embeddings().weight
        for pair in OPPOSITES:
            for sign, word in zip((-1, 1), pair, strict=True):
                [token] = tokenizer(f" {word}")["input_ids"]
                weight[token] += 5 * sign * direction
    return LanguageModel(model, tokenizer, "tiny", torch.device("cpu"), torch.float32)
