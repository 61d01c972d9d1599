from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from equipoise.report.passages import Marker, examples, json_for_script, passages
from equipoise.runs.finished_run import FinishedRun, read_run
from equipoise.task.task import Task
from equipoise.task.task_file import load_task
from equipoise.wording.visible import MOST_CHARACTERS
from report.made_runs import TASK, make_run, small_task

OCCUPATIONS = load_task("occupations")
WORDS = [
    "bold",
    "self-reliant",
    "Caring",
    "indecisive",
    "nurse",
    "é",
    "👩",
    ".",
    "-",
    " ",
    "strong-minded",
]


def decoded(pieces: list[str]) -> str:
    """A text from its pieces, as the page's script joins them."""
    return "".join(piece[1:] if place % 2 else piece for place, piece in enumerate(pieces))


@given(st.lists(st.sampled_from(WORDS)).map("".join))
def test_marks_are_where_the_checker_finds_terms(text: str) -> None:
    pieces = Marker(OCCUPATIONS).pieces(text)
    assert "".join(piece for piece, _, _ in pieces) == text
    assert [number is None for _, number, _ in pieces] == [i % 2 == 0 for i in range(len(pieces))]
    for number, name in enumerate(OCCUPATIONS.lexicons):
        marked = {piece.casefold() for piece, owner, listed in pieces if owner == number and listed}
        assert marked == set(OCCUPATIONS.constraint.check(text).hits[name])


def test_of_overlapping_terms_the_longer_first_one_is_marked(tmp_path: Path) -> None:
    task = small_task(tmp_path, TASK.replace('"takes charge"]', '"takes charge", "charge"]'))
    pieces = Marker(task).pieces("She takes charge.")
    assert pieces == [("She ", None, False), ("takes charge", 0, True), (".", None, False)]


def test_a_long_text_is_cut_where_no_mark_is_broken(task: Task) -> None:
    text = "x" * (MOST_CHARACTERS - 3) + " bold" + "y" * 5000
    [(only, number, _)] = Marker(task).pieces(text)
    assert number is None
    assert only.endswith("… (7,002 characters in all)")


def test_every_completion_is_there_once(run: FinishedRun) -> None:
    data = passages(run)
    assert (data["total"], data["shown"]) == (72, 72)
    rows = sorted(
        (data["methods"][m], data["seeds"][s], data["subjects"][subject],
         decoded(data["texts"][text]), data["flags"][text] & 1)
        for m, s, subjects, texts in data["cells"]
        for subject, text in zip(subjects, texts, strict=True)
    )  # fmt: skip
    frame = run.completions
    assert rows == sorted(
        zip(frame["method"], frame["seed"], frame["subject"], frame["text"], frame["balanced"],
            strict=True)
    )  # fmt: skip
    assert len(data["texts"]) == frame["text"].nunique() < len(frame)


def test_of_too_many_the_first_of_each_cell_are_shown(run: FinishedRun) -> None:
    data = passages(run, most=12)
    assert (data["total"], data["shown"]) == (72, 12)
    assert [len(texts) for *_, texts in data["cells"]] == [2] * 6


def test_examples_are_the_first_ones(run: FinishedRun) -> None:
    found = examples(run, each=1)
    assert [(row["method"], row["seed"], row["subject"]) for row in found] == [
        ("prompt", 1, "doctor"), ("prompt", 1, "nurse"), ("sft", 1, "doctor"), ("sft", 1, "nurse"),
    ]  # fmt: skip


@given(st.lists(st.text(alphabet=st.characters(categories=None) | st.sampled_from("<>&/!-\u2028"))))
def test_json_in_a_script_can_end_nothing_and_is_read_back(texts: list[str]) -> None:
    told = json_for_script(texts)
    assert told.isascii()
    assert not set("<>&").intersection(told)
    assert json.loads(told) == texts


def test_hostile_pieces_are_visible(tmp_path: Path, task: Task) -> None:
    folder = make_run(tmp_path / "run", task, texts=lambda *_: ["\u202ebold </script>\x1b\u2028."])
    [pieces] = passages(read_run(folder, task))["texts"]
    assert decoded(pieces) == "bold </script>⟨U+001B⟩"
