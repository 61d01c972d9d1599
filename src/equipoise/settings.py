"""Settings: frozen pydantic models, with errors that name file, field and hint."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from equipoise.errors import EquipoiseError, nearest

MAX_PROBLEMS = 20
"""Most problems of one file that are spelled out."""


class Settings(BaseModel):
    """Base of everything a user sets: frozen, no unknown names, no silent conversion.

    A number in quotes is an error, not a number. Fields that hold sequences are tuples declared
    with ``Field(strict=False)``, because TOML has lists only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


SettingsT = TypeVar("SettingsT", bound=BaseModel)


def parse(
    cls: type[SettingsT], data: object, *, file: str | Path | None = None, field: str = ""
) -> SettingsT:
    """``data`` as an instance of ``cls``.

    Args:
        cls: The settings model.
        data: Tables as read from TOML or built from the command line.
        file: Named in errors.
        field: Dotted path of ``data`` within the file, put before every field named in errors.

    Raises:
        EquipoiseError: A setting is unknown, missing, of another type or out of range. All
            problems are named, one a line, up to ``MAX_PROBLEMS``.
    """
    try:
        return cls.model_validate(data)
    except ValidationError as error:
        found = error.errors()
    if len(found) == 1:
        raise _problem(cls, found[0], file, field)
    lines = [str(_problem(cls, details, None, field)) for details in found[:MAX_PROBLEMS]]
    if len(found) > MAX_PROBLEMS:
        lines.append(f"... and {len(found) - MAX_PROBLEMS} more")
    text = "\n  ".join(lines).rstrip(".")
    raise EquipoiseError(f"{len(found)} problems\n  {text}", file=file)


def _problem(
    cls: type[BaseModel], details: ErrorDetails, file: str | Path | None, field: str
) -> EquipoiseError:
    """One pydantic error in the project's words."""
    # pydantic writes "[key]" after a key that is wrong itself, as against its value.
    path = ".".join([field, *(str(k) for k in details["loc"] if k != "[key]")]).strip(".") or None
    kind, value, hint = details["type"], details["input"], None
    if kind == "extra_forbidden":
        problem = "unknown setting"
        hint = nearest(str(details["loc"][-1]), _fields_at(cls, details["loc"][:-1]))
    elif kind == "missing":
        problem = "missing"
        hint = "Add it."
    else:
        shown = _shown(value)
        message = details["msg"].removeprefix("Value error, ").rstrip(".")
        message = message[0].lower() + message[1:].replace("valid tuple", "list")
        problem = f"{message}, got {shown}" if kind != "value_error" else message
        expected = str(details.get("ctx", {}).get("expected", ""))
        if kind == "literal_error" and isinstance(value, str):
            hint = nearest(value, [e.strip("' ") for e in expected.replace(" or ", ",").split(",")])
    return EquipoiseError(problem, file=file, field=path, hint=hint)


def _shown(value: object) -> str:
    """``value`` as Python writes it, cut at 80 characters."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, or too deep
        return "a value too large to show"
    return text if len(text) <= 80 else text[:77] + "..."


def _fields_at(cls: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Names of the settings that are valid at ``location`` inside ``cls``."""
    for key in location:
        field = cls.model_fields.get(str(key))
        if field is None:
            continue  # an index or a free key: stay at the model it leads into
        nested = [a for a in _arguments(field.annotation) if _is_model(a)]
        if nested:
            cls = nested[0]
    return list(cls.model_fields)


def _arguments(annotation: Any) -> list[Any]:
    """``annotation`` and all types nested in it, outermost first."""
    found = [annotation]
    for argument in getattr(annotation, "__args__", ()):
        found += _arguments(argument)
    return found


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
