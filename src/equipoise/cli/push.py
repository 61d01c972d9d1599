"""``equipoise push``: a trained model with its card, sent to the Hub."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.failures import on_interrupt
from equipoise.cli.terminal import say, show

if TYPE_CHECKING:
    from equipoise.publishing.push import Upload

EXAMPLES = """\b
Examples:
  equipoise push runs/quickstart me/balanced --method sft --seed 42
  HF_TOKEN=... equipoise push trained/sft/model me/balanced --yes"""


def push(
    source: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A run, a training or a model folder.")
    ],
    repo: Annotated[str, typer.Argument(metavar="REPO", help="Where to: owner/name on the Hub.")],
    method: Annotated[
        str | None, typer.Option(metavar="LABEL", help="Which method's model, of a run.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Which seed's model, of a run.")
    ] = None,
    licence: Annotated[
        str | None,
        typer.Option(
            "--license", metavar="NAME", help="Such as llama3.1, where the card names none."
        ),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Make a new repository public; else it is private.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace files of a repository that holds some.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Send it; else it is only told what.")] = False,
) -> None:
    """Send a trained model to the Hub.

    Without --yes nothing leaves this machine: it is told what would be sent.
    Only models with a card are, only undamaged ones, and nothing but a
    model's files. The token is read from HF_TOKEN and is never shown.
    """
    from equipoise.publishing.push import plan_upload, read_token, upload

    plan = plan_upload(source, repo, method=method, seed=seed, licence=licence)
    _tell(plan, public=public)
    if not yes:
        say("Nothing was sent. To send it, give the command again with --yes.")
        return
    read_token()
    _no_bars_in_files()
    with on_interrupt("The repository is as it was: a model is sent whole or not at all."):
        show(upload(plan, public=public, replace=replace))


def _no_bars_in_files() -> None:
    """The client draws bars, which belong on a terminal alone."""
    from huggingface_hub.utils.tqdm import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()


def _tell(plan: Upload, *, public: bool) -> None:
    """What would be sent, and where to."""
    say(f"{plan.folder} → {plan.repo} ({'public' if public else 'private'}, if it is new)")
    for name in plan.files:
        say(f"  {name}  {(plan.folder / name).stat().st_size:,} bytes")
    if plan.left_out:
        say(f"Not sent: {', '.join(plan.left_out)}")
    if plan.licence is None:
        say("Its card names no licence; look up the base model's and name it with --license.")
    else:
        say(f"Licence: {plan.licence}")
