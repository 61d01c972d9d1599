"""``study.json``: what a run's folder says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import check_name, read_or_none
from equipoise.model.endpoint import LIMIT_NAMES
from equipoise.runs.cell import Cell
from equipoise.runs.layout import RECORD
from equipoise.wording.visible import well_formed

MADE_ANEW = "Run the study again with this folder: it is written anew."


def read_record(folder: str | Path) -> dict[str, Any]:
    """The ``study.json`` of a run, with the parts checked that everybody needs.

    Those are the table ``study``, the methods by label, and the seeds. Labels become the names of
    folders, so none may lead out of the run's.

    Raises:
        EquipoiseError: The folder holds no run, or the file is damaged or not what a run writes.
    """
    path = Path(folder) / RECORD
    if not path.is_file():
        raise EquipoiseError(
            f"holds no {RECORD}, so it is no run",
            file=folder,
            hint="Give the folder that 'equipoise run' wrote, such as runs/quickstart.",
        )
    record = well_formed(read_or_none(path))
    if not isinstance(record, dict):
        raise EquipoiseError("damaged", file=path, hint=MADE_ANEW)
    for name, kind in (("study", dict), ("methods", dict), ("seeds", list)):
        if not isinstance(record.get(name), kind):
            raise EquipoiseError("is not as a run writes it", file=path, field=name, hint=MADE_ANEW)
    for label in record["methods"]:
        check_name(label, "methods", file=path)
    if not all(isinstance(seed, int) and 0 <= seed < 2**32 for seed in record["seeds"]):
        raise EquipoiseError(
            "are not whole numbers from 0", file=path, field="seeds", hint=MADE_ANEW
        )
    return dict(record)


def cells_of(record: dict[str, Any]) -> list[Cell]:
    """The cells of the run that ``record`` is of, method by method."""
    return [Cell(label, seed) for label in record["methods"] for seed in record["seeds"]]


def sampling_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """How completions were drawn; settings that an endpoint was not sent are left out."""
    names = set(left_out(record))
    if names & {*LIMIT_NAMES}:
        names.add("max_new_tokens")
    sampling = record.get("sampling")
    if not isinstance(sampling, dict):
        return {}
    return {name: value for name, value in sampling.items() if name not in names}


def left_out(record: Mapping[str, Any]) -> list[str]:
    """The parameters that an endpoint was not sent, as it refuses them."""
    endpoint = record.get("endpoint")
    names = endpoint.get("leave_out") if isinstance(endpoint, dict) else None
    return list(map(str, names)) if isinstance(names, list) else []
