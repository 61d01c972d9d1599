"""Tasks of lm-evaluation-harness (Gao et al. 2024), run by its own runner on a loaded model.

The package is the extra ``harness``. It is imported once a task is asked for, and not before.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from equipoise.errors import EquipoiseError, nearest
from equipoise.files.manifest import sha256
from equipoise.measures.side_effects.harness_items import items_of
from equipoise.measures.side_effects.instruments import Instrument, fit_for_files
from equipoise.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.model.language_model import LanguageModel

PACKAGE = "lm_eval"

BATCH = 16
"""Requests that the model answers at a time."""

MOST_FILES = 5_000
"""Of a folder of tasks."""

LONGEST_HINT = 200
"""Characters: the harness has more tasks than a hint can list."""


class HarnessTable(Settings):
    """The table ``[measures.harness]``.

    Attributes:
        tasks: Names of tasks, groups or tags of the harness.
        folder: Tasks of one's own in its YAML format. They run code of their authors: templates
            and functions are Python.
        limit: Documents of each task, the first ones; by default all.
        num_fewshot: Examples before each question; by default as the task says.
    """

    tasks: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    folder: str | None = None
    limit: Annotated[int, Field(ge=1)] | None = None
    num_fewshot: Annotated[int, Field(ge=0, le=1_000)] | None = None


def harness_instruments(table: HarnessTable, field: str) -> list[Instrument]:
    """An instrument for each of the tasks, which have been found and loaded with their data.

    Args:
        table: What the user asks for.
        field: How errors call the tasks.

    Raises:
        EquipoiseError: The package is not installed, it has no such task, or one cannot be loaded.
    """
    if find_spec(PACKAGE) is None:
        raise EquipoiseError(
            "tasks of lm-evaluation-harness need the package lm_eval, which is not installed",
            field=field,
            hint='pip install "equipoise[harness]"',
        )
    if table.folder is not None and not Path(table.folder).is_dir():
        raise EquipoiseError("is no folder", file=table.folder, hint="Name one that holds tasks.")
    with _quiet():
        manager = _manager(table)
    found = {f"harness_{fit_for_files(name)}": name for name in table.tasks}
    for name in table.tasks:
        if name not in found.values():
            raise EquipoiseError(f"two tasks are called like '{name}'", field=field)
        _check(manager, name, field)
    about = {"lm_eval": version(PACKAGE), **table.model_dump(include={"limit", "num_fewshot"})}
    if table.folder is not None:
        about["folder_sha256"] = _folder_digest(Path(table.folder))
    return [
        Instrument(label, {**about, "task": name}, _asking(manager, name, table, field))
        for label, name in found.items()
    ]


def _manager(table: HarnessTable) -> Any:
    """The harness' own index of tasks; of a folder alone, where that holds all that are asked for.

    Its thousands of files take a while to be read.
    """
    from lm_eval.tasks import TaskManager

    if table.folder is None:
        return _builtin()
    own = TaskManager(include_path=table.folder, include_defaults=False)
    if set(table.tasks) <= set(own.all_tasks):
        return own
    return TaskManager(include_path=table.folder)


@cache
def _builtin() -> Any:
    from lm_eval.tasks import TaskManager

    return TaskManager()


def _check(manager: Any, name: str, field: str) -> None:
    """Refuse a task that is not there, or that cannot be loaded with its data.

    A name is no path here: the harness would read one.
    """
    if name not in manager.all_tasks:
        near = nearest(name, manager.all_tasks)
        raise EquipoiseError(
            f"lm-evaluation-harness has no task '{name[:80]}'",
            field=field,
            hint=near if len(near) < LONGEST_HINT else "'lm-eval ls tasks' lists them.",
        )
    with _told_clearly(name, "be loaded", field), _quiet():
        manager.load([name])


def _asking(
    manager: Any, name: str, table: HarnessTable, field: str
) -> Callable[[LanguageModel], pd.DataFrame]:
    """What asks a model a task."""

    def items(lm: LanguageModel) -> pd.DataFrame:
        from lm_eval import simple_evaluate
        from lm_eval.models.huggingface import HFLM

        with _told_clearly(name, "be run", field), _quiet():
            tokenizer = copy.deepcopy(lm.tokenizer)  # it gets a padding token
            found = simple_evaluate(
                HFLM(pretrained=lm.model, tokenizer=tokenizer, batch_size=BATCH),
                tasks=[name],
                task_manager=manager,
                num_fewshot=table.num_fewshot,
                limit=table.limit,
                bootstrap_iters=0,
            )
        return items_of(found)

    return items


def _folder_digest(folder: Path) -> str:
    """Changes with every file in a folder of tasks, data beside them included."""
    files = sorted(
        path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
    if len(files) > MOST_FILES:
        raise EquipoiseError(
            f"holds {len(files):,} files, more than {MOST_FILES:,}",
            file=folder,
            hint="Name the folder of the tasks alone.",
        )
    lines = [f"{path.relative_to(folder).as_posix()} {sha256(path)}" for path in files]
    return hashlib.sha256("\n".join(lines).encode(errors="replace")).hexdigest()


@contextlib.contextmanager
def _told_clearly(name: str, what: str, field: str) -> Iterator[None]:
    """Whatever goes wrong within, in one sentence: what tasks raise is of any kind."""
    try:
        yield
    except (EquipoiseError, MemoryError):
        raise
    except Exception as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), "")
        raise EquipoiseError(
            f"task '{name}' of lm-evaluation-harness cannot {what}: "
            f"{type(error).__name__}: {reason[:300].rstrip('.')}",
            field=field,
            hint="Its data may have to be fetched, or its files may be damaged.",
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without bars, remarks and warnings of the harness, which has no setting for that.

    It calls git too, which writes to the standard error of the process.
    """
    logger, kept = logging.getLogger(PACKAGE), os.dup(2)
    level = logger.level
    with (
        Path(os.devnull).open("w") as nowhere,
        warnings.catch_warnings(),
        contextlib.redirect_stderr(nowhere),
    ):
        warnings.simplefilter("ignore")
        logger.setLevel(logging.ERROR)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            logger.setLevel(level)
