"""Strangers' text in Markdown: shown as it is, and never read as markup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

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
            is. Only ``Markup``, which this package writes itself, passes as it is.
        values: What the template may name. It fails where it names anything else.
    """
    environment = Environment(  # noqa: S701 - `finalize` does for Markdown what autoescape does
        loader=FileSystemLoader(template.parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalize,
    )
    return environment.get_template(template.name).render(values)


def _finalize(value: Any) -> str:
    return str(value) if isinstance(value, Markup) else markdown(str(value))
