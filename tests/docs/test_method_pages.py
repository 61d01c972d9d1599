"""Every method has a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.methods.registry import METHODS

DOCS = Path(__file__).parents[2] / "docs"
HEADINGS = [path.read_text("utf-8").partition("\n")[0] for path in DOCS.glob("*.md")]


@pytest.mark.parametrize("name", METHODS)
def test_a_page_has_the_method_in_its_heading(name: str) -> None:
    assert any(f"`{name}`" in heading for heading in HEADINGS), (
        f"write a page in docs/ whose heading names `{name}`"
    )
