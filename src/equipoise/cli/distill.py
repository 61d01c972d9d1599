"""``equipoise distill``: an HMM of a model, for 'equipoise complete' to look ahead with."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.failures import on_interrupt
from equipoise.cli.options import (
    Force,
    MaxNewTokens,
    ModelName,
    Quiet,
    Seed,
    TaskName,
    Temperature,
    TopK,
    TopP,
    naming_flags,
    sampling_of,
)
from equipoise.cli.terminal import say_written, show, show_table

if TYPE_CHECKING:
    from rich.table import Table

    from equipoise.methods.ctrlg.hmm_fit import DistillRecord

EXAMPLES = """\b
Examples:
  equipoise distill --out hmm
  equipoise complete --prompt 'The doctor was' --all-of bold --hmm hmm"""


def distill(
    out: Annotated[Path, typer.Option(metavar="DIR", help="New folder for it.")],
    model: ModelName = "smollm2-135m-instruct",
    task: TaskName = "occupations",
    prompt_kind: Annotated[
        str, typer.Option(metavar="KIND", help="Prompt of the task: neutral, balanced, ...")
    ] = "neutral",
    hidden_states: Annotated[
        int, typer.Option(metavar="H", help="More follow the model more closely.")
    ] = 256,
    n_samples: Annotated[
        int, typer.Option(metavar="N", help="Completions to learn from; a tenth measures.")
    ] = 10_000,
    iterations: Annotated[
        int, typer.Option(metavar="I", help="Most steps of expectation-maximisation.")
    ] = 10,
    smoothing: Annotated[float, typer.Option(metavar="S", help="Pseudocount of each row.")] = 1e-3,
    seed: Seed = 0,
    temperature: Temperature = 1.0,
    top_p: TopP = 0.95,
    top_k: TopK = 0,
    max_new_tokens: MaxNewTokens = 64,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Distil a model into a hidden Markov model.

    It learns from the model's own completions of the task's prompts, as
    Ctrl-G does. Writes hmm.safetensors, record.json and manifest.json, and
    prints the log-likelihood of a token after each iteration.
    """
    from dataclasses import asdict

    from equipoise.cli.files import new_folder
    from equipoise.methods.ctrlg.distillation import Distillation
    from equipoise.methods.ctrlg.hmm_fit import DistillSettings
    from equipoise.methods.ctrlg.hmm_store import RECORD, WEIGHTS, save
    from equipoise.methods.method import check_prompt
    from equipoise.model.loading import load_model
    from equipoise.model.registry import check_model_name
    from equipoise.progress_bars import StageProgress
    from equipoise.settings import parse
    from equipoise.task.task_file import load_task

    described = load_task(task)
    with naming_flags(prompt="--prompt-kind", hmm_seed="--seed"):
        check_prompt(described, prompt_kind)
        learning = {
            "hidden_states": hidden_states,
            "n_samples": n_samples,
            "iterations": iterations,
            "smoothing": smoothing,
            "hmm_seed": seed,
        }
        settings = parse(DistillSettings, learning)
    sampling = sampling_of(
        temperature=temperature, top_p=top_p, top_k=top_k, max_new_tokens=max_new_tokens
    )
    check_model_name(model, field="--model")
    new_folder(out, force=force)
    with (
        on_interrupt(f"{out} holds no HMM. Run the same command to begin again."),
        naming_flags(),
        StageProgress(quiet=quiet) as progress,
    ):
        lm = load_model(model, progress=not quiet)
        progress.say(f"{lm.name} on {lm.precision}")
        lm.use_compute_type()
        started = time.perf_counter()
        distillation = Distillation.of_task(lm, described, prompt_kind, sampling, settings)
        hmm, record = distillation.run()
        seconds = time.perf_counter() - started
        about = {"task": described.name, "prompt": prompt_kind, **distillation.about()}
        save(out, hmm, {**about, "seconds": round(seconds, 3), "record": asdict(record)})
    if not quiet:
        show_table(likelihood_table(record))
        show(f"{record.tokens:,} tokens learnt from, {seconds:.1f} s")
        say_written([out / WEIGHTS, out / RECORD])


def likelihood_table(record: DistillRecord) -> Table:
    """A row per iteration: mean log-probability of a token, learnt from and held out."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    for title in ("iteration", "training", "held-out", ""):
        table.add_column(title, justify="right")
    for iteration, pair in enumerate(zip(record.train, record.held_out, strict=True)):
        mark = "kept" if iteration == record.chosen else ""
        table.add_row(str(iteration), *(f"{value:.3f}" for value in pair), mark)
    table.title = "Nats a token"
    return table
