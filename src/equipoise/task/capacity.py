"""How many distinct valid sentences a task can yield about a subject, exactly.

Counting by length is fast; it is exact where every fill-in is valid and no two read the same.
Both are proved here when they can be, and the sentences are gone through one by one when not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

import regex  # type: ignore[import-untyped]

from equipoise.task.filling import Filling, Texts, options, sentence_lengths
from equipoise.task.lexicon import TermMatcher, is_stem, normal_words
from equipoise.task.task import Subject, Task
from equipoise.task.template import SUBJECT, Template

_TOUCHES_LEFT = regex.compile(r"[\w\p{M}'’\-‐‑]\Z")
_TOUCHES_RIGHT = regex.compile(r"[\w\p{M}'’\-‐‑]")


def distinct_sentences(task: Task, subject: Subject, is_valid: Callable[[str], bool]) -> int:
    """How many distinct training sentences about ``subject`` ``is_valid`` accepts, all in range."""
    templates = task.training_templates.values()
    fillings = [Filling(task, template, subject) for template in templates]
    proved = all(always_valid(task, t, subject) for t in templates)
    if proved and not may_read_alike([filling.pieces for filling in fillings]):
        return sum(filling.in_range for filling in fillings)
    texts = {f.render(f.choose(index)) for f in fillings for index in f.valid()}
    return sum(map(is_valid, texts))


def fill_ins_in_range(task: Task, subject: Subject) -> int:
    """How many fill-ins of training templates make sentences of the right length; never too few."""
    fewest, most = task.constraint.words
    return sum(
        ways
        for template in task.training_templates.values()
        for words, ways in sentence_lengths(task, template, subject).items()
        if fewest <= words <= most
    )


def always_valid(task: Task, template: Template, subject: Subject) -> bool:
    """Whether every fill-in is proved to meet the constraint, its word range apart.

    Proved means: no slot touches a word; each wanted entry has a slot or stands in the literal
    text; and the words at hand cannot make up a forbidden or held-out term. ``False`` only says
    that there is no such proof.
    """
    literals = template.pieces[0::2]
    touching = any(map(_TOUCHES_LEFT.search, literals[:-1]))
    touching = touching or any(map(_TOUCHES_RIGHT.match, literals[1:]))
    if touching or "" in literals[1:-1]:
        return False
    constraint = task.constraint
    literal = template.fill(dict.fromkeys((SUBJECT, *template.slots), ","))

    def sure(entry: str) -> bool:
        slots = {f"{{{kind}}}" for kind in template.kinds if kind in task.lexicons}
        return entry in slots or bool(TermMatcher(constraint.entry_terms(entry)).find(literal))

    if not all(map(sure, constraint.all_of)):
        return False
    if constraint.any_of and not any(map(sure, constraint.any_of)):
        return False
    fill_ins = (f for kind in template.kinds for f in options(task, subject, kind))
    at_hand = {word for text in (literal, subject.name, *fill_ins) for word in normal_words(text)}
    spoilers = [t for e in constraint.none_of for t in constraint.entry_terms(e)]
    spoilers += [t for lexicon in task.lexicons.values() for t in lexicon.held_out]
    return not any(_can_stand(term, at_hand) for term in spoilers)


def _can_stand(term: str, at_hand: set[str]) -> bool:
    """Whether words at hand may make up ``term``."""
    *before, last = normal_words(term)
    can_end = any(w.startswith(last) for w in at_hand) if is_stem(term) else last in at_hand
    return can_end and at_hand.issuperset(before)


def may_read_alike(sentences: Sequence[Sequence[Texts]]) -> bool:
    """Whether two different fill-ins of these templates can read the same.

    Walks every two templates in step, and every template beside itself from where two of its
    fill-ins part. ``False`` is certain. ``True`` may be a false alarm, as the walk forgets that
    numbered slots take different fill-ins.

    Args:
        sentences: For each template, the texts that can stand at each place.
    """
    for pieces in sentences:
        for place, texts in enumerate(pieces, start=1):
            for rest in _continuations(texts):
                if _can_meet(pieces, pieces, (place, place, rest)):
                    return True
    return any(_can_meet(left, right, (0, 0, "")) for left, right in combinations(sentences, 2))


def _continuations(texts: Texts) -> Iterator[str]:
    """What is left of each text that starts with another one of ``texts``."""
    ordered = sorted(texts)
    for number, text in enumerate(ordered):
        for longer in ordered[number + 1 :]:
            if not longer.startswith(text):
                break
            yield longer[len(text) :]


def _can_meet(left: Sequence[Texts], right: Sequence[Texts], start: tuple[int, int, str]) -> bool:
    """Whether both can be read to their ends with the same text.

    A state ``(i, j, behind)`` says: the left has shown its first ``i`` pieces, the right its first
    ``j``, and the right's text goes on with ``behind``, which the left must show next.
    """
    todo, seen = [(left, right, start)], {(id(left), start)}
    while todo:
        a, b, (i, j, behind) = todo.pop()
        if not behind and i == len(a) and j == len(b):
            return True
        for state in _steps(a, b, i, j, behind):
            key = (id(state[0]), state[2])
            if key not in seen:
                seen.add(key)
                todo.append(state)
    return False


_State = tuple[Sequence[Texts], Sequence[Texts], tuple[int, int, str]]


def _steps(a: Sequence[Texts], b: Sequence[Texts], i: int, j: int, behind: str) -> Iterator[_State]:
    """The states that follow when ``a``, which is behind, shows one more piece."""
    if i == len(a):
        if not behind and j < len(b):
            yield b, a, (j, i, "")
        return
    if not behind and j < len(b) and a[i] == b[j]:
        yield a, b, (i + 1, j + 1, "")
        for rest in _continuations(a[i]):
            yield a, b, (i + 1, j + 1, rest)
            yield b, a, (j + 1, i + 1, rest)
        return
    for text in a[i]:
        if text.startswith(behind):
            yield b, a, (j, i + 1, text[len(behind) :])
        elif behind.startswith(text):
            yield a, b, (i + 1, j, behind[len(text) :])
