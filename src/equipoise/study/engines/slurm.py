"""Workers as an array of Slurm jobs, by submitit: ``--engine slurm``.

A job that is preempted or runs out of time writes a checkpoint and is queued again. submitit ships
the function by its name and the arguments by pickle, in the run's ``.work/slurm/``; nobody else can
write there, and what is stored of the study is still JSON, CSV and safetensors.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Any

from equipoise.errors import EquipoiseError
from equipoise.runs.layout import WORK
from equipoise.study.engines.assignment import Assignment
from equipoise.study.engines.watch import Watch
from equipoise.study.engines.worker import work

POLL_SECONDS = 1.0
LOGS = "slurm"


class SlurmEngine:
    """Workers on a Slurm cluster.

    Args:
        jobs: How many; by default one a cell.
        cpus: Processors of each, which is also the number of its threads.
        gpus: GPUs of each.
        options: Of submitit, such as ``timeout_min`` or ``slurm_partition``.
        cluster: ``slurm``, or ``local`` for submitit's stand-in on this machine.
    """

    def __init__(
        self,
        jobs: int | None,
        cpus: int,
        gpus: int,
        options: Mapping[str, str | int],
        cluster: str = "slurm",
    ) -> None:
        self.jobs, self.cpus, self.gpus = jobs, cpus, gpus
        self.options, self.cluster = dict(options), cluster
        _import_submitit()

    def threads(self) -> int:
        """See ``Engine.threads``."""
        return self.cpus

    def work(self, assignment: Assignment, watch: Watch) -> None:
        """See ``Engine.work``. Ctrl-C cancels the jobs."""
        n = min(self.jobs or len(assignment.cells), len(assignment.cells))
        folder = assignment.out / WORK / LOGS
        executor = self._executor(str(folder))
        plains = [assignment.as_plain()] * n
        jobs: Sequence[Any] = executor.map_array(Requeued(), plains)
        watch.progress.say(f"{n} jobs: {jobs[0].job_id} and on; what they say is in {folder}")
        watch.progress.wait()
        try:
            _await(jobs, watch)
        finally:
            for job in jobs:
                if not job.done():
                    job.cancel(check=False)
            while not all(job.done(force_check=True) for job in jobs):
                time.sleep(POLL_SECONDS)

    def _executor(self, folder: str) -> Any:
        submitit = _import_submitit()
        try:
            executor = submitit.AutoExecutor(folder=folder, cluster=self.cluster)
            executor.update_parameters(
                cpus_per_task=self.cpus, gpus_per_node=self.gpus, name="equipoise", **self.options
            )
        except (RuntimeError, TypeError, NameError, ValueError) as error:
            raise EquipoiseError(
                f"submitit refuses: {str(error).rstrip('.')}",
                field="--engine slurm",
                hint="Is this a machine from which Slurm jobs are submitted? See --slurm.",
            ) from error
        return executor


def _await(jobs: Sequence[Any], watch: Watch) -> None:
    """Return when all cells are settled, or no job is left that would settle them."""
    while watch.left and not all(job.done() for job in jobs):
        time.sleep(POLL_SECONDS)
        watch.look(say=True)
    watch.look(say=True)
    if not watch.left:
        return
    for job in jobs:
        if (error := job.exception()) is not None:
            text = str(error).strip().splitlines()
            raise EquipoiseError(f"a worker ended with an error: {text[-1] if text else error!r}")


class Requeued:
    """A worker that writes a checkpoint when Slurm wants its place, and is then queued again."""

    def __call__(self, plain: dict[str, Any]) -> None:
        """Compute cells until none is left; see `equipoise.study.engines.worker.work`."""
        import submitit

        name = submitit.JobEnvironment()._usr_sig()
        requeue = signal.getsignal(name)
        wanted = False

        def preempted(number: int, frame: FrameType | None) -> None:
            nonlocal wanted
            wanted = True
            signal.raise_signal(signal.SIGINT)

        signal.signal(signal.SIGTERM, signal.default_int_handler)
        signal.signal(name, preempted)
        try:
            work(plain, quiet=False)
        except KeyboardInterrupt:
            if wanted and callable(requeue):
                requeue(name, None)  # ends this process
            raise

    def checkpoint(self, plain: dict[str, Any]) -> Any:
        """What is queued again: the same, as all that was done is in the run's folder."""
        import submitit

        return submitit.helpers.DelayedSubmission(self, plain)


def _import_submitit() -> Any:
    with contextlib.suppress(ModuleNotFoundError):
        import submitit

        return submitit
    raise EquipoiseError(
        "the Python package 'submitit' is missing",
        field="--engine",
        hint="Install it with: python3 -m pip install 'equipoise[slurm]'",
    )
