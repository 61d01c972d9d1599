"""Workers as tasks of a Ray cluster, one that is there or one on this machine: ``--engine ray``.

Ray ships functions by their names and arguments by its own serialisation; what is stored is still
JSON, CSV and safetensors. All machines must see the run's folder and the model under the same
paths, and have Equipoise installed.
"""

from __future__ import annotations

import contextlib
import math
from typing import Any

from equipoise.errors import EquipoiseError
from equipoise.study.engines.assignment import Assignment
from equipoise.study.engines.watch import Watch
from equipoise.study.engines.worker import work

POLL_SECONDS = 0.5
MOST_RETRIES = 3
"""Times that Ray starts a worker again whose process or machine has died."""


class RayEngine:
    """Workers on a Ray cluster.

    Args:
        jobs: How many; by default one a cell. Those for which there is no room wait.
        cpus: Processors of each, which is also the number of its threads.
        gpus: GPUs of each; a fraction lets workers share one.
    """

    def __init__(self, jobs: int | None, cpus: int, gpus: float) -> None:
        self.jobs, self.cpus, self.gpus = jobs, cpus, gpus
        _import_ray()

    def threads(self) -> int:
        """See ``Engine.threads``."""
        return self.cpus

    def work(self, assignment: Assignment, watch: Watch) -> None:
        """See ``Engine.work``. Ray replaces a worker that is killed."""
        ray = _import_ray()
        n = min(self.jobs or len(assignment.cells), len(assignment.cells))
        ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        try:
            self._check_room(ray.cluster_resources())
            needs = {"num_cpus": self.cpus, "num_gpus": self.gpus, "max_retries": MOST_RETRIES}
            task = ray.remote(**needs)(work)
            plain = assignment.as_plain()
            watch.progress.wait()
            _await(ray, [task.remote(plain, quiet=True) for _ in range(n)], watch)
        finally:
            ray.shutdown()

    def _check_room(self, resources: dict[str, float]) -> None:
        """Refuse what would wait for ever: no machine is that large."""
        for name, wanted in (("CPU", self.cpus), ("GPU", math.ceil(self.gpus))):
            if wanted > (there := resources.get(name, 0)):
                raise EquipoiseError(
                    f"each worker needs {wanted} {name}s, and the Ray cluster has {there:g}",
                    field=f"--{name.lower()}s",
                    hint="Ask for fewer.",
                )


def _await(ray: Any, tasks: list[Any], watch: Watch) -> None:
    """Return when all cells are settled or all workers have ended; no worker is left then."""
    try:
        while tasks and watch.left:
            ended, tasks = ray.wait(tasks, timeout=POLL_SECONDS)
            watch.look(say=True)
            for one in ended:
                _raise_own(ray, one)
    finally:
        for one in tasks:  # those that still wait for room, or find that nothing is left
            ray.cancel(one, force=False)
        for one in tasks:
            with contextlib.suppress(ray.exceptions.RayError, KeyboardInterrupt):
                ray.get(one)


def _raise_own(ray: Any, task: Any) -> None:
    """Raise what a worker raised; that its process is gone is told by the cells that are left."""
    try:
        ray.get(task)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, EquipoiseError):
            raise error.cause from None
        raise
    except ray.exceptions.RayError:
        return


def _import_ray() -> Any:
    try:
        import ray
    except ModuleNotFoundError:
        raise EquipoiseError(
            "the Python package 'ray' is missing",
            field="--engine",
            hint="Install it with: python3 -m pip install 'equipoise[ray]'",
        ) from None
    return ray
