"""The commands of ``equipoise``, and its entry point."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from equipoise.cli import (
    board,
    compare,
    complete,
    data,
    distill,
    evaluate,
    examine,
    generate,
    methods,
    models,
    plan,
    power,
    push,
    report,
    run,
    serve,
    status,
    studies,
    task,
    train,
    verify,
)
from equipoise.cli.failures import guarded

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 80}

app = typer.Typer(
    name="equipoise",
    add_completion=True,
    no_args_is_help=True,
    rich_markup_mode=None,  # help is plain text: [study] is a table's name, not markup
    pretty_exceptions_enable=False,
    context_settings=SETTINGS,
)
app.command("run", epilog=run.EXAMPLES)(run.run)
app.command("studies", epilog=studies.EXAMPLES)(studies.studies)
app.command("plan", epilog=plan.EXAMPLES)(plan.plan)
app.command("status", epilog=status.EXAMPLES)(status.status)
app.command("verify", epilog=verify.EXAMPLES)(verify.verify)
app.command("report", epilog=report.EXAMPLES)(report.report)
app.command("board", epilog=board.EXAMPLES)(board.board)
app.command("train", epilog=train.EXAMPLES)(train.train)
app.command("generate", epilog=generate.EXAMPLES)(generate.generate)
app.command("complete", epilog=complete.EXAMPLES)(complete.complete)
app.command("distill", epilog=distill.EXAMPLES)(distill.distill)
app.command("evaluate", epilog=evaluate.EXAMPLES)(evaluate.evaluate)
app.command("examine", epilog=examine.EXAMPLES)(examine.examine)
app.command("serve", epilog=serve.EXAMPLES)(serve.serve)
app.command("compare", epilog=compare.EXAMPLES)(compare.compare)
app.command("power", epilog=power.EXAMPLES)(power.power)
app.command("data", epilog=data.EXAMPLES)(data.data)
app.command("push", epilog=push.EXAMPLES)(push.push)
app.add_typer(task.app, name="task")
app.add_typer(models.app, name="models")
app.command("methods")(methods.methods)


def _print_version(asked: bool) -> None:
    if asked:
        import equipoise

        typer.echo(f"equipoise {equipoise.__version__}")
        raise typer.Exit


@app.callback()
def equipoise(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of errors; works anywhere.")
    ] = False,
) -> None:
    """Controlled trials of bias-control methods for language models.

    Start with 'equipoise run quickstart'.

    Results go to standard output, everything else to standard error. Exit
    codes: 0 done, 1 error, 2 wrong command line, 130 stopped; of 'status' also
    3: not all is done yet.
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (by default the process's own); the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options = [argument for argument in arguments[:end] if argument != "--debug"]
    debug = len(options) < end
    command = typer.main.get_command(app)
    return guarded(
        lambda: command.main([*options, *arguments[end:]], prog_name="equipoise"), debug=debug
    )
