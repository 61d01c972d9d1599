"""``equipoise evaluate``: scores of completions, whoever made them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.failures import on_interrupt
from equipoise.cli.options import (
    Alpha,
    ExcelSafe,
    Force,
    IndependentModel,
    Lac,
    Margin,
    MethodColumn,
    PrefixRule,
    Quiet,
    ReferenceModel,
    SubjectColumn,
    SubjectsAre,
    TaskName,
    TextColumn,
    naming_flags,
    statistics_of,
)
from equipoise.cli.terminal import say_written, show, show_table

if TYPE_CHECKING:
    from equipoise.measures import Evaluation

EXAMPLES = """\b
Examples:
  equipoise evaluate completions.csv
  equipoise evaluate theirs.csv --text-column Verdict --out scores
  equipoise evaluate samples_occupations.jsonl
  equipoise evaluate theirs.csv --reference-model smollm2-135m-instruct"""


def evaluate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, JSON, Parquet or a log.")],
    task: TaskName = "occupations",
    text_column: TextColumn = None,
    subject_column: SubjectColumn = None,
    method_column: MethodColumn = None,
    prefix: PrefixRule = "as-is",
    training: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="A train_examples.csv, for the verbatim rate."),
    ] = None,
    reference_model: ReferenceModel = None,
    independent_model: IndependentModel = None,
    lac: Lac = None,
    margin: Margin = 0.05,
    alpha: Alpha = 0.05,
    subjects: SubjectsAre = "sampled",
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write all tables and the judged texts there."),
    ] = None,
    excel_safe: ExcelSafe = False,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Measure anybody's completions.

    FILE is CSV (with commas, semicolons or tabs), JSON lines, a JSON array,
    Parquet, or a log of lm-evaluation-harness or inspect_ai. Columns of text,
    subject, method, seed and split are recognised by their usual names;
    others are named by flag. What was taken and left out is said. The first
    sentence of each text is judged. Several methods in one file are tested
    against each other.
    """
    from equipoise.measures import evaluate as score_file
    from equipoise.measures import write_table
    from equipoise.progress import StageProgress
    from equipoise.wording.spreadsheet import without_formulas

    settings = statistics_of(margin=margin, alpha=alpha, subjects=subjects)
    if out is not None:
        _check_results(out, force=force)
    texts = None if training is None else _training_texts(training)
    with (
        on_interrupt("Run the same command to begin again."),
        naming_flags(),
        StageProgress(quiet=quiet) as progress,
    ):
        found = score_file(
            file,
            task,
            text_column=text_column,
            subject_column=subject_column,
            method_column=method_column,
            prefix=prefix,
            training_texts=texts,
            reference_model=reference_model,
            independent_model=independent_model,
            lac=lac,
            settings=settings,
            on_progress=progress.report,
        )
    _show(found, out)
    if out is not None:
        tables = {**found.tables, "scored": found.completions}
        for name, table in tables.items():
            written = without_formulas(table) if excel_safe else table
            write_table(out / f"{name}.csv", written)
        say_written(out / f"{name}.csv" for name in tables)


def _show(found: Evaluation, out: Path | None) -> None:
    """The tables and remarks on the terminal, and where the tests are."""
    for table in found.terminal_tables():
        show_table(table)
    for remark in found.remarks:
        show(remark)
    methods = found.completions["method"].nunique()
    if methods > 1:
        where = "see comparisons.csv" if out is not None else "comparisons.csv, with --out DIR"
        show(f"Tests of the {methods} methods against each other: {where}.")


def _check_results(out: Path, *, force: bool) -> None:
    """Refuse to overwrite any table that may be written."""
    from equipoise.cli.files import new_file
    from equipoise.files.artifacts import make_folder
    from equipoise.measures import registry

    make_folder(out)
    for name in ("summary", *(table.name for table in registry.tables()), "scored"):
        new_file(out / f"{name}.csv", force=force)


def _training_texts(path: Path) -> list[str]:
    from equipoise.errors import EquipoiseError
    from equipoise.files.csv_file import read_rows

    columns = read_rows(path).columns
    if "text" not in columns:
        raise EquipoiseError(
            "has no column 'text'", file=path, hint="Give the train_examples.csv of the training."
        )
    return columns["text"]
