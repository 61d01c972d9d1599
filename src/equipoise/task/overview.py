"""What a task holds, for a person who has just written it: ``equipoise task check``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from equipoise.task.examples import BalancedExampleGenerator
from equipoise.task.lexicon import TermMatcher
from equipoise.task.stems import stem_notes
from equipoise.task.task import Split, Subject, Task
from equipoise.task.template import FEWEST_TEMPLATES, SUBJECT
from equipoise.wording.numbers import counted

_SPLITS: tuple[Split, Split] = ("train", "validation")


def task_overview(task: Task, seed: int = 0, samples: int = 3) -> dict[str, Any]:
    """Counts, capacity and sample sentences of a task, ready for JSON.

    Args:
        task: The task.
        seed: Of the sample sentences.
        samples: Sentences a split, each about another subject while there are enough.

    Returns:
        ``name``, ``description``, ``subjects`` (names by split), ``terms`` (numbers of listed,
        held-out and wide terms by set), ``constraint`` (its clauses), ``words`` (its range),
        ``prompts`` (their kinds), ``axis`` (its name, poles and how many shares it gives; None
        without one), ``families`` (templates in each), ``held_out_templates`` (how many of them
        build no training sentence), ``capacity`` (distinct sentences by subject; empty without
        templates), ``samples`` (sentences by split), and ``notes`` on what is allowed but may not
        be meant.
    """
    constraint = task.constraint
    capacity: dict[str, int] = {}
    examples: dict[str, list[str]] = {split: [] for split in _SPLITS}
    if task.templates:
        generator = BalancedExampleGenerator(task, seed)
        capacity = {s.name: generator.capacity(s.name) for s in task.subjects}
        examples = {split: _samples(generator, capacity, split, samples) for split in _SPLITS}
    return {
        "name": task.name,
        "description": task.description,
        "subjects": {split: [s.name for s in _subjects(task, split)] for split in _SPLITS},
        "terms": {
            name: {which: len(getattr(lexicon, which)) for which in ("listed", "held_out", "wide")}
            for name, lexicon in task.lexicons.items()
        },
        "constraint": {
            "all_of": list(constraint.all_of),
            "any_of": list(constraint.any_of),
            "none_of": list(constraint.none_of),
        },
        "words": list(constraint.words),
        "prompts": list(task.prompts),
        "axis": task.axis
        and {
            "name": task.axis.name,
            "poles": list(task.axis.poles),
            "share": task.axis.share,
            "shares": len(task.shares),
        },
        "families": dict(Counter(template.family for template in task.templates)),
        "held_out_templates": sum(template.held_out for template in task.templates),
        "capacity": capacity,
        "samples": examples,
        "notes": list(_notes(task)),
    }


def overview_lines(overview: dict[str, Any]) -> list[str]:
    """A ``task_overview`` as lines of text."""
    clauses = "; ".join(
        f"{kind.replace('_', ' ')} {', '.join(entries)}"
        for kind, entries in overview["constraint"].items()
        if entries
    )
    fewest, most = overview["words"]
    lines = [f"Task {overview['name']}: {overview['description']}".rstrip(": ")]
    for split, names in overview["subjects"].items():
        lines.append(f"  {len(names)} {split} subjects: {', '.join(names) or 'none'}")
    for name, counts in overview["terms"].items():
        wide = f", {counts['wide']} wide" if counts["wide"] else ""
        lines.append(
            f"  {name}: {counts['listed']} listed, {counts['held_out']} held-out terms{wide}"
        )
    lines.append(f"  constraint: {clauses + '; ' if clauses else ''}{fewest} to {most} words")
    lines.append(f"  prompts: {', '.join(overview['prompts'])}")
    if axis := overview["axis"]:
        poles = " to ".join(axis["poles"])
        lines.append(f"  axis: {axis['name']}, {poles}; {axis['shares']} shares of {axis['share']}")
    families = ", ".join(f"{count} {name}" for name, count in overview["families"].items())
    held_out = overview["held_out_templates"]
    lines.append(
        f"  {sum(overview['families'].values())} templates: {families or 'none'}"
        + (f"; {held_out} of them held out" if held_out else "")
    )
    if capacity := overview["capacity"]:
        least = min(capacity, key=capacity.__getitem__)
        lines.append(
            f"  distinct sentences: {sum(capacity.values()):,}; fewest for {least}, "
            f"{capacity[least]:,}"
        )
    for split, sentences in overview["samples"].items():
        lines += [f"  {split}: {sentence}" for sentence in sentences]
    return lines + [f"  note: {note}" for note in overview["notes"]]


def _subjects(task: Task, split: Split) -> tuple[Subject, ...]:
    return task.train if split == "train" else task.validation


def _samples(
    generator: BalancedExampleGenerator, capacity: Mapping[str, int], split: Split, samples: int
) -> list[str]:
    """Sentences about the split's subjects in turn, as many as there are up to ``samples``."""
    subjects = _subjects(generator.task, split)[:samples]
    about = [
        [e.text for e in generator.generate_about(s.name, min(samples, capacity[s.name]))]
        for s in subjects
    ]
    return [text for row in zip_longest(*about) for text in row if text][:samples]


def _notes(task: Task) -> Iterator[str]:
    """What is valid but may not be meant."""
    if not task.templates:
        yield "no templates: the task can be measured, but not trained on"
    elif not any(template.held_out for template in task.templates):
        yield (
            f"{counted(len(task.templates), 'template')}, fewer than {FEWEST_TEMPLATES}: none is "
            "held out, and sentences of unseen form are not measured"
        )
    if not task.validation:
        yield "no validation subjects: generalisation to unseen subjects is not measured"
    for name, lexicon in task.lexicons.items():
        if not lexicon.held_out:
            yield f"terms.{name} has no held-out terms: learning the list is not told from balance"
    yield from stem_notes(task)
    used = {kind for template in task.templates for kind in template.kinds}
    given = {kind for subject in task.subjects for kind in subject.contexts}
    for kind in sorted(given - used) if task.templates else ():
        yield f"no template uses the contexts '{kind}'"
    listed = TermMatcher(t for lexicon in task.lexicons.values() for t in lexicon.listed)
    texts = [t.fill(dict.fromkeys((SUBJECT, *t.slots), ",")) for t in task.templates]
    texts += sorted({f for s in task.subjects for k in used for f in s.contexts.get(k, ())})
    for text in texts:
        for hit in listed.find(text):
            yield f"{text!r} holds the listed term '{hit.term}', which grows more frequent by it"
