"""What the documentation shows works, and what it points at exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from equipoise.study.specification import read_specification
from equipoise.task.examples import BalancedExampleGenerator
from equipoise.task.task_file import load_task

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def toml_block(page: str, beginning: str = "") -> str:
    """The first TOML block of a docs page that begins so."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    match = re.search(rf"```toml\n({re.escape(beginning)}.*?)```", text, re.DOTALL)
    assert match
    return match[1]


def test_the_task_file_page_shows_a_task_that_loads(tmp_path: Path) -> None:
    path = tmp_path / "ages.toml"
    path.write_text(toml_block("task-file.md"), encoding="utf-8")
    task = load_task(path)
    examples = list(BalancedExampleGenerator(task, 1).generate(5))
    assert len(examples) == 10
    assert all(task.constraint.check(example.text).satisfied for example in examples)


@pytest.mark.parametrize("page", ["task-file.md", "your-own-task.md"])
def test_the_axis_on_a_page_fits_the_task_on_it(page: str, tmp_path: Path) -> None:
    path = tmp_path / "task.toml"
    path.write_text(toml_block(page, "[task]") + toml_block(page, "[axis]"), encoding="utf-8")
    task = load_task(path)
    assert task.axis is not None
    assert task.axis.terms == ("competence", "warmth")
    assert set(task.shares) <= {subject.name for subject in task.subjects}
    if page == "your-own-task.md":  # "a slope needs three different shares"
        assert len(set(task.shares.values())) >= 3


def test_the_study_file_page_shows_a_study_that_is_read(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(toml_block("study-file.md"), encoding="utf-8")
    methods = read_specification(path).methods
    shown = ["prompt", "prompt-balanced", "sft", "sft-lora", "sft-dpo", "sft-filter"]
    assert list(methods) == shown
    assert methods["sft-lora"].settings.lora is True


def test_the_llama_study_is_what_its_page_says() -> None:
    """LoRA for what is trained, three seeds, the protocol's size; and its dry run is read too."""
    study = read_specification("llama-3.1-8b")
    assert study.study.model == "meta-llama/Llama-3.1-8B-Instruct"
    assert (len(study.study.seeds), study.study.samples_per_subject) == (3, 250)
    trained = [m for m in study.methods.values() if m.changes_weights]
    assert [m.name for m in trained] == ["sft", "dpo"]
    assert all(m.settings.lora for m in trained)
    page = (ROOT / "docs" / "llama-8b.md").read_text("utf-8")
    assert "it was not run" in page
    overrides = re.findall(r"--set '?((?:study|methods)[^'\s]+)'?", page.split("## Memory")[0])
    assert len(overrides) == 5
    assert len(read_specification("llama-3.1-8b", overrides).cells()) == len(study.methods)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8"))
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_no_page_holds_an_unfilled_place(page: Path) -> None:
    assert "@@" not in page.read_text("utf-8")


def test_the_number_of_templates_is_as_documented() -> None:
    count = len(load_task("occupations").templates)
    assert f"{count} templates" in (ROOT / "docs" / "task-file.md").read_text("utf-8")


def test_every_test_that_the_documentation_names_exists() -> None:
    named = {
        name
        for page in PAGES
        for name in re.findall(r"`(tests/[\w/]+\.py::\w+)`", page.read_text("utf-8"))
    }
    assert len(named) > 20
    for name in named:
        path, _, function = name.partition("::")
        assert f"def {function}(" in (ROOT / path).read_text("utf-8"), name
