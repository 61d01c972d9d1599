"""Checks of a task's templates: that each can be filled, and makes sentences that count.

Every check raises ``EquipoiseError`` with field, value and hint.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterable

from equipoise.errors import EquipoiseError, nearest
from equipoise.task.filling import options, sentence_lengths, unrank
from equipoise.task.lexicon import TermMatcher, count_words
from equipoise.task.sentence import first_sentence, sentence_is_complete
from equipoise.task.stems import held_out_matcher
from equipoise.task.task import Subject, Task
from equipoise.task.template import SUBJECT, Template, kind_of

_SAMPLES = 50


def check_templates(task: Task) -> None:
    """Raise an ``EquipoiseError`` for the first thing that is wrong with a template or fill-in."""
    seen: dict[str, str] = {}
    for field, template in _numbered(task):
        _check_template(task, template, field)
        key = " ".join(template.text.casefold().split())
        if key in seen:
            raise EquipoiseError(
                f"{template.text!r} stands at {seen[key]} too",
                field=field,
                hint="Keep one of them.",
            )
        seen[key] = field
    _check_fill_ins(task)
    _check_word_range(task)
    for field, template in _numbered(task):
        _check_can_satisfy(task, template, field)


def _numbered(task: Task) -> Iterable[tuple[str, Template]]:
    """Each template with its place in the file, such as ``templates.natural.3`` (from 0)."""
    counts: dict[str, int] = {}
    for template in task.templates:
        number = counts[template.family] = counts.get(template.family, -1) + 1
        yield f"templates.{template.family}.{number}", template


def _check_template(task: Task, template: Template, field: str) -> None:
    text = template.text
    kinds = {*task.lexicons, *(kind for s in task.subjects for kind in s.contexts)}
    for slot in template.slots:
        if kind_of(slot) not in kinds:
            raise EquipoiseError(
                f"unknown slot '{{{slot}}}'", field=field, hint=nearest(slot, {*kinds, SUBJECT})
            )
    if set("{}") & set("".join(template.pieces[0::2])):
        raise EquipoiseError(f"{text!r} has a stray brace", field=field, hint="Close or drop it.")
    if not re.match(re.escape(task.prefix) + r"(?![\w'’\-])", text):
        raise EquipoiseError(
            f"{text!r} does not start with the prefix {task.prefix!r}",
            field=field,
            hint="Every sentence continues the prefix.",
        )
    if text != " ".join(text.split()):
        raise EquipoiseError(
            f"{text!r} has spaces at an end, or more than one in a row", field=field
        )
    if re.search(r"[Aa]\(n\)(?!\s+\S)", text):
        raise EquipoiseError(f"{text!r} has 'a(n)' before no word", field=field, hint="Drop it.")
    literal = template.fill(dict.fromkeys((SUBJECT, *template.slots), ","))
    for hit in held_out_matcher(task).find(literal):
        raise EquipoiseError(
            f"holds the held-out term '{hit.term}', which training data must not show",
            field=field,
            hint="Choose another word.",
        )


def _check_fill_ins(task: Task) -> None:
    """Every slot has enough fill-ins for every subject, and none of them spoils a sentence."""
    never = [t for e in task.constraint.none_of for t in task.constraint.entry_terms(e)]
    spoilers, checked = (
        (held_out_matcher(task), TermMatcher(never)),
        set[tuple[str, tuple[str, ...]]](),
    )
    subjects = list(_representatives(task))
    for field, template in _numbered(task):
        for subject in subjects:
            for kind, slots in template.kinds.items():
                fill_ins = options(task, subject, kind)
                if len(fill_ins) < len(slots):
                    raise EquipoiseError(
                        f"needs {len(slots)} different fill-ins of '{kind}', and subject "
                        f"'{subject.name}' has {len(fill_ins)}",
                        field=field,
                        hint=f"Add some to [contexts] or [subjects.{subject.name}.contexts].",
                    )
                if (kind, fill_ins) not in checked and kind not in task.lexicons:
                    _check_context(subject, kind, fill_ins, spoilers)
                checked.add((kind, fill_ins))


def _check_context(
    subject: Subject, kind: str, fill_ins: Iterable[str], spoilers: Iterable[TermMatcher]
) -> None:
    field = f"subjects.{subject.name}.contexts.{kind}"
    for fill_in in fill_ins:
        for reason, matcher in zip(
            ("is held out", "the constraint forbids"), spoilers, strict=True
        ):
            for hit in matcher.find(fill_in):
                raise EquipoiseError(
                    f"{fill_in!r} holds '{hit.term}', which {reason}",
                    field=field,
                    hint="Choose another wording.",
                )
        if sentence_is_complete(f"x {fill_in} x"):
            raise EquipoiseError(
                f"{fill_in!r} ends a sentence", field=field, hint="Drop the full stop."
            )


def _representatives(task: Task) -> Iterable[Subject]:
    """One subject for each length of name and set of contexts: the others fill slots alike."""
    seen: dict[object, Subject] = {}
    for subject in task.subjects:
        key = (count_words(subject.name), tuple(sorted(subject.contexts.items())))
        seen.setdefault(key, subject)
    return seen.values()


def _check_word_range(task: Task) -> None:
    """Every template can meet the range for some subject, and every subject by a training one."""
    fewest, most = task.constraint.words
    useful: set[Template] = set()
    for subject in _representatives(task) if task.templates else ():
        lengths = {t: sentence_lengths(task, t, subject) for t in task.templates}
        fitting = {t for t, counts in lengths.items() if any(fewest <= n <= most for n in counts)}
        if all(template.held_out for template in fitting):
            found = [n for t, counts in lengths.items() if not t.held_out for n in counts]
            raise EquipoiseError(
                f"no training template makes a sentence of {fewest} to {most} words about "
                f"'{subject.name}': they have {min(found)} to {max(found)}",
                field="constraint.words",
                hint="Change the range or the templates; every fifth of ten or more is held out.",
            )
        useful |= fitting
    for field, template in _numbered(task):
        if template not in useful:
            raise EquipoiseError(
                f"no fill-in of {template.text!r} makes a sentence of {fewest} to {most} words",
                field=field,
                hint="Change the template or constraint.words.",
            )


def _check_can_satisfy(task: Task, template: Template, field: str) -> None:
    """Some of the template's sentences are balanced, and each is exactly one whole sentence."""
    draw, subject = random.Random(0), task.train[0]  # noqa: S311 - samples, not secrets
    text = ""
    for _ in range(_SAMPLES):
        values = {SUBJECT: subject.name}
        for kind, slots in template.kinds.items():
            fill_ins = options(task, subject, kind)
            ways = math.perm(len(fill_ins), len(slots))
            chosen = unrank(int(draw.random() * ways), len(fill_ins), len(slots))
            values |= zip(slots, (fill_ins[choice] for choice in chosen), strict=True)
        text = template.fill(values).replace("a(n)", "a").replace("A(n)", "A")
        if first_sentence(text) != (text, True):
            raise EquipoiseError(
                f"{text!r} is not one whole sentence",
                field=field,
                hint="End it with '.', '!' or '?', and nowhere before.",
            )
        if task.constraint.check(text).balanced:
            return
    failed = [c.message for c in task.constraint.explain(text).clauses if not c.passed]
    raise EquipoiseError(
        f"its sentences never satisfy the constraint: {text!r} fails {'; '.join(failed)}",
        field=field,
        hint="Give it the slots that the constraint asks for.",
    )
