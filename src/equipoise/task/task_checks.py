"""Checks of a whole task: what its tables cannot show one by one.

Every check raises ``EquipoiseError`` with field, value and hint; ``read_task`` adds the file.
"""

from __future__ import annotations

import re

from equipoise.errors import EquipoiseError
from equipoise.task.axis_checks import check_axis
from equipoise.task.lexicon import TermMatcher, normal_words, term_key
from equipoise.task.sentence import sentence_is_complete
from equipoise.task.stems import check_written, held_out_in
from equipoise.task.task import Subject, Task
from equipoise.task.template_checks import check_templates
from equipoise.task.wide_checks import check_wide

_NAMED = re.compile(r"\{\w*\}")


def check_task(task: Task) -> None:
    """Raise an ``EquipoiseError`` for the first thing that is wrong with ``task``."""
    _check_prefix_and_prompts(task)
    for name in task.lexicons:
        _check_terms(task, name)
        check_written(task, task.lexicons[name])
        check_wide(task, name)
    _check_neutral(task)
    _check_contexts(task)
    _check_subjects(task)
    check_axis(task)
    check_templates(task)


def _check_prefix_and_prompts(task: Task) -> None:
    if "neutral" not in task.prompts:
        raise EquipoiseError("missing", field="prompts.neutral", hint="Add it.")
    texts = {"task.prefix": task.prefix, **{f"prompts.{k}": v for k, v in task.prompts.items()}}
    for field, text in texts.items():
        if "{subject}" not in text:
            raise EquipoiseError(
                f"{text[:80]!r} has no {{subject}}", field=field, hint="Say where the name goes."
            )
        for slot in _NAMED.findall(text):
            if slot != "{subject}":
                raise EquipoiseError(
                    f"unknown slot '{slot}'", field=field, hint="The only slot here is {subject}."
                )
    if task.prefix != task.prefix.strip() or "a(n)" in task.prefix.lower():
        raise EquipoiseError(
            f"{task.prefix!r} starts or ends with a space, or holds 'a(n)'",
            field="task.prefix",
            hint="Write the words that every sentence starts with.",
        )


def _check_terms(task: Task, name: str) -> None:
    lexicon, seen = task.lexicons[name], dict[str, str]()
    for kind in ("listed", "held_out"):
        field = f"terms.{name}.{kind}"
        for term in getattr(lexicon, kind):
            key = term_key(term)
            if key in seen:
                raise EquipoiseError(
                    f"'{term}' is listed twice, also in {seen[key]}", field=field, hint="Drop one."
                )
            seen[key] = field
    for term, held_out in held_out_in(lexicon.listed, task):
        raise EquipoiseError(
            f"'{term}' holds the held-out term '{held_out}', which training data must not show",
            field=f"terms.{name}.listed",
            hint="Drop one of the two.",
        )


def _check_neutral(task: Task) -> None:
    anything = TermMatcher(t for lexicon in task.lexicons.values() for t in lexicon.terms("all"))
    for word in task.neutral:
        for hit in anything.find(word):
            raise EquipoiseError(
                f"'{word}' holds the term '{hit.term}', so it is not neutral",
                field="neutral.listed",
                hint="Drop one of the two.",
            )


def _check_contexts(task: Task) -> None:
    for subject in task.subjects:
        for kind, fill_ins in subject.contexts.items():
            field = f"contexts.{kind}"
            if kind in task.lexicons:
                raise EquipoiseError(
                    f"'{kind}' is a term set too", field=field, hint="Give one another name."
                )
            if len(set(fill_ins)) < len(fill_ins):
                twice = next(f for f in fill_ins if fill_ins.count(f) > 1)
                raise EquipoiseError(f"{twice!r} stands in it twice", field=field, hint="Drop one.")


def _check_subjects(task: Task) -> None:
    if not task.train:
        raise EquipoiseError(
            'no subject has split = "train"', field="subjects", hint="Training data needs one."
        )
    seen: dict[str, Subject] = {}
    anything = TermMatcher(t for lexicon in task.lexicons.values() for t in lexicon.terms("all"))
    for subject in task.subjects:
        field = f"subjects.{subject.name}"
        other = seen.setdefault(" ".join(normal_words(subject.name)), subject)
        if other is not subject:
            both = "in both splits" if other.split != subject.split else "twice"
            raise EquipoiseError(
                f"'{subject.name}' and '{other.name}' are one subject, {both}",
                field=field,
                hint="Keep one of them.",
            )
        prefix = task.response_prefix(subject.name)
        for hit in anything.find(prefix):
            raise EquipoiseError(
                f"every sentence starts with '{prefix}', which holds the term '{hit.term}'",
                field=field,
                hint="Rename the subject, change the prefix or drop the term.",
            )
        if sentence_is_complete(f"{prefix} "):
            raise EquipoiseError(
                f"'{prefix}' ends a sentence", field="task.prefix", hint="Leave it open."
            )
