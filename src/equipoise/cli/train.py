"""``equipoise train``: one method, fitted outside a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from equipoise.cli.failures import on_interrupt
from equipoise.cli.options import ModelName, Seed, TaskName, TrustRemoteCode
from equipoise.cli.terminal import say, say_written

EXAMPLES = """\b
Examples:
  equipoise train sft --set learning_rate=1e-4 --out trained/sft
  equipoise generate --model trained/sft/model --out completions.csv"""


def train(
    method: Annotated[
        str, typer.Argument(metavar="METHOD", help="Such as sft; see 'equipoise methods'.")
    ],
    task: TaskName = "occupations",
    model: ModelName = "smollm2-135m-instruct",
    seed: Seed = 42,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="New folder for it all.", show_default="trained/METHOD_seedSEED"
        ),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="SETTING=VALUE", help="A setting of the method; may be repeated."
        ),
    ] = None,
    trust_remote_code: TrustRemoteCode = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Train one method outside a study.

    Writes the data, dataset_stats.json, training_info.json, logs/ for
    TensorBoard, and model/, an ordinary model folder. A run that was stopped
    goes on when the same command is given again.
    """
    from equipoise.methods.registry import build_method
    from equipoise.model.freed_memory import keep_freed_memory
    from equipoise.publishing.write import write_training_cards
    from equipoise.runs.layout import MODEL
    from equipoise.study.training_run import TrainingRun
    from equipoise.task.task_file import load_task
    from equipoise.training.processes import is_first_process

    keep_freed_memory()
    fitted = build_method(method, _settings(overrides or []))
    folder = out or Path("trained") / f"{method}_seed{seed}"
    work = TrainingRun(
        folder, folder / MODEL, fitted, load_task(task), model, seed, trust_remote_code
    )
    with on_interrupt(f"Checkpoints are kept in {folder}. Run the same command again to go on."):
        state = work.run(quiet=quiet)
        if is_first_process():
            write_training_cards(work)
    if quiet:
        return
    if state == "done":
        say(f"Nothing was to do: the training in {folder} is done already.")
        return
    say_written(sorted(p for p in folder.iterdir() if not p.name.startswith(".")))
    say(f"Next: equipoise generate --model {work.model_folder} --out completions.csv")


def _settings(overrides: list[str]) -> dict[str, Any]:
    """The settings in ``name=value`` strings, values as in TOML."""
    from equipoise.errors import EquipoiseError
    from equipoise.study.overrides import apply_override

    tables: dict[str, Any] = {"settings": {}}
    for override in overrides:
        name, equals, _ = override.partition("=")
        if not (equals and name.strip().isidentifier()):
            raise EquipoiseError(
                f"--set {override!r} is not of the form setting=value",
                hint="Write for example: --set learning_rate=1e-4",
            )
        apply_override(tables, f"settings.{override}")
    settings: dict[str, Any] = tables["settings"]
    return settings
