"""Every page opens with an example, and what the pages show is understood by the package."""

from __future__ import annotations

import re
import shlex
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from typer.main import get_command

from equipoise.cli import main
from equipoise.cli.app import app
from equipoise.study.specification import specify
from equipoise.task.task import Task
from equipoise.task.task_file import load_task

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(page for page in DOCS.rglob("*.md") if page.name != "api.md")
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
STUDY = {"name": "shown", "model": "smollm2-135m-instruct", "seeds": [1], "samples_per_subject": 2}
SHOWN = {  # pages whose first command needs nothing but files of texts
    "measures.md": "completions.csv",
    "statistics.md": "a.csv b.csv",
    "other-files.md": "theirs.csv",
    "judged-sentence.md": "",
    "glossary.md": "",
}


def blocks(page: Path, kind: str) -> list[str]:
    """The blocks of one kind on a page, in its order."""
    return [text for found, text in BLOCK.findall(page.read_text("utf-8")) if found == kind]


def commands(page: Path) -> list[list[str]]:
    """What a page has one type that begins with ``equipoise``, without that word."""
    lines = "".join(blocks(page, "sh") + blocks(page, "bash")).replace("\\\n", " ").splitlines()
    split = [shlex.split(line, comments=True) for line in lines]
    return [words[1:] for words in split if words[:1] == ["equipoise"]]


@pytest.fixture(scope="module")
def polite() -> Task:
    """The built-in task with one more prompt, which the page about prompting uses."""
    task = load_task("occupations")
    return replace(task, prompts={**task.prompts, "polite": 'Please go on: "The {subject} was"'})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_opens_with_an_example(page: Path) -> None:
    opening = page.read_text("utf-8").split("\n## ")[0]
    if page.name == "your-own-task.md":  # the tutorial is an example from its first step on
        return
    assert "```" in opening


@pytest.mark.parametrize("page", [p for p in PAGES if commands(p)], ids=lambda page: page.stem)
def test_commands_and_options_are_there(page: Path) -> None:
    for words in commands(page):
        command = get_command(app)
        while hasattr(command, "commands") and words and not words[0].startswith("-"):
            command = command.commands[words[0]]
            words = words[1:]
        known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
        used = {word.partition("=")[0] for word in words if re.match(r"--?[a-zA-Z]", word)}
        assert used <= known | {"--help"}, words


@pytest.mark.parametrize(
    "page",
    [p for p in PAGES if any(text.startswith("[methods.") for text in blocks(p, "toml"))],
    ids=lambda page: page.stem,
)
def test_methods_of_a_page_make_a_study(
    page: Path, polite: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("equipoise.study.specification.read_task", lambda *_: polite)
    for text in blocks(page, "toml"):
        if text.startswith("[methods."):
            assert specify({"study": STUDY, **tomllib.loads(text)}, "shown.toml").methods


@pytest.mark.parametrize("name", SHOWN)
def test_the_first_command_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    subjects = [subject.name for subject in load_task("occupations").subjects]
    for number, file in enumerate(SHOWN[name].split()):
        traits = ("bold and caring", "brave and kind")[number]
        texts = [f"{one},The {one} was {traits} all day {i}.\n" for one in subjects for i in "ab"]
        Path(file).write_text("occupation,response\n" + "".join(texts), encoding="utf-8")
    first, *_ = commands(DOCS / name)
    code = main(first)
    said = capsys.readouterr()
    assert code == 0, said.err
    assert said.out
