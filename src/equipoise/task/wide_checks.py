"""Checks of a wide lexicon: its terms are nobody else's, and no training sentence holds one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from equipoise.errors import EquipoiseError
from equipoise.task.lexicon import STAR, TermMatcher, term_key
from equipoise.task.task import Task

_SLOT = re.compile(r"\{\w*\}")


def check_wide(task: Task, name: str) -> None:
    """Refuse a wide term of the set ``name`` that is met elsewhere.

    Elsewhere is: the wide lexicon itself and that of another set, listed and held-out terms of any
    set, prompts, what sentences are built from (neutral words, templates, contexts, subjects), and
    what the axis gives to be fitted on.

    Raises:
        EquipoiseError: Names the field ``terms.NAME.wide``.
    """
    wide, field = task.lexicons[name].wide, f"terms.{name}.wide"
    matcher = TermMatcher(wide)
    others = {other: TermMatcher(found.terms("all")) for other, found in task.lexicons.items()}
    seen: set[str] = set()
    for term in wide:
        for of, known in others.items():
            for hit in known.find(term):
                raise _refused(field, term, f"holds '{hit.term}', a term of '{of}'")
        if term_key(term) in seen:
            raise _refused(field, term, "is listed twice")
        seen.add(term_key(term))
    for where, text in _elsewhere(task, name) if wide else ():
        for hit in matcher.find(_SLOT.sub(",", text)):
            raise _refused(field, hit.term, f"stands in {where} too: {text!r}")


def _refused(field: str, term: str, problem: str) -> EquipoiseError:
    return EquipoiseError(
        f"'{term}' {problem}",
        field=field,
        hint="Drop it: terms of the wide lexicon are nobody else's and never given to a model.",
    )


def _elsewhere(task: Task, name: str) -> Iterator[tuple[str, str]]:
    """Where the wide terms of the set ``name`` must not stand: a name of the place, and a text."""
    for other, lexicon in task.lexicons.items():
        for term in (*lexicon.terms("all"), *lexicon.write):
            yield f"terms.{other}", term.removesuffix(STAR)
        if other != name:
            yield from ((f"terms.{other}.wide", term) for term in lexicon.wide)
    yield from (("neutral.listed", word) for word in task.neutral)
    yield from ((f"prompts.{kind}", text) for kind, text in task.prompts.items())
    yield from ((f"templates.{template.family}", template.text) for template in task.templates)
    for subject in task.subjects:
        yield "task.prefix", task.response_prefix(subject.name)
        for kind, fill_ins in subject.contexts.items():
            yield from ((f"contexts.{kind}", text) for text in fill_ins)
    if task.axis:
        fitted = task.axis.fitted
        said = [
            text for probe in fitted.probes for text in (*probe.contexts, *sum(probe.pairs, ()))
        ]
        said += [text for pair in fitted.pairs for text in (*pair.words, *pair.contexts)]
        yield from (("axis.fitted", text) for text in said)
