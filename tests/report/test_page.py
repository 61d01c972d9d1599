"""The page as text; what a browser makes of it is in test_browser.py."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from equipoise.report.answer import answer
from equipoise.report.headline import headline
from equipoise.report.page import TEMPLATES, render_page
from equipoise.report.sections import level
from equipoise.runs.finished_run import FinishedRun, read_run
from equipoise.task.task import Task
from equipoise.wording.bibliography import bibliography
from report.made_runs import comparisons, intervals, make_run


def page_of(run: FinishedRun) -> str:
    table = headline(run)
    return render_page(run, table, answer(run, table), bibliography(run.task.name))


class Elements(HTMLParser):
    """All elements and their attributes, and what is not closed."""

    VOID = frozenset(["meta", "link", "input", "br"])

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.stack: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag


@pytest.fixture
def page(run: FinishedRun) -> str:
    return page_of(run)


def test_every_element_is_closed_and_ids_are_unique(page: str) -> None:
    elements = Elements(page)
    assert not elements.stack
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [a["href"] for tag, a in elements.found if tag == "a"]
    assert {str(target)[1:] for target in targets} <= set(ids)


def test_the_policy_allows_the_own_style_and_script_only(page: str) -> None:
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    policy = policy.replace("&#39;", "'")
    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    assert directives["default-src"] == "'none'"
    assert "unsafe" not in policy
    for name, pattern in (
        ("style-src", r"<style>(.*?)</style>"),
        ("script-src", r"<script>(.*?)</script>"),
    ):
        [content] = re.findall(pattern, page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert directives[name] == f"'sha256-{digest}'"


def test_nothing_is_inline_and_nothing_is_fetched(page: str) -> None:
    for tag, attributes in Elements(page).found:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        for name in ("src", "href", "action", "srcset", "data"):
            value = attributes.get(name)
            assert value is None or value.startswith("#") or value == "data:,"
    assert "url(" not in page
    assert "@import" not in page


def test_the_data_is_json_and_all_of_it(page: str, run: FinishedRun) -> None:
    [text] = re.findall(
        r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL
    )
    assert json.loads(text)["total"] == len(run.completions)


def test_the_first_screen_answers(page: str) -> None:
    first = page[: page.index('id="generalisation"')]
    assert "Which method gives balanced sentences from tiny?" in first
    assert "70.0 to 99.9" in first
    assert "Balance against fluency" in first


def test_sections_without_data_are_left_out_and_said_to_be(bare: FinishedRun) -> None:
    page = page_of(bare)
    for name in ("terms", "stereotype", "variety", "comparisons", "cost"):
        assert f'id="{name}"' not in page
        assert f'href="#{name}"' not in page
    missing = page[page.index('id="missing"') :]
    assert "Tests between methods: results/comparisons.csv is not there." in missing
    assert "± 28.9" in page


def test_own_files_can_stand_in_the_page() -> None:
    for name in ("page.css", "browser.js"):
        text = (TEMPLATES / name).read_bytes().decode()
        assert "\r" not in text
        assert "</" not in text
        assert "<!--" not in text
    assert "innerHTML" not in (TEMPLATES / "browser.js").read_text("utf-8")


@pytest.mark.parametrize(
    ("rate", "shade"), [(0, 0), (0.001, 1), (0.5, 5), (0.999, 10), (1, 10), (float("nan"), 0)]
)
def test_only_nothing_has_no_shade(rate: float, shade: int) -> None:
    assert level(rate) == shade


def test_a_template_that_forgets_a_value_fails(tmp_path: Path) -> None:
    from jinja2 import UndefinedError

    from equipoise.report.page import TEMPLATES, environment

    with pytest.raises(UndefinedError):
        environment(TEMPLATES).from_string("{{ nobody }}").render()
    assert (
        environment(TEMPLATES).from_string("{{ x }}").render(x="<b>\u202e") == "&lt;b&gt;⟨U+202E⟩"
    )


def test_scores_are_listed_in_their_own_unit(tmp_path: Path, task: Task) -> None:
    fluency = {"outcome": "log_probability_base", "mean_a": -2.5, "mean_b": -2.0,
               "difference": -0.5, "low": -0.75, "high": -0.25, "cohens_h": math.nan,
               "cliffs_delta": -0.4, "p_equivalent_holm": math.nan}  # fmt: skip
    tables = {"comparisons": comparisons({"cliffs_delta": math.nan}, fluency)}
    page = page_of(read_run(make_run(tmp_path / "run", task, tables=tables), task))
    rates, scores = page.split('<caption class="vh">Comparisons: ')[1:]
    assert '<th scope="col" class="num">points</th>' in rates
    assert '<td class="num">+90.0</td>' in rates
    assert "Cohen’s h" in rates
    assert scores.startswith("log-probability per token by the base model (nats), validation")
    assert '<th scope="col" class="num">nats</th>' in scores
    assert '<td class="num">+0.500</td>' in scores
    assert "0.250 to 0.750" in scores
    assert "Cliff’s δ" in scores
    assert '<td class="num">0.40</td>' in scores


def test_the_level_of_the_study_is_the_one_that_is_named(tmp_path: Path, task: Task) -> None:
    tables = {"comparisons": comparisons({"p_holm": 0.02}), "intervals": intervals()}
    folder = make_run(tmp_path / "run", task, tables=tables, record={"statistics": {"alpha": 0.01}})
    page = page_of(read_run(folder, task))
    assert "mean over seeds with its 99 % interval" in page
    assert '<th scope="col" class="num">99 % interval</th>' in page
    assert "not shown" in page.split("Which differences are shown")[1]


def test_what_was_cut_away_is_said(task: Task, tmp_path: Path) -> None:
    def texts(method: str, seed: int, subject: str) -> list[str]:
        return [f"**The {subject} was bold and kind to all.**", f"The {subject} is tall."] * 2

    run = read_run(make_run(tmp_path / "marked", task, texts=texts), task)
    page = page_of(run)
    assert "Markdown, HTML or code 36" in page
    assert "The {subject} is" in page
