"""Keeps distilled HMMs in the user's cache, so that a study distils once."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock

from equipoise.errors import EquipoiseError
from equipoise.files import manifest
from equipoise.files.artifacts import clear_write_errors, make_folder, read_json, write_json
from equipoise.methods.ctrlg.hmm import HMM
from equipoise.methods.ctrlg.hmm_fit import DistillRecord
from equipoise.model.embedded import cache_folder
from equipoise.model.language_model import LanguageModel

FORMAT = 2
"""Raised when distilling changes; older HMMs are then made anew."""

WEIGHTS, RECORD = "hmm.safetensors", "record.json"


def remembered(
    about: dict[str, Any], make: Callable[[], tuple[HMM, DistillRecord]]
) -> tuple[HMM, DistillRecord]:
    """The HMM that was distilled from what ``about`` says, distilled now if none is kept.

    Two processes may ask at once: the second waits for the first.

    Args:
        about: Everything it depends on, as plain data: model, prompts, sampling, settings.
        make: Distils it.

    Returns:
        The HMM, and how distilling went.
    """
    text = json.dumps({"format": FORMAT, **about}, sort_keys=True)
    root = make_folder(cache_folder() / "hmms")
    folder = root / hashlib.sha256(text.encode()).hexdigest()[:32]
    with FileLock(folder.with_suffix(".lock")):
        if manifest.fault(folder) is not None:
            hmm, record = make()
            _keep(folder, hmm, {**about, "record": asdict(record)})
        return load(folder)


def load(folder: str | Path) -> tuple[HMM, DistillRecord]:
    """The HMM of ``folder`` and how distilling it went.

    Raises:
        EquipoiseError: The folder is no such HMM, or is damaged.
    """
    folder = Path(folder)
    if fault := manifest.fault(folder):
        raise EquipoiseError(
            f"no whole HMM is there: {fault}",
            file=folder,
            hint="Name a folder that 'equipoise distill' wrote.",
        )
    record = read_json(folder / RECORD)["record"]
    return HMM.load(folder / WEIGHTS), DistillRecord(**record)


def save(folder: Path, hmm: HMM, about: dict[str, Any]) -> None:
    """Write ``hmm`` and what it was made from into ``folder``, and seal it."""
    make_folder(folder)
    with clear_write_errors(folder):
        hmm.save(folder / WEIGHTS)
        write_json(folder / RECORD, about)
        manifest.seal(folder)


def check_model(folder: Path, lm: LanguageModel) -> None:
    """Refuse the HMM in ``folder`` if it was distilled from another model than ``lm``.

    Args:
        folder: One that `load` reads.
        lm: The model, with weights in its compute type.

    Raises:
        EquipoiseError: It has another vocabulary, or other weights.
    """
    about, hmm = read_json(folder / RECORD), HMM.load(folder / WEIGHTS)
    n_tokens, rows = hmm.emission.shape[1], lm.output_rows
    if n_tokens != rows:
        problem = f"its HMM is over {n_tokens:,} tokens, and model '{lm.name}' has {rows:,}"
    elif about.get("weights_sha256", found := model_identity(lm)) != found:
        problem = (
            f"its HMM was distilled from model '{about.get('model')}', whose weights are not those "
            f"of '{lm.name}'"
        )
    else:
        return
    raise EquipoiseError(
        problem, field="hmm", hint="Name one that 'equipoise distill' made of the same model."
    )


def model_identity(lm: LanguageModel) -> str:
    """SHA-256 over the weights of a model as bfloat16, whatever type it computes in."""
    digest = hashlib.sha256()
    for name, tensor in lm.model.state_dict().items():
        rounded = tensor.detach().cpu().to(torch.bfloat16)
        data = rounded.contiguous().view(-1).view(torch.uint8)
        digest.update(f"{name} {tuple(tensor.shape)} {rounded.dtype}\n".encode())
        digest.update(memoryview(data.numpy()))
    return digest.hexdigest()


def _keep(folder: Path, hmm: HMM, about: dict[str, Any]) -> None:
    partial = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".partial-"))
    save(partial, hmm, about)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
