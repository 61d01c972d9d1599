"""A table in Markdown, as pages of the documentation hold it."""

from __future__ import annotations

from collections.abc import Iterable


def markdown(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """``rows`` below their ``header``."""
    lines = [header, ("---",) * len(header), *rows]
    return "".join(f"| {' | '.join(map(_cell, row))} |\n" for row in lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
