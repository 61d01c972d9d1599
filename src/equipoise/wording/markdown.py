"""Strangers' text in Markdown: shown as it is, and never read as markup."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from equipoise.wording import numbers
from equipoise.wording.visible import shown

_SPECIAL = frozenset("\\`*_{}[]<>#|!$~&")


def markdown(text: str) -> str:
    r"""``text`` so that Markdown shows it as it is, and no HTML in it is one.

    >>> print(markdown("a*b <script> [x](y)"))
    a\*b \<script\> \[x\](y)
    """
    return "".join(f"\\{c}" if c in _SPECIAL else c for c in shown(text))


def render_markdown(template: Path, **values: Any) -> str:
    """A Markdown template of the package, filled in; every value is neutralised on its way.

    Args:
        template: The file. What it puts out with ``{{ }}`` goes through ``markdown``, whatever it
            is. Only ``Markup`` passes as it is: what this package writes itself, and numbers in
            words (filters ``percent``, ``signed``, ``interval``).
        values: What the template may name. It fails where it names anything else.
    """
    environment = Environment(
        loader=FileSystemLoader(template.parent),
        autoescape=True,  # which `_finalize` comes before: nothing is left for it to escape
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalize,
    )
    for name in ("percent", "signed", "interval"):
        environment.filters[name] = _safe(getattr(numbers, name))
    environment.filters |= {"counted": numbers.counted, "listing": numbers.listing}
    return environment.get_template(template.name).render(values)


def _finalize(value: Any) -> Markup:
    if isinstance(value, Markup):
        return value
    return Markup(markdown(str(value)))  # noqa: S704 - neutralised, and it is no HTML


def _safe(say: Callable[..., str]) -> Callable[..., Markup]:
    """``say``, whose words are of numbers and nobody else's."""
    return lambda *values: Markup(say(*values))  # noqa: S704 - likewise
