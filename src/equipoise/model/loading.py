"""From a model's name or folder to its weights, tokenizer and precision."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import psutil
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from equipoise.errors import EquipoiseError
from equipoise.model.conversion import keep_only_token_ids, quiet_transformers
from equipoise.model.embedded import fetch
from equipoise.model.language_model import LanguageModel
from equipoise.model.origin import origin_of
from equipoise.model.precision import pick_compute_dtype, pick_device
from equipoise.model.projected import load_projections
from equipoise.model.registry import EMBEDDED, check_model_name, local_folder, model_label
from equipoise.model.steering import load_shifts

BARS_FROM = 2_000_000_000
"""Bytes of weights in a local folder from which on their loading draws a bar."""


class RemoteCodeWarning(UserWarning):
    """A model is loaded that runs code of its authors."""


def load_model(
    name_or_path: str | Path,
    *,
    device: str | torch.device | None = None,
    dtype: str | torch.dtype | None = None,
    trust_remote_code: bool = False,
    progress: bool = True,
) -> LanguageModel:
    """An embedded model, a local folder or a Hub model, on its device.

    Weights are float32, so that small updates are not rounded away, unless they would fill more
    than half of the device's memory; then they are in the compute type. Sampling defaults that the
    model's authors stored are dropped: nothing but the study's own settings decides how text is
    drawn.

    Args:
        name_or_path: See `check_model_name`.
        device: Such as ``cpu`` or ``cuda:1``; by default the best there is.
        dtype: Type of the matrix products; by default the fastest safe one.
        trust_remote_code: Let Python code in the model's repository run. Off unless asked for.
        progress: Tell on standard error how fetching goes.

    Raises:
        EquipoiseError: The name is no model, or the model cannot be fetched or loaded.
    """
    check_model_name(name_or_path)
    name = str(name_or_path)
    if trust_remote_code:
        warnings.warn(
            f"model '{name}' runs Python code of its authors on this machine, with all your rights",
            RemoteCodeWarning,
            stacklevel=2,
        )
    chosen = pick_device(device)
    compute = pick_compute_dtype(chosen, dtype)
    folder = fetch(name, progress=progress) if name in EMBEDDED else local_folder(name_or_path)
    source = str(folder or name)
    options: dict[str, Any] = {
        "trust_remote_code": trust_remote_code,
        "local_files_only": folder is not None,
    }
    try:
        # Whatever comes from the Hub may take long, and so do large files: their bars stay.
        with quiet_transformers(bars=progress and (folder is None or _is_large(folder))):
            config = AutoConfig.from_pretrained(source, **options)
            tokenizer = AutoTokenizer.from_pretrained(source, **options)
            model, report = AutoModelForCausalLM.from_pretrained(
                source,
                config=config,
                dtype=_weights_dtype(config, chosen, compute, trust_remote_code),
                use_safetensors=True,
                attn_implementation="sdpa",
                output_loading_info=True,
                **options,
            )
    except MemoryError:
        raise  # no fault of the files
    except Exception as error:  # what damaged files make transformers raise is of any kind
        raise _load_error(name, error) from error
    if report["missing_keys"] or report["mismatched_keys"]:
        lost = sorted(map(str, [*report["missing_keys"], *report["mismatched_keys"]]))
        raise EquipoiseError(
            f"model '{name}' lacks weights, {lost[0]} among {len(lost)}",
            hint="Its files are incomplete or of another architecture: fetch them again.",
        )
    keep_only_token_ids(model)
    # The path it was loaded from would be saved with a tuned model.
    model.config._name_or_path = model_label(name)
    lm = LanguageModel(model.to(chosen).eval(), tokenizer, model_label(name), chosen, compute)
    lm.origin = origin_of(name)
    lm.project(load_projections(model, folder))
    lm.steer(load_shifts(model, folder))
    return lm


def _is_large(folder: Path) -> bool:
    """Whether loading the weights in ``folder`` may take some seconds."""
    return sum(path.stat().st_size for path in folder.glob("*.safetensors")) > BARS_FROM


def pickle_refused(error: Exception) -> bool:
    """Whether ``error`` says that torch found a pickle of more than tensors and plain data.

    Its class is told by its name, so that nothing here has to import the pickle module.
    """
    return type(error).__name__ == "UnpicklingError"


def _weights_dtype(
    config: Any, device: torch.device, compute: torch.dtype, trust_remote_code: bool
) -> torch.dtype:
    """float32, unless such weights would take more than half of the device's memory."""
    with torch.device("meta"):
        parameters = AutoModelForCausalLM.from_config(
            config, trust_remote_code=trust_remote_code
        ).num_parameters()
    if device.type == "cuda":
        memory = torch.cuda.get_device_properties(device).total_memory
    else:  # Apple's GPU shares the memory of the CPU
        memory = psutil.virtual_memory().total
    return torch.float32 if 4 * parameters <= memory / 2 else compute


def _load_error(name: str, error: Exception) -> EquipoiseError:
    """What transformers could not do, in one sentence, with the hint where it is known."""
    reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    text = str(error)
    if "trust_remote_code" in text:
        hint = (
            "It runs Python code of its authors: pass trust_remote_code=True (on the command line "
            "--trust-remote-code) if you trust it."
        )
    elif "gated" in text or "401" in text or "403" in text:
        hint = "Accept its licence on the Hub, log in with 'hf auth login', and try again."
    elif "safetensors" in text or pickle_refused(error):
        hint = "Only safetensors weights are read, never pickles: choose or convert to such a copy."
    elif local_folder(name) is None:
        hint = "Check the name and the network, or name a local folder."
    else:
        hint = "Check that the folder is complete."
    return EquipoiseError(f"model '{name}' cannot be loaded: {reason.rstrip('.')}", hint=hint)
