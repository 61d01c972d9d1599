"""What a user names to ask models: files, read before any model is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from equipoise.errors import EquipoiseError
from equipoise.files.manifest import sha256
from equipoise.measures.side_effects.choice_files import Choice, read_choices
from equipoise.measures.side_effects.choice_files import Instrument as ChoiceKind
from equipoise.measures.side_effects.pair_files import Instrument as PairKind
from equipoise.measures.side_effects.pair_files import Pair, read_pairs
from equipoise.measures.side_effects.source import group_name, read_text

if TYPE_CHECKING:
    from equipoise.model.language_model import LanguageModel

FEWEST_CHARACTERS = 20
"""Of a text: fewer make no perplexity."""


@dataclass(frozen=True)
class Instrument:
    """What a user has every model asked: files of one kind, or a task of another harness.

    Attributes:
        name: Of what it is; no other instrument of an examination has it.
        question: Plain data that changes with what is asked.
        items: Items of all quantities of a model.
    """

    name: str
    question: Mapping[str, Any]
    items: Callable[[LanguageModel], pd.DataFrame]


def read_instruments(
    text: Sequence[str], pairs: Sequence[str], choices: Sequence[str], shares: Mapping[str, float]
) -> list[Instrument]:
    """The instruments of the files that are named; files of one kind are one instrument.

    Args:
        text: Texts for perplexity, each an instrument of its own.
        pairs: Files of minimal pairs, or folders of WinoBias' files.
        choices: Files of multiple-choice questions.
        shares: Shares of women by occupation, in percent, for Winogender.

    Raises:
        EquipoiseError: A file cannot be read or is in no known format, or two texts have one name.
    """
    texts: dict[str, Instrument] = {}
    for path in map(Path, text):
        one = _text(path)
        if one.name in texts:
            raise EquipoiseError(
                "another text has the same name", file=path, hint="Rename one of them."
            )
        texts[one.name] = one
    of_pairs: dict[PairKind, dict[Pair, None]] = {}
    for path in map(Path, pairs):
        kind, found = read_pairs(path, shares)
        of_pairs.setdefault(kind, {}).update(dict.fromkeys(found))
    of_choices: dict[ChoiceKind, dict[Choice, None]] = {}
    for path in map(Path, choices):
        asked, questions = read_choices(path)
        of_choices.setdefault(asked, {}).update(dict.fromkeys(questions))
    return [
        *texts.values(),
        *(_pairs(kind, list(found)) for kind, found in of_pairs.items()),
        *(_choices(asked, list(questions)) for asked, questions in of_choices.items()),
    ]


def _text(path: Path) -> Instrument:
    text, group = read_text(path), group_name(path.stem)
    if len(text.strip()) < FEWEST_CHARACTERS:
        raise EquipoiseError("is too short a text", file=path, hint="Name a longer one.")

    def items(lm: LanguageModel) -> pd.DataFrame:
        from equipoise.measures.side_effects.perplexity import perplexity_items

        return perplexity_items(lm, text, group)

    return Instrument(f"perplexity_{fit_for_files(group)}", {"content_sha256": sha256(path)}, items)


def _pairs(kind: PairKind, pairs: Sequence[Pair]) -> Instrument:
    def items(lm: LanguageModel) -> pd.DataFrame:
        from equipoise.measures.side_effects.pairs import pair_items

        return pair_items(lm, kind, pairs)

    return Instrument(kind, _question(pairs), items)


def _choices(kind: ChoiceKind, choices: Sequence[Choice]) -> Instrument:
    def items(lm: LanguageModel) -> pd.DataFrame:
        from equipoise.measures.side_effects.choices import choice_items

        return choice_items(lm, kind, choices)

    return Instrument(kind, _question(choices), items)


def _question(items: Sequence[object]) -> dict[str, Any]:
    digest = hashlib.sha256(repr(items).encode(errors="replace")).hexdigest()
    return {"content_sha256": digest}


def fit_for_files(name: str) -> str:
    """``name`` as part of the name of a file."""
    return re.sub(r"[^A-Za-z0-9-]+", "-", name)
