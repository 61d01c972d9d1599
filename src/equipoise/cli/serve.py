"""``equipoise serve``: a method of a finished run as a server of the OpenAI protocol."""

from __future__ import annotations

from typing import Annotated

import typer

from equipoise.cli.failures import on_interrupt
from equipoise.cli.options import RunFolder
from equipoise.cli.terminal import say

EXAMPLES = """\b
Examples:
  equipoise serve runs/quickstart --method ctrlg --seed 42
  curl http://127.0.0.1:8000/v1/models"""


def serve(
    run: RunFolder,
    method: Annotated[str, typer.Option(metavar="LABEL", help="A method of the run.")],
    seed: Annotated[int, typer.Option(metavar="N", help="A seed of the run.")],
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Another one lets other machines in.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="0 takes a free one.")
    ] = 8000,
    waiting: Annotated[
        int, typer.Option(metavar="N", min=0, help="Requests that may wait for their turn.")
    ] = 64,
    seconds: Annotated[
        float, typer.Option(metavar="S", min=1, help="From a request to its answer, at most.")
    ] = 600.0,
    max_tokens: Annotated[
        int, typer.Option(metavar="N", min=1, help="Tokens of an answer, at most.")
    ] = 1024,
    task: Annotated[
        str | None,
        typer.Option(metavar="TASK", help="The run's task, where it is not found."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="The run's base model, where it is not found."),
    ] = None,
) -> None:
    """Serve a method of a finished run to any benchmark.

    The server speaks the OpenAI protocol: /v1/models, /v1/chat/completions
    and /v1/completions. Ctrl-G, filters and prompts are at work in it. The
    task's prompts are answered as in the study; docs/serving.md says what
    else is controlled. There is no key: whoever reaches it may ask. Nothing
    is written into the run. Ctrl-C ends it.
    """
    _check_installed()
    from equipoise.progress_bars import StageProgress
    from equipoise.serving.app import is_loopback
    from equipoise.serving.app import serve as listen
    from equipoise.serving.controlled import load_controlled
    from equipoise.serving.limits import Limits

    if not is_loopback(host):
        say(f"Warning: whoever reaches {host} may ask, with no key and at your machine's cost.")
    limits = Limits(waiting=waiting, seconds=seconds, answer_tokens=max_tokens)
    with on_interrupt("The run was only read."):
        with StageProgress(quiet=False):
            controlled = load_controlled(run, method, seed, task, model)
        listen(controlled, host, port, limits)


def _check_installed() -> None:
    """Refuse at once where the extra is missing."""
    from importlib.util import find_spec

    from equipoise.errors import EquipoiseError

    for package in ("starlette", "uvicorn"):
        if find_spec(package) is None:
            raise EquipoiseError(
                f"a server needs the Python package '{package}'",
                hint="Install it: pip install 'equipoise[serve]'",
            )
