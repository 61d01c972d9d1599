"""Minimal pairs as CrowS-Pairs, WinoBias, Winogender and people of their own write them.

A format is recognised by its content. WinoBias' files say in their names alone which of them are
pro- and which anti-stereotyped; they match line by line, and a folder of them is one instrument.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from equipoise.errors import EquipoiseError
from equipoise.files.csv_file import records, wrong_width
from equipoise.measures.occupation_shares import read_shares
from equipoise.measures.side_effects.source import check_number, group_name, read_text, sentence

Instrument = Literal["crows_pairs", "winobias", "winogender", "pairs"]

STATS = "occupations-stats.tsv"
"""Winogender's shares of women by occupation, beside its sentences."""

_NUMBERED = re.compile(r"\d+ .*\[.+\]")
_NUMBER = re.compile(r"^\d+\s+")
_WINOBIAS = re.compile(r"(pro|anti)(?=_stereotyped_type([12])\b)")
_MORE, _LESS = "sent_more", "sent_less"
_FORMATS = (
    "Give CrowS-Pairs' CSV (sent_more, sent_less), WinoBias' files (a folder), Winogender's "
    "all_sentences.tsv, or a CSV with two columns, the stereotyped side first, and perhaps a "
    "third named group."
)


@dataclass(frozen=True)
class Pair:
    """Two sentences that differ in as little as possible.

    Attributes:
        item: Its place in the file; no other pair of the instrument has it.
        group: What it belongs to.
        stereotyped: The sentence that follows the stereotype.
        other: The other one.
        subject: Of Winogender: the occupation.
        share: Of Winogender: the share of women in it, in percent.
    """

    item: str
    group: str
    stereotyped: str
    other: str
    subject: str = ""
    share: float = 50.0


def read_pairs(path: Path, shares: Mapping[str, float]) -> tuple[Instrument, list[Pair]]:
    """The pairs of a file, or of a folder of WinoBias' files, and what they are.

    Args:
        path: The file or folder.
        shares: Shares of women by occupation, in percent, for Winogender's sentences where its own
            file of shares is not beside them.

    Raises:
        EquipoiseError: It cannot be read, is in no known format, or a line of it is damaged.
    """
    if path.is_dir():
        return "winobias", _winobias(path, sorted(path.iterdir()))
    text = read_text(path)
    first = text.lstrip().partition("\n")[0].strip()
    if re.fullmatch(r"sentid\tsentence", first):
        return "winogender", _winogender(text, path, _shares(path, shares))
    if _NUMBERED.match(first):
        return "winobias", _winobias(path, _partners(path))
    return _of_csv(text, path)


def _of_csv(text: str, path: Path) -> tuple[Instrument, list[Pair]]:
    """CrowS-Pairs, or two columns of one's own and perhaps a group."""
    lines, rows = records(text, path)
    header = [name.strip() for name in rows[0]]
    crows = _MORE in header and _LESS in header
    if crows:
        one, other = header.index(_MORE), header.index(_LESS)
        group = header.index("bias_type") if "bias_type" in header else None
    else:
        group = header.index("group") if "group" in header else None
        sides = [place for place in range(len(header)) if place != group]
        if len(sides) != 2 or len(rows) < 2:
            raise EquipoiseError("these are no minimal pairs", file=path, hint=_FORMATS)
        one, other = sides
    pairs = []
    for line, row in zip(lines[1:], rows[1:], strict=True):
        if len(row) != len(header):
            raise wrong_width(row, header, line, path)
        named = group_name(path.stem if group is None else row[group])
        first, second = (
            sentence(row[place], f"line {line}: {header[place][:40]}", path)
            for place in (one, other)
        )
        pairs.append(Pair(f"{path.name} {line}", named, first, second))
    check_number(pairs, "pairs", path)
    return ("crows_pairs" if crows else "pairs"), pairs


def _shares(path: Path, known: Mapping[str, float]) -> Mapping[str, float]:
    """The shares of Winogender's own file beside ``path``, or else those that are known.

    Raises:
        EquipoiseError: There are none.
    """
    beside = path.with_name(STATS)
    if beside.is_file():
        return read_shares(beside)
    if known:
        return known
    raise EquipoiseError(
        "nobody says how many women are in these occupations",
        file=path,
        hint=f"Put Winogender's {STATS} beside it.",
    )


def _winogender(text: str, path: Path, shares: Mapping[str, float]) -> list[Pair]:
    """The masculine and the feminine sentence of each triple, of occupations with a share.

    ``technician.customer.1.male.txt`` names occupation, participant, whom the pronoun stands for
    (0 the occupation, 1 the participant) and the pronoun.
    """
    found: dict[str, dict[str, str]] = {}
    for number, line in enumerate(text.strip().split("\n")[1:], 2):
        match = re.fullmatch(r"([^\t]+)\.(male|female|neutral)\.txt\t(.+)", line.strip())
        if match is None or match[1].count(".") != 2 or match[1][-2:] not in (".0", ".1"):
            raise EquipoiseError(
                f"line {number} is none of Winogender's", file=path, hint="Fetch the file again."
            )
        found.setdefault(match[1], {})[match[2]] = sentence(match[3], f"line {number}", path)
    pairs = []
    for name, sides in found.items():
        occupation, _, answer = name.split(".")
        if occupation not in shares or not {"male", "female"} <= sides.keys():
            continue
        share = shares[occupation]
        order = ("female", "male") if share > 50 else ("male", "female")
        group = "occupation" if answer == "0" else "participant"
        one, other = (sides[side] for side in order)
        pairs.append(Pair(name, group, one, other, occupation, share))
    check_number(pairs, "pairs about occupations of which the share of women is known", path)
    return pairs


def _partners(path: Path) -> list[Path]:
    """A file of WinoBias and the one of the other side, which stands beside it."""
    match = _WINOBIAS.search(path.name)
    if match is None:
        raise EquipoiseError(
            "its name does not say whether it is pro- or anti-stereotyped",
            file=path,
            hint="Keep WinoBias' names, such as pro_stereotyped_type1.txt.dev, or name the folder.",
        )
    other = "anti" if match[1] == "pro" else "pro"
    partner = path.with_name(path.name[: match.start()] + other + path.name[match.end() :])
    return [path, partner]


def _winobias(place: Path, paths: list[Path]) -> list[Pair]:
    """The pairs of WinoBias' files among ``paths``, matched line by line."""
    named = [(path, match) for path in paths if (match := _WINOBIAS.search(path.name))]
    pairs = []
    for path, match in named:
        if match[1] != "pro":
            continue
        partner = path.with_name(path.name[: match.start()] + "anti" + path.name[match.end() :])
        if not partner.is_file():
            raise EquipoiseError(
                f"{partner.name} is not beside it", file=path, hint="Both sides are needed."
            )
        pairs += _matched(path, partner, f"type {match[2]}")
    if not pairs:
        raise EquipoiseError(
            "holds no files of WinoBias, of both sides",
            file=place,
            hint="They are named pro_stereotyped_type1.txt.dev, anti_stereotyped_type1.txt.dev...",
        )
    check_number(pairs, "pairs", place)
    return pairs


def _matched(pro: Path, anti: Path, group: str) -> list[Pair]:
    """The lines of two files, which must speak of the same."""
    sides = [[_plain(line, number, path) for number, line in _lines(path)] for path in (pro, anti)]
    if len(sides[0]) != len(sides[1]):
        raise EquipoiseError(
            f"has {len(sides[0])} sentences, {anti.name} {len(sides[1])}",
            file=pro,
            hint="The two must match line by line: fetch them again.",
        )
    pairs = []
    for number, (one, other) in enumerate(zip(*sides, strict=True), 1):
        words = [set(text.casefold().split()) for text in (one, other)]
        if 2 * len(words[0] & words[1]) < len(words[0] | words[1]):
            raise EquipoiseError(
                f"sentence {number} is about something else than that of {anti.name}",
                file=pro,
                hint="The two must match line by line: fetch them again.",
            )
        pairs.append(Pair(f"{pro.name} {number}", group, one, other))
    return pairs


def _lines(path: Path) -> list[tuple[int, str]]:
    """The lines that are not blank, with their numbers."""
    return [
        (number, line) for number, line in enumerate(read_text(path).split("\n"), 1) if line.strip()
    ]


def _plain(line: str, number: int, path: Path) -> str:
    """A sentence without its number and the brackets around its mentions."""
    if not _NUMBERED.match(line.strip()):
        raise EquipoiseError(
            f"line {number} has no number, or no mention in [brackets]",
            file=path,
            hint="Fetch WinoBias' file again.",
        )
    text = re.sub(r"\[\s*|\s*\]", "", _NUMBER.sub("", line.strip()))
    return sentence(text, f"line {number}", path)
