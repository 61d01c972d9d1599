"""``equipoise generate``: completions of one model, as a CSV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from equipoise.cli.failures import on_interrupt
from equipoise.cli.options import Force, ModelName, Seed, TaskName
from equipoise.cli.terminal import say_written

if TYPE_CHECKING:
    from equipoise.decoding.sampler import Sampling

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
    temperature: Annotated[
        float, typer.Option(metavar="T", help="0 takes the likeliest token.")
    ] = 1.0,
    top_p: Annotated[float, typer.Option(metavar="P", help="Mass of the nucleus.")] = 0.95,
    top_k: Annotated[int, typer.Option(metavar="K", help="Likeliest tokens kept; 0: all.")] = 0,
    max_new_tokens: Annotated[
        int, typer.Option(metavar="N", help="Tokens of the longest completion.")
    ] = 64,
    force: Force = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
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
    sampling = _sampling(
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
        frame = policy.deliver(out.stem, names, per_subject, sampling, seed, progress.report).completions
        write_table(out, frame)
    if not quiet:
        say_written([out])


def _subjects(listed: str | None) -> list[str]:
    """The names in ``a,b``, each once."""
    return list(dict.fromkeys(name for part in (listed or "").split(",") if (name := part.strip())))


def _sampling(**settings: Any) -> Sampling:
    """The sampling settings, checked; errors name the flag."""
    from equipoise.decoding.sampler import Sampling
    from equipoise.errors import EquipoiseError
    from equipoise.settings import parse

    try:
        return parse(Sampling, settings)
    except EquipoiseError as error:
        field = error.field and "--" + error.field.replace("_", "-")
        raise EquipoiseError(error.problem, field=field, mend=error.mend) from None
