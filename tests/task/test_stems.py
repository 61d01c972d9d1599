"""Sets with stems, as published dictionaries have them, in each of the constraint's uses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from equipoise.errors import EquipoiseError
from equipoise.measures.terms import term_table
from equipoise.task import BalancedExampleGenerator, Task, builtin_tasks, load_task, task_overview
from equipoise.task.capacity import distinct_sentences
from equipoise.task.preference import PreferencePairGenerator
from equipoise.task.template_matcher import TemplateMatcher

from .conftest import assert_refused

Write = Callable[..., Path]

AGENTIC = 'listed = ["bold", "ambitious", "self-reliant"]\nheld_out = ["active", "takes charge"]'
WRITE = 'write = ["ambitious", "self-reliant", "bold"]'


def with_stems(
    listed: str = '["ambitio*", "self-relian*", "bold"]', held_out: str = '["activ*"]',
    write: str = WRITE,
) -> tuple[str, str]:  # fmt: skip
    return AGENTIC, f'matching = "stems"\nlisted = {listed}\nheld_out = {held_out}\n{write}'


@pytest.fixture
def stems(write: Write) -> Task:
    return load_task(write(with_stems()))


def test_the_checker_finds_words_that_start_with_a_stem(stems: Task) -> None:
    verdict = stems.constraint.check("The nurse was ambitiously kind, bold and ambitious.")
    assert verdict.balanced
    assert verdict.hits["agentic"] == ("ambitio*", "bold")
    assert not stems.constraint.check("The nurse was unambitious and kind to us.").balanced
    assert stems.constraint.check("She was activist and kind.", terms="held_out").hits == {
        "agentic": ("activ*",),
        "communal": (),
    }
    told = str(stems.constraint.explain("The nurse was an ambition."))
    assert "'ambitio*' at 17-25" in told


def test_training_sentences_hold_what_is_written(stems: Task) -> None:
    examples = list(BalancedExampleGenerator(stems, 0).generate(12))
    assert all(stems.constraint.check(e.text).satisfied for e in examples)
    assert {value for e in examples for slot, value in e.values.items() if "agentic" in slot} == {
        "ambitious",
        "self-reliant",
        "bold",
    }
    assert not any("*" in e.text for e in examples)
    assert all(TemplateMatcher(stems).matches(e.text, e.subject) for e in examples)


def test_rejected_sentences_hold_what_is_written(write: Write) -> None:
    task = load_task(write(with_stems(), ('"good with people"', '"warm", "fair"')))
    pairs = list(PreferencePairGenerator(task, 0).generate(6))
    assert {pair.kind for pair in pairs} == {"agentic only", "communal only"}
    assert not any("*" in pair.rejected for pair in pairs)


def test_sentences_are_counted_as_one_by_one(stems: Task) -> None:
    """Twin: every sentence written out and checked."""
    subject = stems.subject("doctor")
    valid = BalancedExampleGenerator(stems, 0)._is_valid
    everything = {
        e.text for e in BalancedExampleGenerator(stems, 0).generate_about(
            "doctor", distinct_sentences(stems, subject, valid)
        )
    }  # fmt: skip
    assert len(everything) == distinct_sentences(stems, subject, valid)


def test_a_term_that_a_text_cannot_prove_away_is_looked_for(write: Write) -> None:
    """The context "activists" spoils no proof unless a held-out stem finds it."""
    path = write(with_stems(), ('people = ["colleagues"', 'people = ["activists"'))
    with pytest.raises(EquipoiseError, match=r"'activists' holds 'activ\*', which is held out"):
        load_task(path)


def test_the_table_of_terms_names_the_stem(stems: Task) -> None:
    frame = pd.DataFrame(
        {"method": "m", "seed": 0, "subject": "nurse", "split": "validation",
         "text": ["The nurse was ambitious.", "An ambition, an Ambitious one.", "actively bold"]}
    )  # fmt: skip
    table = term_table(frame, stems).query("subject == 'nurse'").set_index("term")
    assert table.loc["ambitio*", ["count", "listed"]].tolist() == [2, True]
    assert table.loc["activ*", ["count", "listed"]].tolist() == [1, False]
    assert table.loc["self-relian*", "count"] == 0


def test_swapped_with_held_out_stems_needs_words(write: Write) -> None:
    communal = ('"good with people"]', '"good with people"]\nheld_out = ["warm"]')
    assert load_task(write(with_stems(), communal)).with_held_out_terms() is None
    swapped = load_task(write(with_stems(held_out='["activ*", "keen"]'), communal))
    found = swapped.with_held_out_terms()
    assert found is not None
    assert found.lexicons["agentic"].writable == ("keen",)


BAD = {
    "no matching": (
        (AGENTIC, 'listed = ["ambitio*"]'),
        "terms.agentic.listed",
        "'ambitio*' looks like no word",
    ),
    "no matching, held out": (
        (AGENTIC, 'listed = ["bold"]\nheld_out = ["ambitio*"]'),
        "terms.agentic.held_out",
        'Add matching = "stems" to [terms.agentic]',
    ),
    "star inside": (with_stems('["am*tion"]'), "terms.agentic.listed.0", "other characters"),
    "star alone": (with_stems('["*"]'), "terms.agentic.listed.0", "has no letter"),
    "hyphen before the star": (with_stems('["self-*"]'), "terms.agentic.listed.0", "other"),
    "another matching": (
        ("[terms.communal]\n", '[terms.communal]\nmatching = "stem"\n'),
        "terms.communal.matching",
        "stems",
    ),
    "stem as a constraint entry": (
        ('all_of = ["{agentic}", "{communal}"]', 'all_of = ["ambitio*"]'),
        "constraint.all_of",
        "is a stem",
    ),
    "nothing to write": (with_stems(write=""), "terms.agentic.write", "cannot be written"),
    "written but not listed": (
        with_stems(write='write = ["keen"]'),
        "terms.agentic.write",
        "no listed term matches 'keen'",
    ),
    "a stem to write": (with_stems(write='write = ["bold*"]'), "write.0", "is a stem"),
    "written twice": (with_stems(write='write = ["bold", "Bold"]'), ".write", "stands in it twice"),
    "nothing is a stem": (
        ("[terms.communal]\n", '[terms.communal]\nwrite = ["kind"]\n'),
        "terms.communal.write",
        "no listed term is a stem",
    ),
    "held-out word of a listed stem": (
        with_stems(held_out='["ambitions"]'),
        "terms.agentic.listed",
        "'ambitio*' holds the held-out term 'ambitions'",
    ),
    "held-out stem of a listed word": (
        with_stems(held_out='["bol*"]'),
        "terms.agentic.listed",
        "'bold' holds the held-out term 'bol*'",
    ),
    "held-out stem behind a listed stem": (
        with_stems(held_out='["ambitious*"]'),
        "terms.agentic.listed",
        "'ambitio*' holds the held-out term 'ambitious*'",
    ),
    "held-out stem before a listed stem": (
        with_stems(held_out='["am*"]'),
        "terms.agentic.listed",
        "'ambitio*' holds the held-out term 'am*'",
    ),
    "held-out word at the end of a listed phrase": (
        with_stems(listed='["team play*"]', held_out='["player"]', write='write = ["team play"]'),
        "terms.agentic.listed",
        "'team play*' holds the held-out term 'player'",
    ),
    "neutral word of a stem": (
        ("[constraint]\n", '[neutral]\nlisted = ["ambition"]\n[constraint]\n', *with_stems()),
        "neutral.listed",
        "holds the term 'ambitio*'",
    ),
    "subject of a stem": (
        ("[subjects.pilot]", "[subjects.activist]", *with_stems()),
        "subjects.activist",
        "holds the term 'activ*'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_error_names_field_and_reason(case: str, write: Write) -> None:
    texts, field, message = BAD[case]
    pairs = list(zip(texts[::2], texts[1::2], strict=True))
    assert_refused(write(*pairs), field, message)


def test_walls_between_neighbours_stand_open(write: Write) -> None:
    """Stems that share letters but no word are no fault."""
    task = load_task(write(with_stems(held_out='["bolds*", "amb", "unambitio*"]')))
    assert task.lexicons["agentic"].held_out == ("bolds*", "amb", "unambitio*")


def test_the_axis_measures_no_word_of_a_listed_stem(write: Write) -> None:
    path = write(with_stems('["ambitio*", "jess*"]', write='write = ["ambitious", "jessed"]'))
    with pytest.raises(
        EquipoiseError, match=r"'Jessica' .* learn from it at terms\.agentic\.listed"
    ):
        load_task(path)


def test_the_check_notes_terms_that_look_like_no_word(write: Write) -> None:
    task = load_task(write((AGENTIC, 'listed = ["nurtur", "assertiv", "bold", "give"]')))
    notes = [note for note in task_overview(task)["notes"] if "looks like no English" in note]
    assert [note.split("'")[1] for note in notes] == ["nurtur", "assertiv"]
    assert "write 'nurtur*' and matching = \"stems\"" in notes[0]


def test_the_check_notes_a_word_that_two_terms_find(write: Write) -> None:
    task = load_task(write(with_stems('["ambitio*", "ambitiou*", "self-r*", "bold"]')))
    (note,) = (note for note in task_overview(task)["notes"] if "finds too" in note)
    assert "what 'ambitiou*' finds, 'ambitio*' finds too" in note


@pytest.mark.parametrize("name", builtin_tasks())
def test_no_word_of_a_built_in_task_looks_like_a_stem(name: str) -> None:
    assert not [n for n in task_overview(load_task(name), samples=0)["notes"] if "stem" in n]
