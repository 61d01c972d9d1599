"""What a law is: a function that raises `BrokenLawError` where something does not hold."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from unittest import mock

from transformers import PreTrainedModel

SubjectT = TypeVar("SubjectT")


class BrokenLawError(AssertionError):
    """Something does not do what everything of its kind must."""


def require(holds: bool, otherwise: str) -> None:
    """Raise `BrokenLawError` with the sentence ``otherwise`` unless it ``holds``."""
    if not holds:
        raise BrokenLawError(otherwise)


def hold(laws: Iterable[Callable[[SubjectT], None]], subject: SubjectT, name: str) -> None:
    """Hold all ``laws`` against ``subject``.

    Raises:
        BrokenLawError: It calls the subject ``name``, and says which laws are broken, and how.
    """
    broken: list[tuple[str, Exception]] = []
    for law in laws:
        try:
            law(subject)
        except Exception as error:  # a law is broken in whatever way its subject fails
            broken.append((law.__name__, error))
    if broken:
        lines = [f"{law}: {type(error).__name__}: {error}" for law, error in broken]
        problem = f"{name} breaks {len(broken)} of its laws"
        raise BrokenLawError("\n  ".join([problem, *lines])) from broken[0][1]


def no_weights() -> contextlib.AbstractContextManager[Any]:
    """Within it, whoever reads a model's weights breaks a law."""

    def load(*_: object, **__: object) -> None:
        raise BrokenLawError("a model is loaded")

    return mock.patch.object(PreTrainedModel, "from_pretrained", load)
