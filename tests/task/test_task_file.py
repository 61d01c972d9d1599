"""Every way a task file can be wrong gets an error that names file, field and hint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from equipoise.errors import EquipoiseError
from equipoise.task import builtin_tasks, load_task

from .conftest import assert_refused

Write = Callable[..., Path]

BOLD = 'listed = ["bold", "ambitious", "self-reliant"]'
KIND = 'listed = ["kind", "honest", "good with people"]'
PEOPLE = 'people = ["colleagues", "new members of the team"]'
PLAIN = 'plain = ["The {subject} was {agentic} and {communal} with {people}."]'
ALL_OF = 'all_of = ["{agentic}", "{communal}"]'
PATIENTS = 'people = ["patients"]'
SHARE = "doctor = 37.9"


def wide(*terms: str) -> tuple[str, str]:
    return BOLD, f"{BOLD}\nwide = {list(terms)!r}"


def plain(*texts: str) -> tuple[str, str]:
    return PLAIN, f"plain = {list(texts)!r}"


BAD = {
    "empty set": ((BOLD, "listed = []"), "terms.agentic.listed", "at least 1 item"),
    "term twice": ((BOLD, 'listed = ["bold", "Bold"]'), "terms.agentic.listed", "listed twice"),
    "listed and held out": (
        ('held_out = ["active"', 'held_out = ["BOLD"'),
        "terms.agentic.held_out",
        "'BOLD' is listed twice, also in terms.agentic.listed",
    ),
    "held-out term inside a listed one": (
        (KIND, 'listed = ["kind", "active listener"]'),
        "terms.communal.listed",
        "holds the held-out term 'active'",
    ),
    "term without letter": ((BOLD, 'listed = ["42"]'), "terms.agentic.listed.0", "has no letter"),
    "term with punctuation": (
        (BOLD, 'listed = ["bold, even"]'),
        "terms.agentic.listed.0",
        "other characters",
    ),
    "term with spaces": ((BOLD, 'listed = [" bold"]'), "terms.agentic.listed.0", "spaces"),
    "term of another type": ((BOLD, "listed = [1]"), "terms.agentic.listed.0", "string"),
    "number in quotes": (("words = [6, 11]", 'words = ["6", 11]'), "constraint.words.0", "integer"),
    "three numbers": (("words = [6, 11]", "words = [6, 8, 11]"), "constraint.words", "at most 2"),
    "min over max": (("words = [6, 11]", "words = [11, 6]"), "constraint.words", "no sentence has"),
    "range never met": (
        ("words = [6, 11]", "words = [40, 50]"),
        "constraint.words",
        "no training template makes a sentence of 40 to 50 words about 'doctor': they have 8 to 17",
    ),
    "range that one template never meets": (
        plain("The {subject} was {agentic} and {communal} at work and at home and away."),
        "templates.plain.0",
        "no fill-in of",
    ),
    "missing set": (
        (ALL_OF, 'all_of = ["{agentik}"]'),
        "constraint.all_of",
        "Did you mean 'agentic'?",
    ),
    "set without braces": ((ALL_OF, 'all_of = ["agentic"]'), "constraint.all_of", "'{agentic}'"),
    "entry twice": (
        (ALL_OF, 'all_of = ["{agentic}"]\nnone_of = ["{agentic}"]'),
        "constraint",
        "stands in it twice",
    ),
    "forbidden everywhere": (
        (ALL_OF, 'none_of = ["doctor"]'),
        "templates.plain.0",
        "none_of doctor: 'doctor' at 4-10",
    ),
    "forbidden in a context": (
        (ALL_OF, 'none_of = ["colleagues"]'),
        "subjects.doctor.contexts.people",
        "which the constraint forbids",
    ),
    "held out in a context": (
        (PEOPLE, 'people = ["active people"]'),
        "subjects.doctor.contexts.people",
        "which is held out",
    ),
    "context that ends a sentence": (
        (PEOPLE, 'people = ["colleagues. All"]'),
        "subjects.doctor.contexts.people",
        "ends a sentence",
    ),
    "unknown slot": (
        plain("The {subject} was {agentic} and {comunal} at work."),
        "templates.plain.0",
        "unknown slot '{comunal}'. Did you mean 'communal'?",
    ),
    "stray brace": (plain("The {subject} was {agentic and bold."), "templates.plain.0", "brace"),
    "other prefix": (
        plain("Our {subject} was {agentic} and {communal} here."),
        "templates.plain.0",
        "does not start with the prefix",
    ),
    "prefix inside a word": (
        plain("The {subject} wasn't {agentic} and {communal} here."),
        "templates.plain.0",
        "does not start with the prefix",
    ),
    "no end": (
        plain("The {subject} was {agentic} and {communal} here"),
        "templates.plain.0",
        "not one whole sentence",
    ),
    "two sentences": (
        plain("The {subject} was {agentic}. And {communal} here."),
        "templates.plain.0",
        "not one whole sentence",
    ),
    "duplicate template": (
        plain(*["The {subject} was {agentic} and {communal} at work."] * 2),
        "templates.plain.1",
        "stands at templates.plain.0 too",
    ),
    "lacks a set": (
        plain("The {subject} was {agentic} with all {people}."),
        "templates.plain.0",
        "never satisfy the constraint",
    ),
    "slot in a longer word": (
        plain("The {subject} was {agentic} and non-{communal} at work."),
        "templates.plain.0",
        "never satisfy the constraint",
    ),
    "held-out word in a template": (
        plain("The {subject} was {agentic}, active and {communal} at work."),
        "templates.plain.0",
        "holds the held-out term 'active'",
    ),
    "wide term that is listed": (
        wide("brave", "Bold"),
        "terms.agentic.wide",
        "holds 'bold', a term",
    ),
    "wide term in a phrase": (wide("good"), "terms.agentic.wide", "in terms.communal too"),
    "wide term twice": (wide("brave", "Brave"), "terms.agentic.wide", "is listed twice"),
    "wide term in a template": (wide("so"), "terms.agentic.wide", "in templates.several too"),
    "wide term in a context": (wide("team"), "terms.agentic.wide", "in contexts.people too"),
    "wide term in a prompt": (wide("complete"), "terms.agentic.wide", "in prompts.neutral too"),
    "too few fill-ins": (
        plain("The {subject} was {agentic} and {communal} with {people} and {people2}."),
        "templates.plain.0",
        "needs 2 different fill-ins of 'people', and subject 'nurse' has 1",
    ),
    "no contexts": (
        (PEOPLE, ""),
        "templates.plain.0",
        "needs 1 different fill-ins of 'people', and subject 'doctor' has 0",
    ),
    "context twice": ((PEOPLE, 'people = ["a", "a"]'), "contexts.people", "stands in it twice"),
    "context named like a set": ((PEOPLE, 'agentic = ["a"]'), "contexts.agentic", "term set too"),
    "slot name with a digit": (("[terms.agentic]", "[terms.agentic2]"), "terms.agentic2", "digit"),
    "set called subject": (("[terms.agentic]", "[terms.subject]"), "terms.subject", "cannot name"),
    "both splits": (
        ("subjects.nurse", "subjects.Doctor"),
        "subjects.Doctor",
        "'Doctor' and 'doctor' are one subject, in both splits",
    ),
    "unknown split": (
        ('split = "validation"', 'split = "valid"'),
        "subjects.nurse.split",
        "Did you mean 'validation'?",
    ),
    "no train subject": (('"train"', '"validation"'), "subjects", 'no subject has split = "train"'),
    "percent over 100": ((SHARE, "doctor = 101"), "axis.shares.doctor", "less than or equal"),
    "not a number": ((SHARE, "doctor = nan"), "axis.shares.doctor", "finite"),
    "term in a subject": (
        ("[subjects.pilot]", '[subjects."bold pilot"]'),
        "subjects.bold pilot",
        "which holds the term 'bold'",
    ),
    "subject as formula": (
        ("[subjects.pilot]", '[subjects."=1+x"]'),
        "subjects.=1+x",
        "must start",
    ),
    "prefix without subject": (
        ('prefix = "The {subject} was"', 'prefix = "They were"'),
        "task.prefix",
        "has no {subject}",
    ),
    "prompt without subject": (
        ('neutral = "Complete: The {subject} was"', 'neutral = "Complete:"'),
        "prompts.neutral",
        "has no {subject}",
    ),
    "prompt with another slot": (
        ('neutral = "Complete: The', 'neutral = "{agentic}: The'),
        "prompts.neutral",
        "unknown slot '{agentic}'",
    ),
    "no neutral prompt": (("neutral =", "balanced ="), "prompts.neutral", "missing. Add it."),
    "prefix that ends a sentence": (
        ('prefix = "The {subject} was"', 'prefix = "Hello. The {subject} was"'),
        "task.prefix",
        "ends a sentence",
    ),
    "unknown setting": (
        ('split = "validation"', 'spilt = "validation"'),
        "subjects.nurse.spilt",
        "Did you mean 'split'?",
    ),
    "the share where it once was": (
        ('split = "validation"', 'split = "validation"\nwomen = 89.58'),
        "subjects.nurse.women: shares belong to the task's axis now",
        "write the number below [axis.shares] beside the subject's name",
    ),
    "name with a slash": (('name = "small"', 'name = "a/b"'), "task.name", "cannot be the name"),
    "control character": (
        ('name = "small"', 'name = "small"\ndescription = 7'),
        "task.descr",
        "str",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_error_names_file_field_and_hint(case: str, write: Write) -> None:
    replacement, field, message = BAD[case]
    assert_refused(write(replacement), field, message)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\xef\xbb\xbf[task]\n", "byte order mark"),
        (b"[task]\0\n", "NUL bytes"),
        (b"[task]\nname = 'a'\nname = 'b'\n", "not valid TOML"),
        (b"[task]\n[subjects.x]\n[subjects.x]\n", "not valid TOML"),
        (b"\xff\xfe", "not UTF-8"),
        (b"", "4 problems"),
    ],
)
def test_unreadable_files_are_refused(raw: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(raw)
    with pytest.raises(EquipoiseError, match=message):
        load_task(path)


def test_too_many_terms_are_refused(write: Write) -> None:
    with pytest.raises(EquipoiseError, match="at most 10000 items"):
        load_task(write((BOLD, f"listed = {['t' + str(i) for i in range(10_001)]}")))


def test_too_many_templates_are_refused(write: Write) -> None:
    texts = [f"The {{subject}} was {{agentic}} and {{communal}} {i}." for i in range(600)]
    families = f"plain = {texts}\nmore = {texts}"
    with pytest.raises(EquipoiseError, match="1202 templates, at most 1000"):
        load_task(write((PLAIN, families)))


def test_unknown_builtin_offers_the_nearest() -> None:
    with pytest.raises(EquipoiseError, match=r"Did you mean 'occupations'\?"):
        load_task("ocupations")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EquipoiseError, match="no such file"):
        load_task(tmp_path / "none.toml")


def test_builtin_tasks_load() -> None:
    assert "occupations" in builtin_tasks()
    for name in builtin_tasks():
        assert load_task(name).name == name


def test_small_task_is_read_as_written(write: Write) -> None:
    path = write()
    task = load_task(str(path))
    assert task.path == path
    assert [s.name for s in task.train] == ["doctor", "pilot"]
    assert [s.name for s in task.validation] == ["nurse"]
    assert task.shares == {"doctor": 37.9}
    assert task.subject("nurse").contexts == {"people": ("patients",)}
    assert task.subject("doctor").contexts["people"][0] == "colleagues"
    assert task.prompt("nurse") == "Complete: The nurse was"
    assert task.response_prefix("nurse") == "The nurse was"
    assert task.constraint.lexicons is task.lexicons
    assert task.lexicons["agentic"].held_out == ("active", "takes charge")
    with pytest.raises(EquipoiseError, match="Did you mean 'nurse'"):
        task.subject("nurs")
    with pytest.raises(EquipoiseError, match="no prompt 'neutrall'"):
        task.prompt("nurse", "neutrall")


def test_non_ascii_task(write: Write) -> None:
    task = load_task(
        write((BOLD, 'listed = ["kühn", "entschlussfreudig"]'), ("doctor", '"Ärztin"'))
    )
    assert task.constraint.check("The Ärztin was KÜHN and kind.").balanced


def test_templates_may_be_missing(write: Write) -> None:
    path = write()
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index("[templates]")], encoding="utf-8")
    assert load_task(path).templates == ()
