"""A GGUF file turned, once, into a folder that plain ``from_pretrained`` loads.

Weights are stored as float32. A Q4_1 weight is a 4-bit number times a float16 scale plus a float16
offset; over a model, neither float16 nor bfloat16 holds all such values (relative errors of 2**-11
and 2**-8 remain), float32 does. The price is disk space: 4 bytes a parameter.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from equipoise.files.artifacts import clear_write_errors

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def convert_gguf(gguf: Path, folder: Path, name: str) -> None:
    """Write the model and the tokenizer in ``gguf`` to ``folder``.

    Args:
        gguf: The model file; architecture, tokenizer and chat template are read from it.
        folder: Where ``config.json``, ``model.safetensors`` and the tokenizer go.
        name: Stands in the configuration instead of the name that the file calls itself.

    Raises:
        EquipoiseError: The disk is full or ``folder`` is not writable.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    # The GGUF reader draws a bar that heeds no setting of transformers.
    with quiet_transformers(), contextlib.redirect_stderr(io.StringIO()):
        model = AutoModelForCausalLM.from_pretrained(
            gguf.parent, gguf_file=gguf.name, dtype=torch.float32, local_files_only=True
        )
        tokenizer = AutoTokenizer.from_pretrained(
            gguf.parent, gguf_file=gguf.name, local_files_only=True
        )
        # The weights are plain numbers now; as long as the model believes that they are
        # quantised, save_pretrained refuses.
        del model.config.quantization_config
        model.hf_quantizer = None
        model.config._model_name_or_path = name
        keep_only_token_ids(model)
        save_model(model, tokenizer, folder)


def save_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write weights (safetensors), configuration and tokenizer: an ordinary model folder.

    Raises:
        EquipoiseError: The folder cannot be written, or the disk is full.
    """
    with clear_write_errors(folder), quiet_transformers():
        folder.mkdir(parents=True, exist_ok=True)
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        for weights in folder.glob("*.safetensors"):  # written for their owner alone
            weights.chmod(0o666 & ~_umask())


@contextlib.contextmanager
def quiet_transformers(*, bars: bool = False) -> Iterator[None]:
    """Let transformers log errors only, and draw progress bars only if ``bars``."""
    from transformers.utils import logging

    level, enabled = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    if not bars:
        logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if enabled:
            logging.enable_progress_bar()


def keep_only_token_ids(model: PreTrainedModel) -> None:
    """Drop the sampling defaults that a model's authors stored; keep its special tokens."""
    from transformers import GenerationConfig

    stored = model.generation_config
    model.generation_config = GenerationConfig(
        bos_token_id=stored.bos_token_id,
        eos_token_id=stored.eos_token_id,
        pad_token_id=stored.pad_token_id,
        do_sample=False,
    )


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
