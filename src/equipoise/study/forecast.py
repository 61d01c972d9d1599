"""Before a study runs: in how many processes, and how long that will take on this machine."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from equipoise.errors import EquipoiseError
from equipoise.model.endpoint import is_endpoint
from equipoise.runs.cell import Cell
from equipoise.study.planning.plan import StudyPlan, plan_study
from equipoise.study.specification import Specification
from equipoise.wording.numbers import duration

MEMORY_SHARE = 0.8
"""Of a machine's memory, what the processes of a study may take."""

WORTHWHILE = 1e13
"""A study of fewer operations runs in one process: others take a while to start. It is what two
cores without bfloat16 do in a minute."""

PARALLEL_GAIN = 1.25
"""How much faster two processes of half the threads are than one (AMD EPYC, AVX2: 1.32 and 1.19
in training updates of 16 and 4 sentences)."""


@dataclass(frozen=True)
class Forecast:
    """What a study will take on this machine.

    Attributes:
        specification: The study.
        plan: Memory and seconds of its cells.
        jobs: In how many processes it will be computed.
    """

    specification: Specification
    plan: StudyPlan
    jobs: int = 1

    @classmethod
    def of(cls, specification: Specification) -> Forecast | None:
        """The forecast of a study, by its plan and a check of a fraction of a second.

        None where nobody can tell: of a model behind an endpoint, or one that is not here yet.
        """
        if is_endpoint(specification.study.model):
            return None
        try:
            return cls(specification, plan_study(specification))
        except EquipoiseError:
            return None

    def best_jobs(self) -> tuple[int, str]:
        """In how many processes the study is best computed, and what kept it from more.

        It depends on the study and the machine, never on what is left of a run: a run that goes on
        has the threads that it began with.
        """
        cells = self.specification.cells()
        if self.plan.device != "cpu":
            return min(max(1, torch.cuda.device_count()), len(cells)), ""
        if self.plan.operations < WORTHWHILE:
            return 1, ""
        most = min(torch.get_num_threads(), len(cells))
        peak = max(one.memory.peak for one in self.plan.methods.values())
        fitting = max(1, int(MEMORY_SHARE * self.plan.memory_bytes / peak))
        if fitting >= most:
            return most, ""
        return fitting, (
            f"{most} processes would need {most * peak / 1e9:.0f} GB of memory, of "
            f"{self.plan.memory_bytes / 1e9:.0f} GB; the study runs in {fitting}."
        )

    def seconds(self, cells: Iterable[Cell]) -> float:
        """How long ``cells`` take, and what the tables ask of their models.

        Each process takes the next cell when it is free, and asks models when none is left. What
        was asked for other cells is known.

        Args:
            cells: Those that are not done, in the order in which they are computed.
        """
        shared = self.jobs > 1 and self.plan.device == "cpu"
        slower = self.jobs / PARALLEL_GAIN if shared else 1
        free = [0.0] * self.jobs
        begun: set[str] = set()
        left = list(cells)
        for cell in left:
            method = self.plan.methods[cell.label]
            once = 0 if cell.label in begun else method.once_seconds
            begun.add(cell.label)
            heapq.heapreplace(free, free[0] + slower * (method.cell_seconds + once))
        tables = self.plan.tables_seconds * len(left) / len(self.specification.cells())
        return max(free) + slower * tables / self.jobs

    def line(self, cells: Iterable[Cell]) -> str:
        """The forecast as a line for the user."""
        how = "in one process" if self.jobs == 1 else f"in {self.jobs} processes"
        return f"This will take some {duration(self.seconds(cells))} on this machine, {how}."
