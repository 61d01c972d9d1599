"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

TaskName = Annotated[
    str, typer.Option("--task", metavar="TASK", help="A built-in task, or a task file.")
]
ModelName = Annotated[
    str, typer.Option("--model", metavar="MODEL", help="An embedded model, folder or Hub id.")
]


def _check_seed(seed: int) -> int:
    if not 0 <= seed < 2**32:
        raise typer.BadParameter(f"{seed} is not between 0 and {2**32 - 1:,}.")
    return seed


Seed = Annotated[
    int,
    typer.Option("--seed", metavar="N", callback=_check_seed, help="Fixes all that is random."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there.")]
