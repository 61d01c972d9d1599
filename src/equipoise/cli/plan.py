"""``equipoise plan``: memory, cells, tokens and time of a study, before anything is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.options import Json, Overrides, StudyName
from equipoise.cli.terminal import say, show, show_table
from equipoise.wording.numbers import duration

if TYPE_CHECKING:
    from equipoise.study.planning.plan import MethodPlan, StudyPlan

EXAMPLES = """\b
Examples:
  equipoise plan quickstart
  equipoise plan preference --gpu --memory 80 --tflops 312 \\
    --set study.model=meta-llama/Llama-3.1-8B-Instruct"""


def plan(
    study: StudyName,
    memory: Annotated[
        float | None,
        typer.Option(metavar="GB", min=0.1, help="Memory of the device.", show_default="this one"),
    ] = None,
    tflops: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            min=0.001,
            help="10^12 operations a second of its matrix products in 16 bits.",
            show_default="timed here",
        ),
    ] = None,
    gpu: Annotated[bool, typer.Option("--gpu", help="The device is a GPU.")] = False,
    overrides: Overrides = None,
    as_json: Json = False,
) -> None:
    """Say what a study will need: memory, cells, tokens and time.

    No weights are read, and nothing is fetched: of a model on the Hub its
    config.json must be here, but for Llama 3.1 8B, which is known.
    """
    from equipoise.study.planning.plan import plan_study
    from equipoise.study.specification import read_specification

    specification = read_specification(study, overrides or ())
    found = plan_study(specification, memory_gb=memory, tflops=tflops, on_gpu=gpu)
    if as_json:
        import json

        show(json.dumps(_plain(found), indent=2))
    else:
        _show(found)


def _show(found: StudyPlan) -> None:
    from rich.table import Table

    say(
        f"{found.size.name}: {found.size.parameters:,} weights; {found.device.upper()} with "
        f"{found.memory_bytes / 1e9:.0f} GB, {found.rates.flops / 1e12:.2f} Tflop/s"
    )
    memory = Table(title="Memory of a cell (GB)", title_justify="left", box=None, pad_edge=False)
    work = Table(title="Work", title_justify="left", box=None, pad_edge=False)
    parts = ("weights", "gradients", "optimizer", "activations", "logits", "others")
    for name in ("method", *parts, "fitting", "drawing", "peak"):
        memory.add_column(name, justify="left" if name == "method" else "right")
    for name in (
        "method",
        "cells",
        "trained weights",
        "updates",
        "tokens trained",
        "drawn",
        "time",
    ):
        work.add_column(name, justify="left" if name == "method" else "right")
    for label, one in found.methods.items():
        gb = one.memory.as_gb()
        values = (gb[name] for name in (*parts, "fitting", "drawing", "peak"))
        memory.add_row(label, *(f"{value:.2f}" if value else "" for value in values))
        work.add_row(label, *_work(one))
    show_table(memory)
    show_table(work)
    cells = sum(one.cells for one in found.methods.values())
    tables, whole = duration(found.tables_seconds), duration(found.seconds)
    show(f"{cells} cells and the tables ({tables}): {whole} one after the other")
    for label, one in found.methods.items():
        if one.remark:
            say(f"{label}: {one.remark}.")
    if not found.size.has_tokenizer:
        say("The model's tokenizer is not here: tokens are estimated from letters.")


def _work(one: MethodPlan) -> tuple[str, ...]:
    numbers = (one.parameters, one.updates, one.trained_tokens, one.drawn_tokens)
    return (str(one.cells), *(f"{n:,}" if n else "" for n in numbers), duration(one.seconds))


def _plain(found: StudyPlan) -> dict[str, object]:
    methods = {
        label: {
            "cells": one.cells,
            "trained_parameters": one.parameters,
            "updates": one.updates,
            "trained_tokens": one.trained_tokens,
            "drawn_tokens": one.drawn_tokens,
            "memory_gb": one.memory.as_gb(),
            "seconds": round(one.seconds),
            "remark": one.remark,
        }
        for label, one in found.methods.items()
    }
    return {
        "model": found.size.name,
        "parameters": found.size.parameters,
        "device": found.device,
        "memory_gb": round(found.memory_bytes / 1e9, 1),
        "weights": found.weights,
        "tflops": round(found.rates.flops / 1e12, 3),
        "own_tokenizer": found.size.has_tokenizer,
        "methods": methods,
        "tables_seconds": round(found.tables_seconds),
    }
