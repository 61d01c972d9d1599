"""``equipoise run``: all methods and seeds of a study file, and the table over them."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from equipoise.cli.failures import on_interrupt
from equipoise.cli.options import BaseUrl, Overrides, StudyName
from equipoise.cli.terminal import complain, say, say_written, show_table
from equipoise.wording.visible import printable

URL_VARIABLE = "OPENAI_BASE_URL"

AUTO = "auto"
"""Of ``--jobs``: the number of processes is found by a check."""

if TYPE_CHECKING:
    from equipoise.study.forecast import Forecast
    from equipoise.study.outcome import StudyResult
    from equipoise.study.specification import Specification

EXAMPLES = """\b
Examples:
  equipoise run quickstart
  equipoise run my.toml --out runs/try --set study.samples_per_subject=10
  equipoise run my.toml --jobs 4"""


def run(
    study: StudyName,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the run.", show_default="runs/NAME"),
    ] = None,
    overrides: Overrides = None,
    jobs: Annotated[
        str,
        typer.Option(
            "--jobs",
            "-j",
            metavar="N",
            help="Processes that share the cells.",
            show_default="auto: as many as help; on a cluster one a cell",
        ),
    ] = AUTO,
    engine: Annotated[
        Literal["local", "ray", "slurm"],
        typer.Option(help="Where they run: here, on a Ray cluster, or as Slurm jobs."),
    ] = "local",
    cpus: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="On a cluster: processors of each; 1 by default."),
    ] = None,
    gpus: Annotated[
        float | None,
        typer.Option(metavar="N", min=0, help="On a cluster: GPUs of each; 0 by default."),
    ] = None,
    slurm: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="Option of the Slurm jobs, as submitit has it; repeatable."
        ),
    ] = None,
    base_url: BaseUrl = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the table only.")] = False,
) -> None:
    """Run a study: fit, sample, score and compare its methods.

    What is finished is not computed again, so a run that was stopped goes on
    when the same command is given once more. Given several times at once, the
    runs share the work.
    """
    from equipoise.model.freed_memory import keep_freed_memory
    from equipoise.progress_bars import StageProgress
    from equipoise.study.engines import pick_engine
    from equipoise.study.outcome import CellsFailedError
    from equipoise.study.study import Study, stopped

    keep_freed_memory()
    wanted = _number(jobs)
    trial = Study.from_toml(study, [*(overrides or ()), *address(base_url)])
    forecast = _forecast(trial.specification, wanted, quiet) if engine == "local" else None
    if wanted is None and forecast is not None:
        wanted = forecast.jobs
    chosen = pick_engine(engine, wanted, cpus, gpus, slurm or ())
    folder = out or Path("runs") / trial.specification.study.name
    with on_interrupt(_advice(str(stopped(folder)))), StageProgress(quiet=quiet):
        try:
            result = trial.run(folder, quiet=quiet, engine=chosen, forecast=forecast)
        except CellsFailedError as error:
            if error.result:
                with _told_only():  # which cells failed is the error to end with
                    _finish(error.result, trial.specification, quiet=quiet)
            raise
        _finish(result, trial.specification, quiet=quiet)


def _number(jobs: str) -> int | None:
    """What ``--jobs`` says; None for ``auto``.

    Raises:
        EquipoiseError: It says something else.
    """
    from equipoise.errors import EquipoiseError

    if jobs == AUTO:
        return None
    if not (jobs.isdecimal() and jobs.isascii() and int(jobs) > 0):
        raise EquipoiseError(
            f"'{printable(jobs)}' is no number of processes",
            field="--jobs",
            hint=f"Give a whole number from 1 on, or leave it out for '{AUTO}'.",
        )
    return int(jobs)


def _forecast(specification: Specification, jobs: int | None, quiet: bool) -> Forecast | None:
    """How long the study will take in ``jobs`` processes, or in as many as help; None if unknown.

    What kept it from more processes, or speaks against as many, is said.
    """
    import torch

    from equipoise.study.forecast import Forecast

    forecast = Forecast.of(specification)
    if jobs is None:
        if forecast is None:
            return None
        jobs, why = forecast.best_jobs()
        if why and not quiet:
            say(why)
    elif not quiet and jobs > (threads := torch.get_num_threads()):
        say(f"--jobs {jobs}: more than the {threads} threads there are; they take turns.")
    return replace(forecast, jobs=jobs) if forecast else None


def address(base_url: str | None) -> list[str]:
    """The setting of a study file that ``--base-url`` stands for; the key may be sent there."""
    if base_url is None:
        return []
    os.environ[URL_VARIABLE] = base_url
    return [f"endpoint.base_url={json.dumps(base_url)}"]


def _advice(text: str) -> str:
    return text.replace(": stopped; ", ": ")


@contextlib.contextmanager
def _told_only() -> Iterator[None]:
    from equipoise.errors import EquipoiseError

    try:
        yield
    except EquipoiseError as error:
        complain(str(error))


def _finish(result: StudyResult, specification: Specification, *, quiet: bool) -> None:
    """Print the table and what was written, then write cards and report.

    Raises:
        EquipoiseError: Cards or report cannot be written; the error says that the results can be
            used.
    """
    evaluation = result.evaluation
    for table in evaluation.terminal_tables():
        show_table(table)
    for remark in evaluation.remarks:
        say(remark)
    if not quiet:
        _say_done(result)
    with _results_are_complete("card of a model", result.folder, "Run the same command again."):
        _write_cards(result, specification)
    again = f"Try again with: equipoise report {result.folder}"
    with _results_are_complete("report", result.folder, again):
        _write_report(result, specification, quiet=quiet)


def _say_done(result: StudyResult) -> None:
    done, total = len(result.skipped), len(result.skipped) + len(result.computed)
    if not result.computed:
        say(f"Nothing was to do: all {total} cells were done already.")
    elif done:
        say(f"{done} of {total} cells were done already.")
    say_written(result.written)


@contextlib.contextmanager
def _results_are_complete(what: str, folder: Path, hint: str) -> Iterator[None]:
    """Within it, whatever goes wrong is told as a failure to write ``what`` and nothing else."""
    from equipoise.errors import EquipoiseError

    try:
        yield
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise EquipoiseError(
            f"the results are complete, but the {what} was not written ({reason.rstrip('.')})",
            file=folder,
            hint=hint,
        ) from error


def _write_cards(result: StudyResult, specification: Specification) -> None:
    """Write the card of each trained model into its folder."""
    from equipoise.publishing.write import write_run_cards

    write_run_cards(specification, result.folder)


def _write_report(result: StudyResult, specification: Specification, *, quiet: bool) -> None:
    """Write the report; its cells were sealed or checked a moment ago."""
    from equipoise.progress_bars import StageProgress
    from equipoise.report import write_report
    from equipoise.runs.store import Store

    # Runs that share the cells end together, and each writes the same report.
    with Store(result.folder).exclusive(), StageProgress(quiet=quiet):
        page, *_ = write_report(result.folder, task=specification.task, own=True)
    if not quiet:
        say(f"Report: {page}")
