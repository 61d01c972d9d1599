"""``equipoise generate``: completions of one model, as a CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from equipoise.cli.failures import on_interrupt
from equipoise.cli.options import (
    ExcelSafe,
    Force,
    MaxNewTokens,
    ModelName,
    Quiet,
    Seed,
    TaskName,
    Temperature,
    TopK,
    TopP,
    sampling_of,
)
from equipoise.cli.terminal import say_written

EXAMPLES = """\b
Examples:
  equipoise generate -n 50 --out neutral.csv
  equipoise generate --prompt balanced --subjects doctor,nurse --out two.csv"""


def generate(
    out: Annotated[Path, typer.Option(metavar="FILE.csv", help="Where to write them.")],
    model: ModelName = "smollm2-135m-instruct",
    task: TaskName = "occupations",
    prompt: Annotated[
        str, typer.Option(metavar="KIND", help="Prompt of the task: neutral, balanced, ...")
    ] = "neutral",
    per_subject: Annotated[
        int, typer.Option("-n", metavar="N", min=1, help="Completions of each subject.")
    ] = 250,
    subjects: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Only these subjects.", show_default="all of the task"),
    ] = None,
    seed: Seed = 42,
    temperature: Temperature = 1.0,
    top_p: TopP = 0.95,
    top_k: TopK = 0,
    max_new_tokens: MaxNewTokens = 64,
    excel_safe: ExcelSafe = False,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Draw completions from a model and write them as CSV.

    The file has the columns method, seed, subject, split, run, text, finished
    and tokens; method is the file's name. 'equipoise evaluate' scores it.
    """
    from equipoise.cli.files import new_file
    from equipoise.evaluation import write_table
    from equipoise.methods.method import Policy
    from equipoise.model.language_model import load_model
    from equipoise.model.registry import check_model_name
    from equipoise.progress import StageProgress
    from equipoise.task.task import load_task

    described = load_task(task)
    names = _subjects(subjects) or [subject.name for subject in described.subjects]
    for name in names:
        described.prompt(name, prompt)
    sampling = sampling_of(
        temperature=temperature, top_p=top_p, top_k=top_k, max_new_tokens=max_new_tokens
    )
    check_model_name(model, field="--model")
    new_file(out, force=force)
    with (
        on_interrupt("Nothing was written. Run the same command to begin again."),
        StageProgress(quiet=quiet) as progress,
    ):
        lm = load_model(model, progress=not quiet)
        progress.say(f"{lm.name} on {lm.precision}")
        lm.use_compute_type()
        policy = Policy(lm, described, prompt)
        delivery = policy.deliver(out.stem, names, per_subject, sampling, seed, progress.report)
        write_table(out, delivery.completions, excel_safe=excel_safe)
    if not quiet:
        say_written([out])


def _subjects(listed: str | None) -> list[str]:
    """The names in ``a,b``, each once."""
    return list(dict.fromkeys(name for part in (listed or "").split(",") if (name := part.strip())))
