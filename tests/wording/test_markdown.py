from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from markupsafe import Markup

from equipoise.wording.markdown import markdown, render_markdown

TEXTS = st.text(alphabet=st.characters(categories=None) | st.sampled_from("<>*_[]`&#|"))


@given(TEXTS)
def test_no_text_becomes_markup(text: str) -> None:
    told = markdown(text)
    assert len(told.splitlines()) <= 1
    for place, character in enumerate(told):
        if character in "<>*_[]`&#|":
            slashes = len(told[:place]) - len(told[:place].rstrip("\\"))
            assert slashes % 2 == 1


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("templates") / "one.md"
    path.write_text("# {{ title }}\n\n{% for row in rows %}\n- {{ row }}\n{% endfor %}\n")
    return path


@given(TEXTS, TEXTS)
def test_no_value_gets_into_a_template_raw(template: Path, title: str, row: str) -> None:
    told = render_markdown(template, title=title, rows=[row, 7])
    assert told == f"# {markdown(title)}\n\n- {markdown(row)}\n- 7\n"


def test_what_the_package_wrote_itself_passes(template: Path) -> None:
    assert render_markdown(template, title=Markup("**b**"), rows=[]) == "# **b**\n\n"


def test_a_template_that_names_what_nobody_gave_fails(template: Path) -> None:
    with pytest.raises(UndefinedError):
        render_markdown(template, title="t")
