"""Errors a user can mend: each names the file, the field, the value and the hint."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

MAX_MESSAGE = 8_000
"""Most characters of a message, about."""


class EquipoiseError(Exception):
    """Something in the user's input or surroundings is wrong and can be put right.

    The command line prints it without a traceback and exits with 1. It reads as one sentence,
    ``file: field: problem. Hint.``; the parts stay available as attributes.

    Args:
        problem: What is wrong, value included, without a final full stop.
        file: The file it was found in.
        field: The dotted path of the setting, such as ``methods.sft.learning_rate``.
        hint: What to do about it, a full sentence.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str | Path | None = None,
        field: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.problem = problem
        self.file = None if file is None else str(file)
        self.field = field
        self.hint = hint
        place = "".join(f"{part}: " for part in (self.file, field) if part)
        super().__init__(_clipped(f"{place}{problem}." + (f" {hint}" if hint else "")))


AGAIN = "Run the same command again to go on."
INSTALL = "Run 'make install' in the project's folder, or 'python3 -m pip install .' there."


def describe(error: Exception) -> str:
    """Any error as a sentence that says what to do."""
    if isinstance(error, EquipoiseError):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"the Python package '{error.name}' is missing. {INSTALL}"
    if isinstance(error, MemoryError):
        return "out of memory. Ask for less at a time, or use a smaller model."
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}. {AGAIN}"
    reason = next((line for line in str(error).splitlines() if line.strip()), "")
    text = f"{type(error).__name__}: {reason}".rstrip(": .")
    return f"{text}. This is not expected: run again with --debug and report what it shows."


def _clipped(text: str) -> str:
    """``text`` without its middle where it is too long to be read: names may be of any length."""
    if len(text) <= MAX_MESSAGE:
        return text
    return f"{text[: MAX_MESSAGE // 2]} ... {text[-MAX_MESSAGE // 4 :]}"


def nearest(name: str, valid: Iterable[str]) -> str:
    """A sentence that offers the valid name nearest to ``name``, or lists the valid names.

    Case is no difference: "SFT" is near "sft".

    >>> nearest("stf", ["prompt", "sft"])
    "Did you mean 'sft'?"
    """
    choices = sorted(valid)
    folded = {choice.casefold(): choice for choice in reversed(choices)}
    close = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    if close:
        return f"Did you mean '{folded[close[0]]}'?"
    return f"Valid: {', '.join(choices)}." if choices else "There is no valid name here."
