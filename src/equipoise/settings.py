"""Settings: frozen pydantic models, read from TOML, with errors that name file, field and mend."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from equipoise.artifacts import read_bounded
from equipoise.errors import EquipoiseError, nearest

MAX_TOML_BYTES = 2_000_000
"""Larger files are refused: no task or study written by a person comes near it."""

MAX_KEY_PARTS = 32
"""Most parts of a dotted key: the parser's time grows with the square of their number."""

_PART = r"""(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
# Tried where a key can begin only, so that long runs of anything are passed in linear time.
_LONG_KEY = re.compile(rf"""(?<![\w"'\\-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{MAX_KEY_PARTS}}}""")

MAX_PROBLEMS = 20
"""Most problems of one file that are spelled out."""


class Settings(BaseModel):
    """Base of everything a user sets: frozen, no unknown names, no silent conversion.

    A number in quotes is an error, not a number. Fields that hold sequences are tuples declared
    with ``Field(strict=False)``, because TOML has lists only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


SettingsT = TypeVar("SettingsT", bound=BaseModel)


def read_toml(path: str | Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        EquipoiseError: The file is missing, a folder, a device, too large, not UTF-8, starts with a
            byte order mark, holds NUL bytes, has a dotted key of very many parts, or is not valid
            TOML (duplicate keys included).
    """
    path = Path(path)
    raw = read_bounded(path, MAX_TOML_BYTES)
    if raw.startswith(b"\xef\xbb\xbf"):
        raise EquipoiseError(
            "starts with a byte order mark", file=path, mend="Save it as UTF-8 without BOM."
        )
    if b"\0" in raw:
        raise EquipoiseError("holds NUL bytes", file=path, mend="Save it as plain UTF-8 text.")
    try:
        text = raw.decode("utf-8")
        if long := _LONG_KEY.search(text):
            line = text.count("\n", 0, long.start()) + 1
            raise EquipoiseError(
                f"line {line}: {long[0][:40]!r}... has more than {MAX_KEY_PARTS} parts with dots "
                "between them",
                file=path,
                mend="Put a line break into it if it is text.",
            )
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise EquipoiseError(
            f"not UTF-8 at byte {error.start}", file=path, mend="Save it as UTF-8."
        ) from None
    except (ValueError, RecursionError) as error:  # int() refuses 4,300 digits with a ValueError
        reason = str(error).rstrip(".") or "nested too deeply"
        raise EquipoiseError(f"not valid TOML: {reason}", file=path) from None


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
    kind, value, mend = details["type"], details["input"], None
    if kind == "extra_forbidden":
        problem = "unknown setting"
        mend = nearest(str(details["loc"][-1]), _fields_at(cls, details["loc"][:-1]))
    elif kind == "missing":
        problem = "missing"
        mend = "Add it."
    else:
        shown = _shown(value)
        message = details["msg"].removeprefix("Value error, ").rstrip(".")
        message = message[0].lower() + message[1:].replace("valid tuple", "list")
        problem = f"{message}, got {shown}" if kind != "value_error" else message
        expected = str(details.get("ctx", {}).get("expected", ""))
        if kind == "literal_error" and isinstance(value, str):
            mend = nearest(value, [e.strip("' ") for e in expected.replace(" or ", ",").split(",")])
    return EquipoiseError(problem, file=file, field=path, mend=mend)


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
