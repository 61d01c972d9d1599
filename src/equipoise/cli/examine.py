"""``equipoise examine``: what a model does beside a task, and otherwise than another model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.failures import on_interrupt
from equipoise.cli.options import (
    Force,
    Quiet,
    TaskName,
)
from equipoise.cli.terminal import say_written, show, show_table
from equipoise.errors import EquipoiseError

if TYPE_CHECKING:
    from equipoise.measures.declaration import Measured

TABLES = ("side_effects", "side_effect_tests")
"""What is written."""

EXAMPLES = """\b
Examples:
  equipoise examine smollm2-135m-instruct --pairs winobias/
  equipoise examine runs/quickstart/cells/sft/seed42/model \\
    --against smollm2-135m-instruct --text wikitext.txt --out examined"""


def examine(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="An embedded model, folder or Hub id.")
    ],
    against: Annotated[
        str | None,
        typer.Option(metavar="BASE", help="The model that it was made of."),
    ] = None,
    text: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="A text, for perplexity.")
    ] = None,
    pairs: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Minimal pairs; a folder of WinoBias' files."),
    ] = None,
    choices: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Multiple-choice questions.")
    ] = None,
    harness: Annotated[
        list[str] | None,
        typer.Option(metavar="TASK", help="A task of lm-evaluation-harness."),
    ] = None,
    harness_folder: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Tasks of yours in its format; their code is run."),
    ] = None,
    task: TaskName = "occupations",
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write side_effects.csv and the tests there."),
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """See what any model does beside a task.

    Leakage, stories, and files of yours, recognised by their content: a text,
    minimal pairs (CrowS-Pairs, WinoBias, Winogender, or a CSV of two columns
    and a group), questions (BBQ or your own). Tasks of lm-evaluation-harness.
    Given its base, also how far it has gone from it. Files and tasks may be
    given several times.
    """
    from equipoise.cli.files import new_file
    from equipoise.measures import write_table
    from equipoise.measures.occupation_shares import SHARE
    from equipoise.measures.side_effects.harness import HarnessTable, harness_instruments
    from equipoise.measures.side_effects.instruments import read_instruments
    from equipoise.measures.side_effects.loaded import examine as ask
    from equipoise.measures.side_effects.measure import tables_of
    from equipoise.model.registry import check_model_name
    from equipoise.progress_bars import StageProgress
    from equipoise.task.task_file import load_task

    described = load_task(task)
    check_model_name(model, field="MODEL")
    if against is not None:
        check_model_name(against, field="--against")
    shares = described.shares if described.axis and described.axis.share == SHARE else {}
    instruments = read_instruments(text or (), pairs or (), choices or (), shares)
    if harness:
        tasks = HarnessTable(tasks=tuple(harness), folder=harness_folder)
        instruments += harness_instruments(tasks, "--harness")
    elif harness_folder is not None:
        raise EquipoiseError(
            "no task of it is named", field="--harness-folder", hint="Add --harness TASK."
        )
    written = {} if out is None else {name: out / f"{name}.csv" for name in TABLES}
    for path in written.values():
        new_file(path, force=force)
    with on_interrupt("Run the same command to begin again."), StageProgress(quiet=quiet):
        found = tables_of(ask(model, against, described, instruments))
    _show(found)
    for name, path in written.items():
        write_table(path, found.tables[name])
    if written:
        say_written(written.values())


def _show(found: Measured) -> None:
    """The section of a page as a table, and its remarks."""
    from rich import box
    from rich.table import Table

    from equipoise.measures.side_effects.measure import SideEffects
    from equipoise.wording.visible import printable

    methods = list(dict.fromkeys(found.tables["side_effects"]["method"]))
    section = SideEffects().section_of(found.tables, methods)
    if section is None:
        return
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, title=SideEffects.title)
    table.add_column(section.head)
    for title in section.titles:
        table.add_column(printable(title), justify="right")
    for name, cells in section.rows:
        table.add_row(printable(name), *cells)
    show_table(table)
    for remark in found.remarks:
        show(remark)
