"""Checks of a task's axis, and of the wall between what methods learn from and what is measured.

Every check raises ``EquipoiseError`` with field, value and hint; ``read_task`` adds the file.
"""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.errors import EquipoiseError, nearest
from equipoise.task.axis import SUBJECT_SLOT, WORD_SLOT, Axis, context_problem
from equipoise.task.lexicon import TermMatcher, normal_words
from equipoise.task.task import Task

MEASURED = ("terms", "agency")
"""Measures that are no kind of counted words."""

HALVES = ("fitted", "contexts", "unfitted")
"""Halves of the association, which no kind of unfitted probe may be called."""

Placed = tuple[str, str]
"""A place in the file, and what stands there."""


def check_axis(task: Task) -> None:
    """Raise an ``EquipoiseError`` for the first thing that is wrong with the axis of ``task``."""
    if task.axis is None:
        return
    _check_poles(task.axis, task)
    _check_counted(task.axis, task)
    _check_names(task.axis)
    _check_contexts(task.axis)
    _check_pairs(task.axis)
    _check_neutral(task.axis)
    _check_nothing_kept_is_fitted(task.axis, task)
    _check_wall(task.axis, task)


def _check_poles(axis: Axis, task: Task) -> None:
    if len({pole.casefold() for pole in axis.poles}) == 1:
        raise EquipoiseError(
            f"both poles are called '{axis.poles[0]}'",
            field="axis.poles",
            hint="Name the two ends of the axis.",
        )
    for name in axis.terms or ():
        if name not in task.lexicons:
            raise EquipoiseError(
                f"there is no term set '{name}'",
                field="axis.terms",
                hint=nearest(name, task.lexicons),
            )
    if axis.terms and axis.terms[0] == axis.terms[1]:
        raise EquipoiseError(
            f"'{axis.terms[0]}' stands at both poles",
            field="axis.terms",
            hint="Name two sets, in the order of the poles.",
        )


def _check_counted(axis: Axis, task: Task) -> None:
    """Counted words say something: they are of one pole, and not in every sentence."""
    for kind, (first, second) in axis.words.items():
        field = f"axis.words.{kind}"
        if kind in MEASURED or kind.startswith("association"):
            raise EquipoiseError(
                f"'{kind}' is another measure", field=field, hint="Give the words another name."
            )
        both = {_key(word) for word in first} & {_key(word) for word in second}
        for word in second:
            if _key(word) in both:
                raise EquipoiseError(
                    f"'{word}' is of both poles", field=field, hint="Keep it at one of them."
                )
        counted = TermMatcher((*first, *second))
        for subject in task.subjects:
            prefix = task.response_prefix(subject.name)
            for hit in counted.find(prefix):
                raise EquipoiseError(
                    f"every sentence about '{subject.name}' starts with '{prefix}', which holds "
                    f"the counted word '{hit.term}'",
                    field=field,
                    hint="Leave that word out.",
                )


def _check_names(axis: Axis) -> None:
    for number, probe in enumerate(axis.unfitted.probes):
        if probe.kind in HALVES:
            raise EquipoiseError(
                f"'{probe.kind}' is a half of the association",
                field=f"axis.unfitted.probes.{number}.kind",
                hint="Say what kind of words they are, such as 'names'.",
            )
    if axis.unfitted.contexts and not axis.fitted.probes:
        raise EquipoiseError(
            "contexts for the pairs of the first fitted probe, and there is none",
            field="axis.unfitted.contexts",
            hint="Add an [[axis.fitted.probes]], or drop the contexts.",
        )


def _check_contexts(axis: Axis) -> None:
    """Each has its slot, and stands once in what it is part of."""
    for slot, placed in ((SUBJECT_SLOT, [*_fitted(axis), *_unfitted(axis)]),
                         (WORD_SLOT, list(_sentences(axis)))):  # fmt: skip
        for field, context in placed:
            problem = context_problem(context, slot)
            if problem is None and set("{}") & set(context.replace(slot, "")):
                problem = "holds a brace besides its slot"
            if problem is not None:
                raise EquipoiseError(
                    f"{context!r} {problem}",
                    field=field,
                    hint=f'Write for example "The {slot} said that".',
                )
    for placed in (list(_fitted(axis)), list(_sentences(axis))):
        _check_once(placed)


def _check_once(placed: list[Placed]) -> None:
    seen: dict[str, str] = {}
    for field, text in placed:
        if text in seen:
            raise EquipoiseError(
                f"{text!r} stands at {seen[text]} too", field=field, hint="Drop one."
            )
        seen[text] = field


def _check_pairs(axis: Axis) -> None:
    """The words of a pair differ; erasure has each word once, counterfactuals each subject."""
    for field, (one, other) in _pairs(axis):
        if _key(one) == _key(other):
            raise EquipoiseError(
                f"'{one}' is paired with itself", field=field, hint="Name a word of each pole."
            )
    words = [word for pair in axis.fitted.pairs for word in pair.words]
    _check_once([("axis.fitted.pairs", word) for word in words])
    _check_once([("axis.fitted.subjects", _key(name)) for name in axis.fitted.subjects])


def _check_neutral(axis: Axis) -> None:
    """No context gives the pole away."""
    words = [word for _, pair in _pairs(axis) for word in pair]
    words += [word for poles in axis.words.values() for pole in poles for word in pole]
    matcher = TermMatcher(words)
    for field, context in (*_fitted(axis), *_sentences(axis), *_unfitted(axis)):
        for hit in matcher.find(context):
            raise EquipoiseError(
                f"{context!r} holds '{hit.term}', a word of one of the poles",
                field=field,
                hint="Choose another wording.",
            )


def _check_nothing_kept_is_fitted(axis: Axis, task: Task) -> None:
    """Validation subjects and held-out terms are for measures."""
    terms = [t for lexicon in task.lexicons.values() for t in lexicon.held_out]
    kept = TermMatcher((*(subject.name for subject in task.validation), *terms))
    fitted = [(field, word) for field, word in _fitted_words(axis)]
    fitted += [("axis.fitted.subjects", name) for name in axis.fitted.subjects]
    for field, text in (*fitted, *_fitted(axis), *_sentences(axis)):
        for hit in kept.find(text):
            raise EquipoiseError(
                f"{text!r} holds '{hit.term}', a validation subject or a held-out term, on which "
                "nothing may be fitted",
                field=field,
                hint="Leave it out.",
            )
    for subject in task.train:
        if _key(subject.name) in map(_key, axis.fitted.subjects):
            raise EquipoiseError(
                f"'{subject.name}' is a train subject, which methods are fitted on anyway",
                field="axis.fitted.subjects",
                hint="Name nobody whom a measure asks for.",
            )


def _check_wall(axis: Axis, task: Task) -> None:
    """No word and no context is both fitted and unfitted."""
    fitted = {_key(word): field for field, word in _fitted_words(axis)}
    learnt = {_key(t): f"terms.{x.name}.listed" for x in task.lexicons.values() for t in x.listed}
    for number, probe in enumerate(axis.unfitted.probes):
        field = f"axis.unfitted.probes.{number}.pairs"
        for word in (word for pair in probe.pairs for word in pair):
            place = fitted.get(_key(word)) or learnt.get(_key(word))
            if place is not None:
                _refuse(word, field, place)
    begun = {_frame(text): field for field, text in (*_fitted(axis), *_sentences(axis))}
    for field, context in _unfitted(axis):
        if _frame(context) in begun:
            _refuse(context, field, begun[_frame(context)])


def _refuse(text: str, field: str, place: str) -> None:
    raise EquipoiseError(
        f"{text!r} is for measures alone, and methods learn from it at {place}",
        field=field,
        hint="Keep it at one of the two.",
    )


def _frame(context: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words around the slot, whatever article stands before it: what a context says."""
    before, _, after = context.replace(WORD_SLOT, SUBJECT_SLOT).partition(SUBJECT_SLOT)
    return tuple(normal_words(before)[:-1]), tuple(normal_words(after))


def _key(text: str) -> str:
    return " ".join(normal_words(text))


def _fitted(axis: Axis) -> Iterator[Placed]:
    """Contexts with ``{subject}`` that methods may be fitted on."""
    for number, probe in enumerate(axis.fitted.probes):
        for context in probe.contexts:
            yield f"axis.fitted.probes.{number}.contexts", context


def _sentences(axis: Axis) -> Iterator[Placed]:
    """Contexts with ``{word}``, which erasure is fitted on."""
    for kind, contexts in axis.fitted.contexts.items():
        for context in contexts:
            yield f"axis.fitted.contexts.{kind}", context


def _unfitted(axis: Axis) -> Iterator[Placed]:
    """Contexts that no method may be fitted on."""
    for context in axis.unfitted.contexts:
        yield "axis.unfitted.contexts", context
    for number, probe in enumerate(axis.unfitted.probes):
        for context in probe.contexts:
            yield f"axis.unfitted.probes.{number}.contexts", context


def _pairs(axis: Axis) -> Iterator[tuple[str, tuple[str, str]]]:
    """Every pair of the axis, with its place."""
    for half, probes in (("fitted", axis.fitted.probes), ("unfitted", axis.unfitted.probes)):
        for number, probe in enumerate(probes):
            for pair in probe.pairs:
                yield f"axis.{half}.probes.{number}.pairs", pair
    for words in axis.fitted.pairs:
        yield "axis.fitted.pairs", words.words


def _fitted_words(axis: Axis) -> Iterator[Placed]:
    """Words that methods may be fitted on, with their places."""
    for field, pair in _pairs(axis):
        if field.startswith("axis.fitted"):
            yield from ((field, word) for word in pair)
