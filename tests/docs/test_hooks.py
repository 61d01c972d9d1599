"""What the site's hooks do to a page."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def hooks() -> dict[str, Any]:
    pytest.importorskip("mkdocs")
    return runpy.run_path(str(ROOT / "docs" / "hooks.py"))


def test_a_number_stays_with_its_error_and_unit(hooks: dict[str, Any]) -> None:
    html = "<p>0.0 ± 0.1\n%, 5 to 6 points</p><pre><code>0.0 ± 0.1 %</code></pre><p>7 %</p>"
    assert hooks["on_page_content"](html, None, None, None) == (
        "<p>0.0&nbsp;±&nbsp;0.1&nbsp;%, 5 to 6 points</p>"
        "<pre><code>0.0 ± 0.1 %</code></pre><p>7&nbsp;%</p>"
    )


@pytest.mark.parametrize(
    ("page", "link", "pointed"),
    [
        ("sft.md", "../results/calibration.csv", "repository/results/calibration.csv"),
        ("sft.md", "../mkdocs.yml#nav", "repository/mkdocs.yml#nav"),
        ("results/sft.md", "../sft.md#data", "../sft.md#data"),
        ("results/sft.md", "../../pyproject.toml", "../repository/pyproject.toml.txt"),
    ],
)
def test_links_out_of_docs_lead_to_copies(
    hooks: dict[str, Any], page: str, link: str, pointed: str
) -> None:
    file = SimpleNamespace(abs_src_path=str(ROOT / "docs" / page), src_uri=page)
    made = hooks["on_page_markdown"](f"[x]({link})", SimpleNamespace(file=file), None, None)
    assert made == f"[x]({pointed})"
