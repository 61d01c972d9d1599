"""``equipoise data``: training examples, and what is in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from equipoise.cli.failures import on_interrupt
from equipoise.cli.options import ExcelSafe, Force, Seed, TaskName
from equipoise.cli.terminal import say_written

if TYPE_CHECKING:
    from equipoise.task.examples import Example
    from equipoise.task.task import Split, Task

STEP = 1000
"""Sentences between two updates of the bar."""

EXAMPLES = """\b
Examples:
  equipoise data --out train.csv
  equipoise data -n 1000 --split validation --out validation.jsonl
  equipoise data --format preference --pairs free --out pairs.jsonl"""


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
        Literal["csv", "jsonl", "preference"] | None,
        typer.Option(
            help="Kind of file; 'preference' writes pairs as TRL reads them.",
            show_default="by the name of FILE, else csv",
        ),
    ] = None,
    pairs: Annotated[
        Literal["minimal", "free"] | None,
        typer.Option(
            help="Rejected sides: the chosen ones with a term exchanged, or other sentences.",
            show_default="minimal",
        ),
    ] = None,
    neither: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE", min=0, max=1, help="Rejected sides without any term.", show_default="0"
        ),
    ] = None,
    prompt: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="Prompt of the pairs.", show_default="neutral"),
    ] = None,
    seed: Seed = 42,
    excel_safe: ExcelSafe = False,
    force: Force = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Write balanced training sentences, or preference pairs.

    Each sentence is distinct and satisfies the task's constraint. Beside
    FILE.csv stands FILE_dataset_stats.json: balance rate, frequency of every
    term, use of templates, word counts. Pairs put such a sentence before one
    that fails the constraint; beside them stands FILE_pair_stats.json.
    """
    from equipoise.cli.files import new_file
    from equipoise.progress import StageProgress
    from equipoise.task.task_file import load_task

    kind = format or ("jsonl" if out.suffix.lower() == ".jsonl" else "csv")
    _check_flags(kind, {"--pairs": pairs, "--neither": neither, "--prompt": prompt})
    if excel_safe and kind != "csv":
        raise typer.BadParameter("--excel-safe needs --format csv.")
    named = "pair_stats" if kind == "preference" else "dataset_stats"
    statistics = out.with_name(f"{out.stem}_{named}.json")
    described = load_task(task)
    for path in (out, statistics):
        new_file(path, force=force)
    with on_interrupt(f"{out} was not written."), StageProgress(quiet=quiet) as progress:
        made = _Made(described, seed, per_subject, split, progress.report)
        if kind == "preference":
            made.write_pairs(out, statistics, pairs or "minimal", neither or 0.0, prompt)
        else:
            made.write_examples(out, statistics, kind, excel_safe)
    if not quiet:
        say_written([out, statistics])


def _check_flags(kind: str, flags: dict[str, object]) -> None:
    """Refuse flags that mean nothing for the kind of file."""
    given = [flag for flag, value in flags.items() if value is not None]
    if given and kind != "preference":
        raise typer.BadParameter(f"{given[0]} needs --format preference.")


@dataclass(frozen=True)
class _Made:
    """Data of one task, made and written."""

    task: Task
    seed: int
    n: int
    split: Split
    report: Callable[[str, int, int], None]

    def write_examples(
        self, out: Path, statistics: Path, kind: Literal["csv", "jsonl"], excel_safe: bool
    ) -> None:
        from equipoise.files.artifacts import write_json
        from equipoise.task.dataset import dataset_statistics, write_examples
        from equipoise.task.examples import BalancedExampleGenerator

        examples = BalancedExampleGenerator(self.task, self.seed).generate(self.n, self.split)
        subjects = self.task.train if self.split == "train" else self.task.validation
        made = list(_counted(examples, len(subjects) * self.n, self.report))
        parts = (made, []) if self.split == "train" else ([], made)
        write_json(statistics, dataset_statistics(*parts, self.task))
        write_examples(out, made, kind, excel_safe=excel_safe)

    def write_pairs(
        self,
        out: Path,
        statistics: Path,
        style: Literal["minimal", "free"],
        neither: float,
        prompt: str | None,
    ) -> None:
        from equipoise.files.artifacts import write_json
        from equipoise.task.preference import PreferencePairGenerator
        from equipoise.task.preference_file import preference_statistics, write_pairs
        from equipoise.tracking import tracked

        kind = prompt or "neutral"
        self.task.prompt(self.task.train[0].name, kind)  # wrong kinds are found before all work
        generator = PreferencePairGenerator(self.task, self.seed, style, neither)
        subjects = self.task.train if self.split == "train" else self.task.validation
        total = len(subjects) * self.n
        made = list(tracked(generator.generate(self.n, self.split), "pairs", total))
        parts = (made, []) if self.split == "train" else ([], made)
        write_json(statistics, preference_statistics(*parts, self.task))
        write_pairs(out, made, self.task, kind)


def _counted(
    examples: Iterator[Example], total: int, report: Callable[[str, int, int], None]
) -> Iterator[Example]:
    """``examples`` as they are; ``report`` is told how many have passed."""
    for done, example in enumerate(examples, start=1):
        if done % STEP == 0 or done == total:
            report("sentences", done, total)
        yield example
