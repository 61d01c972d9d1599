"""Files beside a model's weights that Equipoise alone reads: what hooks do, as tensors.

The model's configuration names each, so that its absence is noticed. Transformers alone reads the
weights and knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import clear_write_errors

Found = TypeVar("Found")


class Beside(NamedTuple):
    """One kind of such file.

    Attributes:
        name: The file's name.
        mark: The name in the model's configuration that says that it is there.
        what: What it holds, for errors.
    """

    name: str
    mark: str
    what: str


def store_beside(
    kind: Beside,
    model: Any,
    folder: Path,
    tensors: Mapping[str, Tensor],
    metadata: Mapping[str, str],
) -> None:
    """Write ``tensors`` into the model's folder, and into its configuration that they are there.

    Without any, neither is left there.

    Raises:
        EquipoiseError: The folder cannot be written.
    """
    path = folder / kind.name
    with clear_write_errors(path):
        folder.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        vars(model.config).pop(kind.mark, None)
        if tensors:
            setattr(model.config, kind.mark, kind.name)
            # Shared memory is refused.
            alone = {name: tensor.contiguous().clone() for name, tensor in tensors.items()}
            save_file(alone, path, metadata=dict(metadata))


def load_beside(
    kind: Beside,
    model: Any,
    folder: Path | None,
    make: Callable[[Mapping[str, Tensor], Mapping[str, str]], Found],
) -> Found | None:
    """What ``make`` makes of the tensors and metadata that belong to ``model``; None without them.

    Args:
        kind: Which file.
        model: As loaded by transformers.
        folder: Where its files are; None if it came from the Hub.
        make: May raise a ``KeyError``, ``TypeError`` or ``ValueError`` for what is damaged.

    Raises:
        EquipoiseError: The file is missing or damaged.
    """
    if getattr(model.config, kind.mark, None) is None:
        return None
    if folder is None:
        raise EquipoiseError(
            f"the model needs its {kind.name}, which is read from local folders only",
            hint="Download the whole repository, and name the folder.",
        )
    path = folder / kind.name
    try:
        with safe_open(path, framework="pt") as stored:
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
            return make(tensors, stored.metadata() or {})
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise EquipoiseError(
            f"holds no {kind.what} that can be read ({str(error).rstrip('.')})",
            file=path,
            hint="Restore the file, or make the model again.",
        ) from error
