"""A study file: which methods, on which task and model, with which seeds and sampling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from equipoise.errors import EquipoiseError, nearest
from equipoise.files.toml_file import read_toml
from equipoise.methods.method import Method
from equipoise.model.draws import Sampling
from equipoise.model.endpoint import EndpointSettings, check_endpoint, is_endpoint
from equipoise.model.model_size import model_size
from equipoise.model.registry import model_digest, model_label
from equipoise.runs.cell import Cell
from equipoise.runs.identity import task_digest
from equipoise.runs.sweep import SWEEPS, Sweep
from equipoise.settings import parse
from equipoise.statistics.statistics_settings import StatisticsSettings
from equipoise.study.builtin import study_path
from equipoise.study.dependencies import check_needs, in_order, line_of, needed_by
from equipoise.study.measures_table import MeasuresTable, check_measures, read_measures
from equipoise.study.method_tables import build_methods, in_table
from equipoise.study.overrides import apply_override
from equipoise.study.study_table import StudyTable, read_study, read_task
from equipoise.study.sweeps import as_written, expand_sweeps
from equipoise.study.tuned import check_tuned, take_out
from equipoise.study.weightless import check_weightless
from equipoise.task.task import Task

TABLES = ("study", "sampling", "endpoint", "measures", "statistics", "methods")


@dataclass(frozen=True)
class Specification:
    """A study file, read and checked.

    Attributes:
        study: Its ``[study]`` table.
        sampling: Its ``[sampling]`` table.
        methods: Its methods by label, in the file's order.
        task: The task it names.
        path: The file.
        measures: Its ``[measures]`` table.
        tables: All its tables as they were read, overrides included; another process makes the
            same specification of them.
        endpoint: Its ``[endpoint]`` table, for models that answer over the network.
        statistics: Its ``[statistics]`` table.
        sweeps: Tables of ``[methods]`` that became several methods.
        tuned: The studies that chose settings of methods, by label; see ``tuned.check_tuned``.
    """

    study: StudyTable
    sampling: Sampling
    methods: Mapping[str, Method[Any]]
    task: Task
    path: Path | None = None
    measures: MeasuresTable = field(default_factory=MeasuresTable)
    tables: Mapping[str, Any] = field(default_factory=dict, repr=False)
    endpoint: EndpointSettings = field(default_factory=EndpointSettings)
    statistics: StatisticsSettings = field(default_factory=StatisticsSettings)
    sweeps: tuple[Sweep, ...] = ()
    tuned: Mapping[str, str] = field(default_factory=dict)

    def cells(self) -> list[Cell]:
        """All cells, method by method."""
        return [Cell(label, seed) for label in self.methods for seed in self.study.seeds]

    def computing_order(self) -> list[Cell]:
        """All cells, each after all that it builds on; all methods of a seed, then the next.

        So a run that is stopped early has something to compare.
        """
        labels = in_order(self.methods, self.methods)
        return [Cell(label, seed) for seed in self.study.seeds for label in labels]

    def line(self, cell: Cell) -> list[Cell]:
        """The cells whose training ``cell`` builds on, the latest first; itself left out."""
        return [Cell(label, cell.seed) for label in line_of(cell.label, self.methods)[1:]]

    def needs(self, cell: Cell) -> list[Cell]:
        """Those of them whose models or completions ``cell`` itself reads."""
        return [Cell(label, cell.seed) for label in needed_by(cell.label, self.methods)]

    def start(self, cell: Cell) -> Cell | None:
        """The one of them whose model it is given in place of the base model, if any."""
        label = self.methods[cell.label].init_from
        return None if label is None else Cell(label, cell.seed)

    def conditions(self) -> dict[str, Any]:
        """What all cells share, named as in the file; results of others are not comparable.

        A task file and a local model count by their content, wherever they are. Measures do not
        count: what models say of themselves and of completions is asked for anew where they change.
        """
        return {
            "study": {
                "task": self.task.name,
                "task_sha256": self._digests[0],
                "model": model_label(self.study.model),
                "model_sha256": self._digests[1],
                **({"subjects": "train"} if self.study.subjects == "train" else {}),
                "samples_per_subject": self.study.samples_per_subject,
                "device": self.study.device,
                "dtype": self.study.dtype,
            },
            "sampling": self.sampling.model_dump(mode="json"),
            **({"endpoint": self._asked} if is_endpoint(self.study.model) else {}),
        }

    @property
    def _asked(self) -> dict[str, Any]:
        """Which server is asked, and in which way."""
        asked = {"base_url": self.endpoint.address, "api": self.endpoint.api}
        left_out = sorted(self.endpoint.leave_out)
        return {**asked, "leave_out": left_out} if left_out else asked

    @cached_property
    def _digests(self) -> tuple[str, str | None]:
        return task_digest(self.task), model_digest(self.study.model)

    def check_model(self) -> None:
        """Find what its model cannot do for its methods; no weight is read, nothing is fetched.

        Of a model whose configuration is not on this machine nothing is found.

        Raises:
            EquipoiseError: Naming the method's setting.
        """
        if is_endpoint(self.study.model):
            return
        try:
            size = model_size(self.study.model)
        except EquipoiseError:
            return
        for label, method in self.methods.items():
            with as_written(self.sweeps), in_table(label, self.path):
                method.check_model(size)

    def record(self) -> dict[str, Any]:
        """What the study's folder says of itself.

        The statistics are among it, as the tables follow from them; no cell does.
        """
        swept = {sweep.table: sweep.record() for sweep in self.sweeps}
        return {
            "name": self.study.name,
            **self.conditions(),
            "statistics": self.statistics.model_dump(mode="json"),
            "methods": {
                label: {"use": method.name, **method.describe()}
                for label, method in self.methods.items()
            },
            **({SWEEPS: swept} if swept else {}),
            "seeds": list(self.study.seeds),
        }

    def cell_config(self, cell: Cell) -> dict[str, Any]:
        """Everything that decides what a cell holds."""
        method = self.methods[cell.label]
        config = {
            "label": cell.label,
            "use": method.name,
            "seed": cell.seed,
            "settings": method.describe(),
            **self.conditions(),
        }
        # What it builds on decides too, and what that builds on.
        starts = [self.methods[earlier.label] for earlier in self.line(cell)]
        if starts:
            config["starts"] = [{"use": start.name, **start.describe()} for start in starts]
        return config


def read_specification(path: str | Path, overrides: Iterable[str] = ()) -> Specification:
    """Read and check a study file; no model is loaded.

    Args:
        path: The file, or the name of a study that comes with Equipoise.
        overrides: ``table.setting=value``, the value as in TOML, such as
            ``study.samples_per_subject=10`` or ``methods.sft.learning_rate=2e-5``.

    Raises:
        EquipoiseError: There is no such study, its file cannot be read, a table, setting, method,
            task or model is unknown or wrong, or the task cannot serve a method.
    """
    path = study_path(path)
    tables = read_toml(path)
    for override in overrides:
        apply_override(tables, override)
    return specify(tables, path)


def specify(tables: dict[str, Any], path: str | Path) -> Specification:
    """Check the tables of a study file; no model is loaded.

    Args:
        tables: As read from TOML.
        path: The file, from whose folder a task's path is seen.

    Raises:
        EquipoiseError: As `read_specification` does.
    """
    path = Path(path)
    for name in tables:
        if name not in TABLES:
            raise EquipoiseError(
                f"unknown table [{name}]", file=path, field=name, hint=nearest(name, TABLES)
            )
    for name in TABLES[:-1]:  # build_methods says it of [methods]
        if not isinstance(tables.get(name, {}), dict):
            raise EquipoiseError(
                "not a table", file=path, field=name, hint=f"Write [{name}] above its settings."
            )
    study = read_study(tables.get("study", {}), path)
    sampling = parse(Sampling, tables.get("sampling", {}), file=path, field="sampling")
    endpoint = parse(EndpointSettings, tables.get("endpoint", {}), file=path, field="endpoint")
    statistics = parse(
        StatisticsSettings, tables.get("statistics", {}), file=path, field="statistics"
    )
    if is_endpoint(study.model):
        top_k = sampling.top_k
        check_endpoint(study.model, endpoint, top_k=top_k, file=path, field="study.model")
    elif "endpoint" in tables:
        raise EquipoiseError(
            f"model '{study.model}' is no endpoint",
            file=path,
            field="endpoint",
            hint="Drop the table, or name the model openai:NAME.",
        )
    measures = read_measures(tables.get("measures", {}), path)
    task = read_task(study.task, path)
    check_measures(measures, task, path)
    method_tables, named = take_out(tables.get("methods"))
    method_tables, sweeps = expand_sweeps(method_tables, path)
    with as_written(sweeps):
        methods = build_methods(method_tables, path)
        check_needs(methods, path, sweeps)
        if is_endpoint(study.model):
            check_weightless(methods, measures, study.model, path)
        for label, method in methods.items():
            with in_table(label, path):
                method.check(task)
    tuned = check_tuned(named, methods, study, task, path)
    if study.subjects == "train":
        task = task.only_train()
    return Specification(
        study,
        sampling,
        methods,
        task,
        path,
        measures,
        tables,
        endpoint,
        statistics,
        sweeps,
        tuned,
    )
