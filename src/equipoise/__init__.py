"""Equipoise: controlled trials of bias-control methods for language models.

>>> import equipoise
>>> task = equipoise.load_task("occupations")
>>> equipoise.Study.from_toml("quickstart").run()  # doctest: +SKIP

The names below are imported when first used, so that ``import equipoise`` costs nothing.

Importing it asks Intel's matrix library, which PyTorch uses on the CPU, for results that do not
depend on where operands lie in memory, unless the environment asks for something else. Without that
a seed does not give the same bytes twice (docs/running.md).
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from equipoise.errors import EquipoiseError
    from equipoise.measures import Evaluation, evaluate
    from equipoise.model.loading import load_model
    from equipoise.study.study import Study
    from equipoise.task.examples import BalancedExampleGenerator
    from equipoise.task.task import Task
    from equipoise.task.task_file import load_task

os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")  # read once, at the first product

__version__ = "0.1.0"

__all__ = [
    "BalancedExampleGenerator",
    "EquipoiseError",
    "Evaluation",
    "Study",
    "Task",
    "__version__",
    "evaluate",
    "load_model",
    "load_task",
]

_HOMES = {
    "BalancedExampleGenerator": "equipoise.task.examples",
    "EquipoiseError": "equipoise.errors",
    "Evaluation": "equipoise.measures",
    "Study": "equipoise.study.study",
    "Task": "equipoise.task.task",
    "evaluate": "equipoise.measures",
    "load_model": "equipoise.model.loading",
    "load_task": "equipoise.task.task_file",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'equipoise' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
