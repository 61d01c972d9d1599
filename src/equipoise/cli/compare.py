"""``equipoise compare``: tests two files of completions against each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.options import (
    Alpha,
    ExcelSafe,
    Force,
    IndependentModel,
    Lac,
    Margin,
    MethodColumn,
    PrefixRule,
    ReferenceModel,
    Seed,
    SubjectColumn,
    SubjectsAre,
    TaskName,
    TextColumn,
    naming_flags,
    statistics_of,
)
from equipoise.cli.terminal import say_written, show, show_table

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.task.task import Task

EXAMPLES = """\b
Examples:
  equipoise compare prompt.csv sft.csv
  equipoise compare theirs.csv ours.csv --margin 0.02 --out comparisons.csv
  equipoise compare a.csv b.csv --reference-model smollm2-135m-instruct"""


def compare(
    file_a: Annotated[Path, typer.Argument(metavar="A", help="CSV, JSON, Parquet or a log.")],
    file_b: Annotated[Path, typer.Argument(metavar="B", help="Likewise.")],
    task: TaskName = "occupations",
    text_column: TextColumn = None,
    subject_column: SubjectColumn = None,
    method_column: MethodColumn = None,
    prefix: PrefixRule = "as-is",
    reference_model: ReferenceModel = None,
    independent_model: IndependentModel = None,
    lac: Lac = None,
    margin: Margin = 0.05,
    alpha: Alpha = 0.05,
    subjects: SubjectsAre = "sampled",
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="Write the whole table there."),
    ] = None,
    seed: Seed = 0,
    excel_safe: ExcelSafe = False,
    force: Force = False,
) -> None:
    """Test two files of completions against each other.

    Each file is of one method; files are read as by 'equipoise evaluate'.
    Rates are compared on the subjects that both files have. Several seeds in
    a column seed make it a test of methods; without, it is one of two models.
    With a judge or LAC, what they say of each text is compared too.
    """
    from equipoise.cli.files import new_file
    from equipoise.cli.statistics_tables import comparison_table
    from equipoise.measures import write_table
    from equipoise.measures.agency import Agency
    from equipoise.measures.by_model import ask_models
    from equipoise.measures.evaluation import evidence_of
    from equipoise.progress import StageProgress
    from equipoise.statistics import comparisons
    from equipoise.task.task_file import load_task
    from equipoise.wording.spreadsheet import without_formulas

    if out is not None:
        new_file(out, force=force)
    settings = statistics_of(margin=margin, alpha=alpha, subjects=subjects, seed=seed)
    the_task = load_task(task)
    options = {
        "text_column": text_column,
        "subject_column": subject_column,
        "method_column": method_column,
        "prefix": prefix,
    }
    with naming_flags(), StageProgress() as progress:
        scored, of_reading = _scored([file_a, file_b], the_task, options)
        by_model = ask_models(
            scored,
            the_task,
            reference_model=reference_model,
            independent_model=independent_model,
            lac=lac,
            on_progress=progress.report,
        )
        evidence = evidence_of(scored, the_task, by_model, settings=settings)
        scored = evidence.scored
        table = comparisons(scored, [outcome.name for outcome in evidence.outcomes], settings)
    show_table(comparison_table(table))
    for line in [*_notes(scored, table, the_task, settings.alpha), *of_reading]:
        show(line)
    for line in Agency().measure(evidence).remarks:
        show(line)
    if out is not None:
        write_table(out, without_formulas(table) if excel_safe else table)
        say_written([out])


def _scored(
    files: list[Path], task: Task, options: dict[str, str | None]
) -> tuple[pd.DataFrame, list[str]]:
    """Both files, scored, and what is said of their reading.

    The methods are told apart by their own names or the files'.
    """
    import pandas as pd

    from equipoise.errors import EquipoiseError
    from equipoise.measures import read_anything, score

    frames, said = [], []
    for path in files:
        reading = read_anything(path, task, **options)  # type: ignore[arg-type]
        frame = reading.completions
        said += [f"{path}: {remark}" for remark in reading.remarks]
        methods = list(dict.fromkeys(frame["method"]))
        if len(methods) > 1:
            raise EquipoiseError(
                f"holds {len(methods)} methods", file=path, hint="Keep the rows of one of them."
            )
        frames.append(score(frame, task))
    first, second = (str(frame["method"].iloc[0]) for frame in frames)
    if first == second:
        first, second = map(str, files)
    if first == second:
        raise EquipoiseError("stands on both sides", file=files[0], hint="Name two files.")
    if not set(frames[0]["subject"]) & set(frames[1]["subject"]):
        raise EquipoiseError(
            f"no subject of it is in {files[1]}",
            file=files[0],
            hint="Compare completions of the same subjects.",
        )
    named = [frames[0].assign(method=first), frames[1].assign(method=second)]
    return pd.concat(named, ignore_index=True), said


def _notes(scored: pd.DataFrame, table: pd.DataFrame, task: Task, alpha: float) -> list[str]:
    """What stands under the table: who is who, what can be concluded, what to beware of."""
    from equipoise.measures import remarks
    from equipoise.statistics import three_seeds
    from equipoise.wording.numbers import narrow, p_value

    methods = list(dict.fromkeys(scored["method"]))
    lines = []
    for letter, method in zip("AB", methods, strict=True):
        part = scored[scored["method"] == method]
        seeds = part["seed"].nunique()
        lines.append(f"{letter}: {method} ({len(part):,} completions, seeds: {seeds})")
    main = table[table["split"] == "all"].to_dict("records")
    lines += [f"{row['outcome']}: {row['verdict']}" for row in main]
    first = main[0]
    if first["subjects"]:
        equivalence = narrow(p_value(first["p_equivalent_holm"]))
        lines.append(f"balanced, all: p of equivalence {equivalence}.")
    left_out = scored["subject"].nunique() - first["subjects"]
    if left_out:
        lines.append(f"Subjects that not every seed of both has, left out: {left_out}.")
    effects = "h is Cohen's effect size"
    if table["cliffs_delta"].notna().any():
        effects += ", of rates; d is Cliff's delta, of scores"
    lines.append(f"Intervals of {100 * (1 - alpha):g} %; {effects}.")
    lines += [note for note in [three_seeds(scored)] if note]
    for method in methods:
        found = remarks(scored[scored["method"] == method], task)
        lines += [f"{method}: {note}" for note in found]
    return lines
