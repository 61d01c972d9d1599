"""Every method has a page, and the site's menu lists it."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from equipoise.methods.registry import METHODS

DOCS = Path(__file__).parents[2] / "docs"
HEADINGS = [path.read_text("utf-8").partition("\n")[0] for path in DOCS.glob("*.md")]


@pytest.mark.parametrize("name", METHODS)
def test_a_page_has_the_method_in_its_heading(name: str) -> None:
    assert any(f"`{name}`" in heading for heading in HEADINGS), (
        f"write a page in docs/ whose heading names `{name}`"
    )


def test_the_menu_lists_the_page_of_a_new_method(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    (tmp_path / "sft.md").write_text("# Supervised fine-tuning: `sft`\n")
    (tmp_path / "best-of.md").write_text("# Best of several: `best-of`\n")
    (tmp_path / "other.md").write_text("# Another page\n\n# Not a method: `x`\n")
    menu = [{"Start": "index.md"}, {"Methods": [{"SFT": "sft.md"}, {"A new one": "new-method.md"}]}]
    config = SimpleNamespace(nav=menu, docs_dir=str(tmp_path))
    runpy.run_path(str(DOCS / "hooks.py"))["on_config"](config)
    assert menu[1]["Methods"] == [
        {"SFT": "sft.md"},
        {"Best of several": "best-of.md"},
        {"A new one": "new-method.md"},
    ]
