"""Multiple-choice questions: BBQ's JSON lines, and people's own with question, options, label.

BBQ says of each answer whom it names, and of each question whom the stereotype is about. The words
for these groups differ between its categories ("F", "woman"), and its own code has the bias target
from a further file; here it is the one answer that names a stereotyped group. Where none or two do,
a question counts for accuracy alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from equipoise.errors import EquipoiseError
from equipoise.files.csv_file import records, wrong_width
from equipoise.measures.side_effects.source import (
    check_number,
    group_name,
    json_lines,
    read_text,
    sentence,
)

Instrument = Literal["bbq", "choices"]

MOST_OPTIONS = 10

_ANSWERS = ("ans0", "ans1", "ans2")
_SAME = (
    frozenset({"f", "female", "woman", "women", "girl", "girls"}),
    frozenset({"m", "male", "man", "men", "boy", "boys"}),
    frozenset({"trans", "transgender", "transgender men", "transgender women"}),
    frozenset({"low ses", "lowses", "poor"}),
)
"""Words that BBQ has for one group."""

_FORMATS = (
    "Give BBQ's JSON lines, or JSON lines or a CSV with question, options (a JSON list), label "
    "(the number of the right option, from 0) and perhaps group."
)


@dataclass(frozen=True)
class Choice:
    """A question and its options.

    Attributes:
        item: Its place in the file; no other question of the instrument has it.
        group: What it belongs to; of BBQ its category.
        question: What is asked, the context before it.
        options: The answers.
        label: Which is right, from 0.
        ambiguous: Of BBQ: the context does not say, so that "unknown" is right.
        unknown: Of BBQ: which option says that it cannot be known.
        biased: Of BBQ: which option the stereotype expects; None where that is not clear.
    """

    item: str
    group: str
    question: str
    options: tuple[str, ...]
    label: int
    ambiguous: bool = False
    unknown: int | None = None
    biased: int | None = None


def read_choices(path: Path) -> tuple[Instrument, list[Choice]]:
    """The questions of a file, and what they are.

    Raises:
        EquipoiseError: It cannot be read, is in no known format, or a line of it is damaged.
    """
    text = read_text(path)
    if text.lstrip().startswith("{"):
        objects = list(json_lines(text, path))
        if "answer_info" in objects[0][1]:
            found = [_of_bbq(row, number, path) for number, row in objects]
            check_number(found, "questions", path)
            return "bbq", found
        found = [_own(row, number, path) for number, row in objects]
    else:
        found = [_own(row, number, path) for number, row in _of_csv(text, path)]
    check_number(found, "questions", path)
    return "choices", found


def _of_csv(text: str, path: Path) -> list[tuple[int, dict[str, Any]]]:
    """The rows of a CSV file as the objects of JSON lines."""
    lines, rows = records(text, path)
    header = [name.strip() for name in rows[0]]
    if not {"question", "options", "label"} <= set(header):
        raise EquipoiseError("these are no multiple-choice questions", file=path, hint=_FORMATS)
    found = []
    for line, row in zip(lines[1:], rows[1:], strict=True):
        if len(row) != len(header):
            raise wrong_width(row, header, line, path)
        values: dict[str, Any] = dict(zip(header, row, strict=True))
        for name in ("options", "label"):
            try:
                values[name] = json.loads(values[name])
            except (ValueError, RecursionError):
                values[name] = None
        found.append((line, values))
    return found


def _own(row: Mapping[str, Any], number: int, path: Path) -> Choice:
    """A question of one's own."""
    if "question" not in row or "options" not in row:
        raise EquipoiseError(
            f"line {number} is no multiple-choice question", file=path, hint=_FORMATS
        )
    options = row["options"]
    if not isinstance(options, list) or not 2 <= len(options) <= MOST_OPTIONS:
        raise EquipoiseError(
            f"line {number}: options are no list of 2 to {MOST_OPTIONS}", file=path, hint=_FORMATS
        )
    return Choice(
        f"{path.name} {number}",
        group_name(row.get("group", path.stem)),
        sentence(row["question"], f"line {number}: question", path),
        tuple(sentence(one, f"line {number}: an option", path) for one in options),
        _label(row.get("label"), len(options), number, path),
    )


def _of_bbq(row: Mapping[str, Any], number: int, path: Path) -> Choice:
    """A question of BBQ."""
    place = f"line {number}"
    question = " ".join(
        sentence(row.get(name), f"{place}: {name}", path) for name in ("context", "question")
    )
    info = row.get("answer_info")
    tags = [_tag(info, name) for name in _ANSWERS]
    condition, polarity = row.get("context_condition"), row.get("question_polarity")
    if condition not in ("ambig", "disambig") or polarity not in ("neg", "nonneg"):
        raise EquipoiseError(
            f"{place}: context_condition or question_polarity is none of BBQ's",
            file=path,
            hint="Fetch the file again.",
        )
    unknown = tags.index("unknown") if tags.count("unknown") == 1 else None
    return Choice(
        f"{path.name} {number}",
        group_name(row.get("category")),
        question,
        tuple(sentence(row.get(name), f"{place}: {name}", path) for name in _ANSWERS),
        _label(row.get("label"), len(_ANSWERS), number, path),
        condition == "ambig",
        unknown,
        _biased(tags, unknown, _stereotyped(row), negative=polarity == "neg"),
    )


def _tag(info: Any, name: str) -> str:
    """Whom an answer names, in lower case; empty where nobody says."""
    found = info.get(name) if isinstance(info, dict) else None
    tag = found[-1] if isinstance(found, list) and found else ""
    return tag.casefold() if isinstance(tag, str) else ""


def _stereotyped(row: Mapping[str, Any]) -> set[str]:
    """The groups that the stereotype is about, in all words for them."""
    more = row.get("additional_metadata")
    groups = more.get("stereotyped_groups") if isinstance(more, dict) else None
    named = {one.casefold() for one in groups or () if isinstance(one, str)}
    return named.union(*(same for same in _SAME if same & named))


def _biased(
    tags: list[str], unknown: int | None, stereotyped: set[str], *, negative: bool
) -> int | None:
    """Which answer the stereotype expects: in a negative question the target, else the other."""
    named = [place for place in range(len(tags)) if place != unknown]
    targets = [
        place
        for place in named
        if tags[place] in stereotyped or stereotyped & set(tags[place].split("-"))
    ]
    if unknown is None or len(targets) != 1:
        return None
    [target], [other] = targets, [place for place in named if place not in targets]
    return target if negative else other


def _label(value: Any, options: int, number: int, path: Path) -> int:
    """The number of the right option."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < options:
        raise EquipoiseError(
            f"line {number}: label is no number from 0 to {options - 1}",
            file=path,
            hint="It is the number of the right option, the first being 0.",
        )
    return value
