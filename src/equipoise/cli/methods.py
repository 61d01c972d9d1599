"""``equipoise methods``: what can be compared, and every setting with its default."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from equipoise.cli.terminal import show

if TYPE_CHECKING:
    from equipoise.settings import Settings

_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.+(?:\n {5,}.+)*)", re.MULTILINE)


def methods() -> None:
    """List the methods with their settings and defaults.

    In a study file they stand in the method's table: [methods.sft]. On the
    command line: 'equipoise train sft --set learning_rate=1e-4'.
    """
    from equipoise.methods.registry import METHODS

    for name, method in METHODS.items():
        show(textwrap.fill(f"{name}: {method.summary}", 80, subsequent_indent="  "))
        for line in setting_lines(method.settings_model):
            show(line)


def setting_lines(model: type[Settings]) -> Iterator[str]:
    """Name, default and meaning of each setting of ``model``, from the model itself."""
    meanings = _meanings(model)
    for name, field in model.model_fields.items():
        yield f"  {name} = {_as_toml(field.default)}"
        yield from textwrap.wrap(
            meanings.get(name, ""), 80, initial_indent=" " * 6, subsequent_indent=" " * 6
        )


def _as_toml(value: Any) -> str:
    if value is None:
        return "(not set)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_as_toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _meanings(model: type[Settings]) -> dict[str, str]:
    """What the docstrings of ``model`` and its bases say under "Attributes"."""
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        _, _, attributes = inspect.cleandoc(cls.__doc__ or "").partition("Attributes:\n")
        for name, meaning in _ATTRIBUTE.findall(attributes):
            found[name] = " ".join(meaning.replace("``", "'").split())
    return found
