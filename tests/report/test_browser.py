"""The page in a real Chromium: it works, it is fast, and nothing in a run's data does anything."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from attacks import ATTACKS
from equipoise.completions.judged_sentence import judge
from equipoise.report import write_report
from equipoise.task.task import Task
from equipoise.task.task_file import load_task
from report.made_runs import TASK, comparisons, every_table, make_run, small_task
from report.real_latex import compiled

if TYPE_CHECKING:
    from playwright.sync_api import Page


def report(folder: Path, task: Task) -> Path:
    return write_report(folder, task=task)[0]


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run with every table, written once."""
    folder = tmp_path_factory.mktemp("made")
    task = small_task(folder)
    return report(make_run(folder / "run", task, tables=every_table(task)), task)


def rows(page: Page) -> list[str]:
    return page.locator("#rows .row .text").all_inner_texts()


def count(page: Page) -> int:
    text = page.locator("#count").inner_text()
    match = re.match(r"([\d,]+) of", text)
    assert match, text
    return int(match[1].replace(",", ""))


def test_the_page_asks_for_nothing_and_complains_of_nothing(page_file: Path, opened) -> None:
    found = opened(page_file)
    assert (
        found.page.locator("h1").inner_text() == "Which method gives balanced sentences from tiny?"
    )
    assert count(found.page) == 72
    assert found.requests == [page_file.as_uri()]
    assert found.complaints == []


def test_filters(page_file: Path, opened) -> None:
    page = opened(page_file).page
    page.select_option("select[name=method]", label="sft")
    assert count(page) == 36
    page.select_option("select[name=subject]", label="nurse")
    assert count(page) == 12
    page.select_option("select[name=balanced]", label="not balanced")
    assert count(page) == 2
    assert set(rows(page)) == {"The nurse was bold and tall."}
    page.select_option("select[name=seed]", label="2")
    assert count(page) == 0
    for name in ("method", "subject", "balanced", "seed"):
        page.select_option(f"select[name={name}]", value="")
    page.fill("input[name=text]", "ACTIVE and")
    assert count(page) == 9
    page.fill("input[name=text]", "<")
    assert count(page) == 0


def test_terms_are_marked_by_more_than_colour(page_file: Path, opened) -> None:
    page = opened(page_file).page
    page.select_option("select[name=method]", label="sft")
    styles = page.evaluate(
        """() => ["s0", "s1"].map((name) => {
             const style = getComputedStyle(document.querySelector(`#rows mark.${name}`));
             return [style.textDecorationStyle, style.textDecorationColor];
           })"""
    )
    (one, blue), (other, orange) = styles
    assert one != other
    assert blue != orange
    assert page.locator("#rows mark.s0").first.get_attribute("data-set") == "agentic"
    page.fill("input[name=text]", "active")
    page.select_option("select[name=method]", label="prompt")
    assert page.locator("#rows mark.held").first.inner_text() == "active"


def test_it_can_be_used_by_keyboard_alone(page_file: Path, opened) -> None:
    page = opened(page_file).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.focus("#list")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.locator(".row.active").get_attribute("aria-rowindex") == "2"
    assert page.locator("#detail .whole").inner_text() == "The doctor was bold and tall."
    page.keyboard.press("End")
    assert page.locator(".row.active").get_attribute("aria-rowindex") == "72"
    assert "sft · seed 3 · nurse · unseen subject" in page.locator("#detail").inner_text()
    page.keyboard.press("Home")
    assert page.locator(".row.active").get_attribute("aria-rowindex") == "1"


def test_every_control_has_a_name_and_every_table_its_headers(page_file: Path, opened) -> None:
    page = opened(page_file).page
    nameless = page.evaluate(
        """() => {
          const asked = "select, input, [tabindex], svg[role=img], nav, aside";
          const name = (e) => e.labels?.length || e.ariaLabel || e.getAttribute("aria-labelledby");
          return [...document.querySelectorAll(asked)].filter((e) => !name(e))
            .map((e) => e.outerHTML);
        }"""
    )
    assert nameless == []
    assert page.evaluate(
        """() => [...document.querySelectorAll("table")].every((t) => t.caption
             && t.querySelector("thead th[scope=col]") && t.querySelector("tbody th[scope=row]"))"""
    )
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map((h) => +h.tagName[1])")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(page_file: Path, opened, scheme: str) -> None:
    page = opened(page_file, color_scheme=scheme).page
    page.select_option("select[name=method]", label="sft")
    worst = page.evaluate(CONTRAST)
    assert worst["ratio"] >= 4.5, worst


CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const paint = (colors) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const color of colors) { canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => {
    const linear = (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = rgb.map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let worst = { ratio: 99 };
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.checkVisibility()) continue;
    if (element.closest(".vh, script, style, .skip")) continue;
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      layers.unshift(getComputedStyle(at).backgroundColor);
    }
    const style = getComputedStyle(element);
    const back = light(paint(layers));
    const front = light(paint([...layers, element.closest("svg") ? style.fill : style.color]));
    const ratio = (Math.max(back, front) + 0.05) / (Math.min(back, front) + 0.05);
    if (ratio < worst.ratio) worst = { ratio, element: element.outerHTML.slice(0, 160) };
  }
  return worst;
}"""
"""The least contrast of any text with what is behind it (WCAG 2.2, 1.4.3)."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_charts_take_the_colours_of_the_page(page_file: Path, opened, scheme: str) -> None:
    page = opened(page_file, color_scheme=scheme).page
    blue = "#0072b2" if scheme == "light" else "#6cbcf0"
    assert (
        page.evaluate(
            """() => getComputedStyle(document.documentElement).getPropertyValue("--blue")"""
        )
        == blue
    )
    rgb = ", ".join(str(int(blue[at : at + 2], 16)) for at in (1, 3, 5))
    fills = page.evaluate(
        "() => [...document.querySelectorAll('svg.chart use')].map((e) => getComputedStyle(e).fill)"
    )
    assert f"rgb({rgb})" in fills
    assert "rgb(0, 0, 0)" not in fills


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_the_page_fits_the_window(page_file: Path, opened, width: int) -> None:
    page = opened(page_file, viewport={"width": width, "height": 800}).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_scripts_it_still_answers(page_file: Path, opened) -> None:
    page = opened(page_file, java_script_enabled=False).page
    assert page.locator("table.main").first.locator("tbody tr").count() == 2
    assert page.locator("noscript").count() == 1
    assert not page.locator("#browser").is_visible()


def test_it_prints_without_what_only_a_screen_can_do(page_file: Path, opened) -> None:
    page = opened(page_file).page
    page.emulate_media(media="print")
    assert not page.locator("#browser").is_visible()
    assert not page.locator(".contents").is_visible()
    assert page.locator("#examples").is_visible()
    assert page.pdf().startswith(b"%PDF")


@pytest.mark.slow
class TestHostile:
    """What strangers put into a run stays text."""

    @pytest.fixture(scope="class")
    @classmethod
    def attacked(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """The page of a run that is hostile wherever text can come from, written once."""
        made = tmp_path_factory.mktemp("attacked")
        name = r"nurse \input /etc/passwd <img src=x onerror=attacked=1>"
        prompt = "Complete </script><script>attacked=1</script> {subject}"
        text = TASK
        for plain, hostile in (
            ("[subjects.nurse]", f"[subjects.'{name}']"),
            ('\n"nurse" = ', f"\n'{name}' = "),
            ('neutral = "Complete: The {subject} was"', f"neutral = '{prompt}'"),
        ):
            assert text.count(plain) == 1, plain
            text = text.replace(plain, hostile)
        task = small_task(made, text)

        def texts(method: str, seed: int, subject: str) -> Sequence[str]:
            return ATTACKS

        tables = every_table(task)
        tables["comparisons"] = comparisons({"verdict": ATTACKS[1]}, {"method_a": ATTACKS[3]})
        tables["settings"] = pd.DataFrame(
            [(ATTACKS[0], "yes", ATTACKS[3], ATTACKS[1])],
            columns=["setting", "differs", "prompt", "sft"],
        )
        tables["stereotype"].loc[0, "measure"] = ATTACKS[4]
        folder = make_run(made / "run", task, texts=texts, tables=tables,
                          record={"name": ATTACKS[1] + "\ud800\u202e"})  # fmt: skip
        for path in folder.rglob("training_info.json"):
            path.write_text(
                f'{{"precision": "{ATTACKS[0]}\\ud800", "history": [{{"loss": 1e999}}]}}'
            )
        (folder / "environment.json").write_text(
            '{"processor": "<script>attacked=1</script>\\ud800", "packages": {"<b>": "</dd>"}}'
        )
        return report(folder, task)

    def test_nothing_runs_and_nothing_leaves(self, attacked: Path, opened) -> None:
        found = opened(attacked)
        page = found.page
        page.wait_for_timeout(300)
        expected = len(ATTACKS) * 18
        assert count(page) == expected
        for key in ("Home", "PageDown", "End"):
            page.focus("#list")
            page.keyboard.press(key)
        for attack in ATTACKS[:10]:
            kept = judge(attack, "The nurse was").text  # without links and the like
            page.fill("input[name=text]", kept[:200])
            assert count(page) >= 18, attack
            assert any(kept[:20] in text for text in rows(page))
        assert page.evaluate("window.attacked") is None
        assert found.requests == [attacked.as_uri()]
        assert found.complaints == []
        assert page.evaluate("document.scripts.length") == 2
        assert (
            page.evaluate("document.querySelectorAll('img, iframe, base, form[action]').length")
            == 0
        )

    def test_a_script_that_got_in_would_be_stopped(
        self, page_file: Path, tmp_path: Path, opened
    ) -> None:
        """The policy itself works: a page that was tampered with runs nothing."""
        text = page_file.read_text("utf-8")
        spoilt = tmp_path / "spoilt.html"
        image = "<img src=https://example.invalid/x onerror='window.attacked=1'>"
        attack = f"<script>window.attacked=1</script>{image}"
        spoilt.write_text(text.replace("<main", attack + "<main"), encoding="utf-8")
        found = opened(spoilt)
        found.page.wait_for_timeout(300)
        assert found.page.evaluate("window.attacked") is None
        assert any("Content Security Policy" in text for text in found.complaints)
        assert count(found.page) == 72  # while the page's own script does run

    def test_a_report_is_well_formed_everywhere(self, attacked: Path) -> None:
        for path in attacked.parent.rglob("*"):
            if path.suffix in (".html", ".md", ".json", ".csv", ".tex", ".svg", ".bib"):
                text = path.read_bytes().decode("utf-8")
                assert "\u202e" not in text or path.name == "task.toml"

    def test_its_tables_compile(self, attacked: Path, latex: str, tmp_path: Path) -> None:
        folder = Path(shutil.copytree(attacked.parent, tmp_path / "report"))
        names = sorted(path.stem for path in (folder / "tables").glob("*.tex"))
        inputs = "\n".join(rf"\input{{tables/{name}}}" for name in names)
        log = compiled(latex, folder, inputs)
        assert "(/etc/passwd" not in log.replace("\n", "")  # as LaTeX tells of files it reads
        assert "passwd" in (folder / "tables" / "subjects.tex").read_text("ascii")


def test_a_hundred_thousand_completions_stay_fluent(tmp_path: Path, opened) -> None:
    task = load_task("occupations")
    each = 100_000 // (20 * 2 * 2)

    def texts(method: str, seed: int, subject: str) -> Sequence[str]:
        return [f"The {subject} was bold, number {n} of {method}, and caring with {seed}."
                for n in range(each)]  # fmt: skip

    folder = make_run(tmp_path / "run", task, seeds=[1, 2], texts=texts)
    page = opened(report(folder, task)).page
    assert count(page) == 100_000
    assert page.locator("#rows .row").count() < 60
    started = time.perf_counter()
    page.fill("input[name=text]", "number 7 of sft")
    assert count(page) == 40
    assert time.perf_counter() - started < 5  # on a busy machine; measured: a tenth of it
    page.fill("input[name=text]", "")
    frames = page.evaluate(
        """async () => {
          const list = document.getElementById("list"), times = [];
          for (let step = 0; step < 40; step++) {
            list.scrollTop = step * 90000;
            const before = performance.now();
            await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            times.push(performance.now() - before);
          }
          return times.sort((a, b) => a - b)[20];
        }"""
    )
    assert frames < 200
    page.focus("#list")
    page.keyboard.press("End")
    assert page.locator(".row.active").get_attribute("aria-rowindex") == "100000"
    assert page.locator(".row.active").is_visible()
