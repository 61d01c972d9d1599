"""Pages in folders of docs/ hold the tables of today's results, and their links lead somewhere."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.glob("*/*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8"))
    assert targets
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_tables_are_those_of_the_results(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``python docs/tables.py`` writes them anew."""
    monkeypatch.syspath_prepend(str(DOCS))
    sys.modules.pop("tables", None)
    import tables  # type: ignore[import-not-found]

    text = page.read_text("utf-8")
    assert tables.filled(text) == text
    assert "@@" not in text
