"""``equipoise generate``: completions of one model, as a CSV."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.failures import on_interrupt
from equipoise.cli.options import (
    AnyModelName,
    BaseUrl,
    ExcelSafe,
    Force,
    MaxNewTokens,
    Quiet,
    Seed,
    TaskName,
    Temperature,
    TopK,
    TopP,
    TrustRemoteCode,
    sampling_of,
)
from equipoise.cli.terminal import say, say_written
from equipoise.errors import EquipoiseError

if TYPE_CHECKING:
    from equipoise.model.protocol import Model
    from equipoise.model.remote import Endpoint

EXAMPLES = """\b
Examples:
  equipoise generate -n 50 --out neutral.csv
  equipoise generate --prompt balanced --subjects doctor,nurse --out two.csv
  equipoise generate --model openai:NAME --base-url http://localhost:8000/v1 \\
    --out theirs.csv"""


def generate(
    out: Annotated[Path, typer.Option(metavar="FILE.csv", help="Where to write them.")],
    model: AnyModelName = "smollm2-135m-instruct",
    base_url: BaseUrl = None,
    endpoint: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Of an openai:NAME, such as api=completions; may be repeated.",
        ),
    ] = None,
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
    day: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="What a chat template that writes the date takes for today.",
            show_default="the day of the model's training, else today",
        ),
    ] = None,
    trust_remote_code: TrustRemoteCode = False,
    excel_safe: ExcelSafe = False,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Draw completions from a model and write them as CSV.

    The file has the columns method, seed, subject, split, run, text, finished
    and tokens; method is the file's name. 'equipoise evaluate' scores it.
    FILE.record.json beside it says how they were drawn.
    """
    from equipoise.cli.files import new_file
    from equipoise.files.artifacts import write_json
    from equipoise.measures import write_table
    from equipoise.methods.method import Policy
    from equipoise.model.endpoint import is_endpoint
    from equipoise.model.loading import load_model
    from equipoise.model.registry import check_model_name
    from equipoise.progress_bars import StageProgress
    from equipoise.study.drawing_record import drawing_record
    from equipoise.study.pinned_context import day_of_model
    from equipoise.task.task_file import load_task
    from equipoise.wording.spreadsheet import without_formulas

    described = load_task(task)
    names = _subjects(subjects) or [subject.name for subject in described.subjects]
    for name in names:
        described.prompt(name, prompt)
    sampling = sampling_of(
        temperature=temperature, top_p=top_p, top_k=top_k, max_new_tokens=max_new_tokens
    )
    remote = None
    if is_endpoint(model):
        remote = endpoint_of(model, base_url, endpoint or [], top_k)
    elif base_url is not None or endpoint:
        raise typer.BadParameter("--base-url and --endpoint need --model openai:NAME.")
    else:
        check_model_name(model, field="--model")
    if remote is not None and day is not None:
        raise typer.BadParameter("--day is for models with weights: a server writes its own date.")
    asked_on = day.date() if day is not None else day_of_model(model)
    new_file(out, force=force)
    record = new_file(out.with_suffix(".record.json"), force=force)
    answers = out.with_name(f".{out.name}.answers.jsonl")
    advice = "Nothing was written. Run the same command to begin again."
    if remote is not None:
        advice = "What was answered is kept. Run the same command to go on."
    with (
        on_interrupt(advice),
        StageProgress(quiet=quiet) as progress,
    ):
        lm: Model
        if remote is None:
            lm = load_model(model, trust_remote_code=trust_remote_code, progress=not quiet)
            lm.use_compute_type()
            lm.day = asked_on or lm.day
        else:
            lm = remote.keeping(answers)
        progress.say(f"{lm.name} on {lm.precision}")
        policy = Policy(lm, described, prompt)
        delivery = policy.deliver(out.stem, names, per_subject, sampling, seed)
        table = delivery.completions
        said = [] if remote is None else _remarks(lm, remote, out.stem)
        if table.empty:
            raise EquipoiseError(f"every answer of {lm.name} is empty", hint=" ".join(said))
        write_json(record, drawing_record(policy, names, per_subject, sampling, seed))
        write_table(out, without_formulas(table) if excel_safe else table)
    if remote is not None:
        answers.unlink(missing_ok=True)
    if not quiet:
        for sentence in said:
            say(sentence)
        say_written([out, record])


def _remarks(lm: Model, remote: Endpoint, label: str) -> list[str]:
    """What the user should know of how an endpoint was asked and answered."""
    import pandas as pd

    from equipoise.measures.odd_answers import oddities

    spent = pd.DataFrame([{"method": label, **lm.spending()}])
    return [*remote.settings.remarks, *oddities(spent)]


def endpoint_of(name: str, base_url: str | None, settings: list[str], top_k: int) -> Endpoint:
    """The endpoint that the flags name, checked."""
    from equipoise.cli.run import address
    from equipoise.model.endpoint import EndpointSettings, check_endpoint
    from equipoise.model.remote import Endpoint
    from equipoise.settings import parse
    from equipoise.study.overrides import apply_override

    tables: dict[str, dict[str, object]] = {"endpoint": {}}
    for override in (*(f"endpoint.{setting}" for setting in settings), *address(base_url)):
        apply_override(tables, override)
    found = parse(EndpointSettings, tables["endpoint"], field="--endpoint")
    check_endpoint(name, found, top_k=top_k, field="--model", table="--endpoint ")
    return Endpoint(name, found)


def _subjects(listed: str | None) -> list[str]:
    """The names in ``a,b``, each once."""
    return list(dict.fromkeys(name for part in (listed or "").split(",") if (name := part.strip())))
