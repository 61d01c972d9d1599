"""Preference pairs in files: TRL's conversational format, and what is in a set of pairs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import clear_read_errors, open_atomic
from equipoise.task.preference import PreferencePair
from equipoise.task.task import Task

SIDES = ("chosen", "rejected")
COLUMNS = ("prompt", *SIDES)
MAX_LINE = 1_000_000
"""Longest line of a file of pairs, in characters."""


@dataclass(frozen=True, slots=True)
class TextPair:
    """Two answers to one prompt, as texts: all that training needs.

    Attributes:
        prompt: The user's turn.
        prefix: How both answers start; not part of what is learnt. May be empty.
        chosen: The better answer, whole.
        rejected: The worse one, whole.
    """

    prompt: str
    prefix: str
    chosen: str
    rejected: str


def text_pairs(pairs: Iterable[PreferencePair], task: Task, prompt: str) -> list[TextPair]:
    """``pairs`` as texts, with the task's prompt of that kind."""
    return [
        TextPair(
            task.prompt(pair.subject, prompt),
            task.response_prefix(pair.subject),
            pair.chosen.text,
            pair.rejected,
        )
        for pair in pairs
    ]


def write_pairs(path: str | Path, pairs: Iterable[PreferencePair], task: Task, prompt: str) -> int:
    """Write pairs as JSON lines in TRL's conversational format; returns how many.

    ``prompt``, ``chosen`` and ``rejected`` are lists of one turn each, which TRL puts into the
    model's chat template. Further keys, which it ignores: ``subject``, ``kind`` (of the rejected
    sentence), ``template`` and ``rejected_template``.

    Raises:
        EquipoiseError: The file cannot be written.
    """
    with open_atomic(path) as stream:
        return sum(1 for pair in pairs if stream.write(_json_line(pair, task, prompt)))


def _json_line(pair: PreferencePair, task: Task, prompt: str) -> str:
    row = {
        "prompt": _turn("user", task.prompt(pair.subject, prompt)),
        "chosen": _turn("assistant", pair.chosen.text),
        "rejected": _turn("assistant", pair.rejected),
        "subject": pair.subject,
        "kind": pair.kind,
        "template": pair.chosen.template,
        "rejected_template": pair.rejected_template,
    }
    return json.dumps(row, ensure_ascii=False) + "\n"


def _turn(role: str, content: str) -> list[dict[str, str]]:
    return [{"role": role, "content": content}]


def read_pairs(path: str | Path, task: Task) -> list[TextPair]:
    """The pairs of a file in TRL's format, conversational or plain text.

    An answer that starts with the task's response prefix for its ``subject``, where it names one of
    the task's, is continued from there; any other is learnt whole.

    Raises:
        EquipoiseError: The file cannot be read or is empty, a line is not JSON, a column is
            missing, a side is empty, or both are equal; the line is named.
    """
    path = Path(path)
    pairs = []
    with clear_read_errors(path), path.open(encoding="utf-8", errors="strict") as stream:
        try:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    pairs.append(_parse(line, number, path, task))
        except UnicodeDecodeError:
            raise EquipoiseError("not UTF-8", file=path, hint="Save it as UTF-8.") from None
    if not pairs:
        raise EquipoiseError(
            "holds no pair", file=path, hint="Write one with 'equipoise data --format preference'."
        )
    return pairs


def _parse(line: str, number: int, path: Path, task: Task) -> TextPair:
    where = f"line {number}"
    try:
        row = json.loads(line) if len(line) <= MAX_LINE else None
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise EquipoiseError(
            f"not a JSON object of at most {MAX_LINE:,} characters",
            file=path,
            field=where,
            hint=f"Write one object a line with {', '.join(COLUMNS)}.",
        )
    texts = {name: _content(row, name, path, where) for name in COLUMNS}
    if texts["chosen"] == texts["rejected"]:
        raise EquipoiseError(
            f"chosen and rejected are the same text, {texts['chosen'][:60]!r}",
            file=path,
            field=where,
            hint="Drop the pair: nothing can be learnt from it.",
        )
    prefix, subject = "", row.get("subject")
    if subject in [known.name for known in task.subjects]:
        prefix = task.response_prefix(subject)
    if not all(texts[side].startswith(prefix) for side in SIDES):
        prefix = ""
    return TextPair(texts["prompt"], prefix, texts["chosen"], texts["rejected"])


def _content(row: Mapping[str, Any], name: str, path: Path, where: str) -> str:
    """The text of one column: plain, or the content of a conversation's only turn."""
    if name not in row:
        raise EquipoiseError(
            f"has no '{name}'", file=path, field=where, hint=f"Needed are {', '.join(COLUMNS)}."
        )
    value = row[name]
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        value = value[0].get("content")
    if not isinstance(value, str):
        raise EquipoiseError(
            f"'{name}' is neither a text nor a conversation of one turn",
            file=path,
            field=where,
            hint="Conversations of several turns are not supported.",
        )
    if not value.strip():
        raise EquipoiseError(f"'{name}' is empty", file=path, field=where, hint="Drop the pair.")
    return value


def preference_statistics(
    train: Sequence[PreferencePair], validation: Sequence[PreferencePair], task: Task
) -> dict[str, Any]:
    """What a set of pairs holds, ready for JSON.

    For ``train`` and ``validation`` each: ``pairs``, ``distinct_chosen``, ``distinct_rejected``,
    ``kinds`` (pairs by kind of the rejected side), ``exchanged`` (pairs by number of terms
    exchanged), ``same_template`` (pairs whose sides share it), ``length_difference`` (words and
    characters of chosen minus rejected: mean, min, max), ``term_frequency`` (occurrences of every
    listed term, zeros included, in ``chosen`` and in ``rejected``).
    """
    parts = {"train": train, "validation": validation}
    return {"task": task.name, **{name: _statistics(part, task) for name, part in parts.items()}}


def _statistics(pairs: Sequence[PreferencePair], task: Task) -> dict[str, Any]:
    frequency = {
        side: {name: dict.fromkeys(lexicon.listed, 0) for name, lexicon in task.lexicons.items()}
        for side in SIDES
    }
    words, characters = [], []
    for pair in pairs:
        verdicts = [task.constraint.check(text) for text in (pair.chosen.text, pair.rejected)]
        words.append(verdicts[0].word_count - verdicts[1].word_count)
        characters.append(len(pair.chosen.text) - len(pair.rejected))
        for side, verdict in zip(SIDES, verdicts, strict=True):
            for name, hits in verdict.hits.items():
                for term in hits:
                    frequency[side][name][term] += 1
    return {
        "pairs": len(pairs),
        "distinct_chosen": len({pair.chosen.text for pair in pairs}),
        "distinct_rejected": len({pair.rejected for pair in pairs}),
        "kinds": dict(sorted(Counter(pair.kind for pair in pairs).items())),
        "exchanged": {
            str(n): count for n, count in sorted(Counter(p.exchanged for p in pairs).items())
        },
        "same_template": sum(pair.chosen.template == pair.rejected_template for pair in pairs),
        "length_difference": {"words": _spread(words), "characters": _spread(characters)},
        "term_frequency": frequency,
    }


def _spread(values: Sequence[int]) -> dict[str, float | None]:
    if not values:
        return {"mean": None, "min": None, "max": None}
    return {"mean": sum(values) / len(values), "min": min(values), "max": max(values)}
