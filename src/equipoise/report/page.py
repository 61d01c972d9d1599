"""The page: one file that asks nothing of a network and runs no script but its own.

A strict content security policy stands in it: everything is forbidden but the one style sheet and
the one script, each named by its hash. What comes from the run is text throughout: Jinja escapes
all of it, and the completions are JSON that only the script reads.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import equipoise
from equipoise.measures import remarks
from equipoise.report import sections
from equipoise.report.answer import Answer
from equipoise.report.charts import page_charts
from equipoise.report.claims import caveats
from equipoise.report.headline import (
    has_intervals,
    has_unseen,
    leading_split,
    shown_of,
    undelivered,
)
from equipoise.report.passages import examples, json_for_script, passages
from equipoise.report.records import records
from equipoise.runs.finished_run import FinishedRun
from equipoise.wording import numbers
from equipoise.wording.visible import visible

TEMPLATES = Path(__file__).parent / "templates"


def render_page(run: FinishedRun, table: pd.DataFrame, answer: Answer, citation: str) -> str:
    """The whole page as HTML.

    Args:
        run: The run.
        table: Its ``headline``.
        answer: Its ``answer``.
        citation: BibTeX entries.
    """
    style, script = own_file("page.css"), own_file("browser.js")
    everything = passages(run)
    return environment(TEMPLATES).get_template("page.html").render(
        version=equipoise.__version__,
        policy=policy(style, script),
        style=Markup(style),  # noqa: S704 - a file of this package
        script=Markup(script),  # noqa: S704 - likewise
        data=Markup(json_for_script(everything)),  # noqa: S704 - holds no < > &
        completions={name: everything[name] for name in ("total", "shown")},
        options={name: everything[name] for name in ("sets", "methods", "seeds", "subjects")},
        run=run,
        rows=records(table),
        split=leading_split(table),
        has_unseen=has_unseen(table),
        asked=bool(table["all_wanted"].notna().any()),
        undelivered=undelivered(run),
        answer=answer,
        has_intervals=has_intervals(table),
        headlines=shown_of(table),
        share=run.task.axis.share if run.task.axis else "the axis",
        charts=page_charts(run, table),
        heat_map=sections.heat_map(run),
        terms=sections.term_tables(run),
        stereotype=sections.stereotype(run),
        comparisons=sections.comparison_tables(run),
        sections=sections.measure_sections(run),
        settings=sections.settings(run),
        conditions=sections.conditions(run),
        missing=sections.missing(run),
        caveats=caveats(len(run.seeds)),
        judged=remarks(run.completions, run.task),
        examples=examples(run),
        citation=citation,
    )  # fmt: skip


def policy(style: str, script: str | None = None) -> str:
    """The content security policy of a page with just this style sheet and this script, or none."""
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src 'sha256-{_hash(style)}'",
            f"script-src 'sha256-{_hash(script)}'" if script else "script-src 'none'",
            "img-src data:",  # the empty icon, without which browsers ask for one
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
        ]
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def own_file(name: str) -> str:
    """A file of the page's own, such as its style sheet."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def environment(*folders: Path) -> Environment:
    """Jinja over the templates in ``folders``: every text is escaped, and every number has a form.

    A page of another kind names its own folder first, then `TEMPLATES`.
    """
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    for name in ("percent", "cell", "interval", "points", "signed", "amount", "p_value", "counted"):
        environment.filters[name] = getattr(numbers, name)
    return environment


def _finalize(value: Any) -> Any:
    """Every text that a template puts out, before it is escaped."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
