"""``equipoise evaluate``: scores of completions, whoever made them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from equipoise.cli.options import Force, TaskName
from equipoise.cli.terminal import say_written, show, show_table

RESULTS = ("by_seed.csv", "compliance.csv", "scored.csv")

EXAMPLES = """\b
Examples:
  equipoise evaluate completions.csv
  equipoise evaluate theirs.csv --text-column Answer --out scores"""


def evaluate(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Completions in UTF-8.")],
    task: TaskName = "occupations",
    text_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Column of the text.", show_default="text, completion, ..."
        ),
    ] = None,
    subject_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Column of the subject.", show_default="subject, occupation"
        ),
    ] = None,
    prefix: Annotated[
        Literal["as-is", "add"],
        typer.Option(help="'add' puts 'The doctor was' before texts that lack it."),
    ] = "as-is",
    training: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="A train_examples.csv, for the verbatim rate."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help=f"Write {', '.join(RESULTS)} there."),
    ] = None,
    force: Force = False,
) -> None:
    """Score anybody's completions.

    The text is in a column named text, completion, output or sample, the
    subject in one named subject or occupation, in any case; others are named
    by flag. Columns method (or model), seed and split are used if there.
    The first sentence of each text is judged.
    """
    from equipoise.evaluation import balance_table, write_table
    from equipoise.evaluation import evaluate as score_file

    if out is not None:
        _check_results(out, force=force)
    texts = None if training is None else _training_texts(training)
    found = score_file(
        file,
        task,
        text_column=text_column,
        subject_column=subject_column,
        prefix=prefix,
        training_texts=texts,
    )
    show_table(balance_table(found.compliance, found.by_seed))
    for remark in found.remarks:
        show(remark)
    if out is not None:
        tables = (found.by_seed, found.compliance, found.completions)
        for name, table in zip(RESULTS, tables, strict=True):
            write_table(out / name, table)
        say_written(out / name for name in RESULTS)


def _check_results(out: Path, *, force: bool) -> None:
    from equipoise.artifacts import make_folder
    from equipoise.cli.files import new_file

    make_folder(out)
    for name in RESULTS:
        new_file(out / name, force=force)


def _training_texts(path: Path) -> list[str]:
    from equipoise.errors import EquipoiseError
    from equipoise.evaluation.csv_file import read_rows

    columns = read_rows(path).columns
    if "text" not in columns:
        raise EquipoiseError(
            "has no column 'text'", file=path, mend="Give the train_examples.csv of the training."
        )
    return columns["text"]
