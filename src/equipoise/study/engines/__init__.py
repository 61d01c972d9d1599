"""Engines: where the processes run that compute a study's cells.

An engine only starts workers and waits for them. Every worker takes cells from the store by itself
(`equipoise.runs.cell_locks`), so all engines share one store, one resume, and each other's company.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from equipoise.errors import EquipoiseError

if TYPE_CHECKING:
    from equipoise.study.engines.assignment import Engine

EngineName = Literal["local", "ray", "slurm"]


def pick_engine(
    name: EngineName,
    jobs: int | None,
    cpus: int | None = None,
    gpus: float | None = None,
    slurm: Iterable[str] = (),
) -> Engine | None:
    """The engine called ``name``; None where the process itself computes all cells.

    Args:
        name: Where workers run.
        jobs: How many there are; by default one here, and one a cell elsewhere.
        cpus: Processors of each; here they share what there is.
        gpus: GPUs of each, likewise.
        slurm: ``NAME=VALUE`` of submitit.

    Raises:
        EquipoiseError: An option has no meaning with that engine, or its package is missing.
    """
    given: dict[str, object] = {"--cpus": cpus, "--gpus": gpus} if name == "local" else {}
    if name != "slurm":
        given["--slurm"] = tuple(slurm) or None
    for flag, value in given.items():
        if value is not None:
            raise EquipoiseError(
                f"it has no meaning with the engine '{name}'",
                field=flag,
                hint="Leave it out, or choose another --engine.",
            )
    if name == "ray":
        from equipoise.study.engines.ray_cluster import RayEngine

        return RayEngine(jobs, cpus or 1, gpus or 0)
    if name == "slurm":
        from equipoise.study.engines.slurm import SlurmEngine

        return SlurmEngine(jobs, cpus or 1, _whole(gpus or 0), _options(slurm))
    if jobs is None or jobs == 1:
        return None
    from equipoise.study.engines.local import LocalEngine

    return LocalEngine(jobs)


def _whole(gpus: float) -> int:
    if gpus != int(gpus):
        raise EquipoiseError(
            f"{gpus} is no whole number", field="--gpus", hint="Slurm gives out whole GPUs."
        )
    return int(gpus)


def _options(given: Iterable[str]) -> dict[str, str | int]:
    """``NAME=VALUE`` as submitit takes it; whole numbers are numbers."""
    found: dict[str, str | int] = {}
    for option in given:
        name, equals, value = option.partition("=")
        if not equals or not name.isidentifier():
            raise EquipoiseError(
                f"{option!r} is not of the form NAME=VALUE",
                field="--slurm",
                hint="Write for example: --slurm timeout_min=240 --slurm slurm_partition=gpu",
            )
        found[name] = int(value) if value.isdecimal() else value
    return found
