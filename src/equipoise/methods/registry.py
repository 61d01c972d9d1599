"""The methods by name. A new method needs one line here; one that only asks, in ``asking``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from equipoise.errors import EquipoiseError, nearest
from equipoise.methods.asking import ASKING
from equipoise.methods.best_of import BestOf
from equipoise.methods.ctrlg.method import CtrlG, CtrlGAny
from equipoise.methods.distil import Distil
from equipoise.methods.dpo import DPO
from equipoise.methods.experts import ExpertSteering
from equipoise.methods.filter import Filter
from equipoise.methods.inlp import INLP
from equipoise.methods.leace import LEACE
from equipoise.methods.method import Method
from equipoise.methods.rlhf.method import RLHF
from equipoise.methods.sft import SFT
from equipoise.methods.steer import Steer
from equipoise.methods.task_vector import TaskVector
from equipoise.settings import parse

_FURTHER: tuple[type[Method[Any]], ...] = (
    Filter,
    BestOf,
    CtrlG,
    CtrlGAny,
    SFT,
    Distil,
    DPO,
    RLHF,
    INLP,
    LEACE,
    TaskVector,
    ExpertSteering,
    Steer,
)
METHODS: dict[str, type[Method[Any]]] = {
    method.name: method for method in (*ASKING.values(), *_FURTHER)
}


def build_method(
    name: str, settings: object, *, file: str | Path | None = None, field: str = ""
) -> Method[Any]:
    """The method called ``name`` with ``settings``.

    Args:
        name: A key of ``METHODS``.
        settings: Table of settings, as read from TOML.
        file: Where they were written, for errors.
        field: Dotted path of the table in that file, for errors.

    Raises:
        EquipoiseError: There is no such method, or a setting is unknown or wrong.
    """
    if name not in METHODS:
        raise EquipoiseError(
            f"there is no method '{name}'", file=file, field=field, hint=nearest(name, METHODS)
        )
    method = METHODS[name]
    return method(parse(method.settings_model, settings, file=file, field=field))
