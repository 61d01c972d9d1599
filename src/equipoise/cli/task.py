"""``equipoise task``: what tasks hold, whether a task file is right, why a sentence counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from equipoise.cli.options import TaskName
from equipoise.cli.terminal import say, show

if TYPE_CHECKING:
    from equipoise.task.task import Task

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def task() -> None:
    """Check, show and list tasks; explain why a sentence counts."""


@app.command()
def check(
    file: Annotated[
        str, typer.Argument(metavar="TASK", help="A task file in TOML, or a built-in task.")
    ],
    samples: Annotated[
        int, typer.Option(metavar="N", min=0, max=1000, help="Sample sentences a split.")
    ] = 3,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the sample sentences.")] = 0,
) -> None:
    """Check a task and show what it holds, with sample sentences."""
    from equipoise.task.overview import overview_lines, task_overview
    from equipoise.task.task_file import load_task

    found = load_task(file)
    show("\n".join(overview_lines(task_overview(found, seed, samples))))
    say(f"{file} is in order.")


@app.command("show")
def show_task(
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="A built-in task, or a task file.")
    ] = "occupations",
) -> None:
    """Print a task's prompts, terms, constraint and subjects."""
    from equipoise.task.task_file import load_task

    show("\n".join(_description(load_task(name))))


@app.command("list")
def list_tasks() -> None:
    """List the tasks that come with Equipoise."""
    from equipoise.task.task_file import builtin_tasks, load_task

    for name in builtin_tasks():
        show(f"{name}: {load_task(name).description}")


@app.command()
def explain(
    sentence: Annotated[str, typer.Argument(metavar="SENTENCE", help="In quotes.")],
    task: TaskName = "occupations",
    terms: Annotated[
        Literal["listed", "held_out", "all"], typer.Option(help="Which terms count.")
    ] = "listed",
) -> None:
    """Say which clauses a sentence meets or fails, and by which terms."""
    from equipoise.task.sentence import first_sentence
    from equipoise.task.task_file import load_task

    found = load_task(task)
    judged = first_sentence(sentence).text
    show(str(found.constraint.explain(judged, terms)))
    if judged != sentence.strip():
        say("Only the first sentence is judged.")


def _description(task: Task) -> Iterator[str]:
    """The lines of ``task show``."""
    constraint = task.constraint
    yield f"{task.name}: {task.description}".rstrip(": ")
    yield f"\nEvery sentence starts with: {task.prefix}"
    for kind, prompt in task.prompts.items():
        yield f"\nPrompt '{kind}':"
        yield from (f"  {line}" for line in prompt.splitlines())
    for name, lexicon in task.lexicons.items():
        yield f"\nTerms '{name}':"
        yield f"  listed: {', '.join(lexicon.listed)}"
        yield f"  held out: {', '.join(lexicon.held_out) or 'none'}"
        if lexicon.wide:
            yield f"  wide: {', '.join(lexicon.wide)}"
        if lexicon.write:
            yield f"  written for its stems: {', '.join(lexicon.write)}"
    yield "\nConstraint:"
    for kind in ("all_of", "any_of", "none_of"):
        if entries := getattr(constraint, kind):
            yield f"  {kind.replace('_', ' ')}: {', '.join(entries)}"
    yield f"  words: {constraint.words[0]} to {constraint.words[1]}"
    of = f", percent of {task.axis.share}" if task.axis and task.shares else ""
    yield f"\nSubjects (split{of}):"
    for subject in task.subjects:
        share = f", {task.shares[subject.name]:g} %" if subject.name in task.shares else ""
        yield f"  {subject.name}: {subject.split}{share}"
    held_out = len(task.templates) - len(task.training_templates)
    yield f"\n{len(task.templates)} templates, {held_out or 'none'} of them held out"
