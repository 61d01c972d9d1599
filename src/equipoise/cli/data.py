"""``equipoise data``: training examples, and what is in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from equipoise.cli.failures import on_interrupt
from equipoise.cli.options import Force, Seed, TaskName
from equipoise.cli.terminal import say_written

if TYPE_CHECKING:
    from equipoise.task.examples import Example

STEP = 1000
"""Sentences between two updates of the bar."""

EXAMPLES = """\b
Examples:
  equipoise data --out train.csv
  equipoise data -n 1000 --split validation --out validation.jsonl"""


def data(
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write them.")],
    task: TaskName = "occupations",
    per_subject: Annotated[
        int, typer.Option("-n", metavar="N", min=1, help="Sentences about each subject.")
    ] = 20,
    split: Annotated[
        Literal["train", "validation"], typer.Option(help="The subjects they are about.")
    ] = "train",
    format: Annotated[
        Literal["csv", "jsonl"] | None,
        typer.Option(help="Kind of file.", show_default="by the name of FILE, else csv"),
    ] = None,
    seed: Seed = 42,
    force: Force = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Write balanced training sentences.

    Each is distinct and satisfies the task's constraint. Beside FILE.csv
    stands FILE_dataset_stats.json: balance rate, frequency of every term,
    use of templates, word counts.
    """
    from equipoise.artifacts import write_json
    from equipoise.cli.files import new_file
    from equipoise.progress import StageProgress
    from equipoise.task.dataset import dataset_statistics, write_examples
    from equipoise.task.examples import BalancedExampleGenerator
    from equipoise.task.task import load_task

    kind = format or ("jsonl" if out.suffix.lower() == ".jsonl" else "csv")
    statistics = out.with_name(f"{out.stem}_dataset_stats.json")
    described = load_task(task)
    examples = BalancedExampleGenerator(described, seed).generate(per_subject, split)
    new_file(out, force=force)
    new_file(statistics, force=force)
    n_subjects = len(described.train if split == "train" else described.validation)
    with on_interrupt(f"{out} was not written."), StageProgress(quiet=quiet) as progress:
        counted = _counted(examples, n_subjects * per_subject, progress.report)
        made = list(counted)
        parts = (made, []) if split == "train" else ([], made)
        write_json(statistics, dataset_statistics(*parts, described))
        write_examples(out, made, kind)
    if not quiet:
        say_written([out, statistics])


def _counted(
    examples: Iterator[Example], total: int, report: Callable[[str, int, int], None]
) -> Iterator[Example]:
    """``examples`` as they are; ``report`` is told how many have passed."""
    for done, example in enumerate(examples, start=1):
        if done % STEP == 0 or done == total:
            report("sentences", done, total)
        yield example
