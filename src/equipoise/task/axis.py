"""A task's axis: what its subjects differ in, the words of its two poles, and who may learn them.

The axis is declared once, in the task file's ``[axis]``. Methods are fitted on its *fitted* items;
its *unfitted* items are for measures alone, and no method reads them. A measure on what a method
was fitted on would show what was removed by construction: projecting out the difference of the
output embeddings of "she" and "he" makes ``log P(" she") - log P(" he")`` constant, whatever the
model still knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SUBJECT_SLOT = "{subject}"
"""Stands for a subject's name in a probe's context."""

WORD_SLOT = "{word}"
"""Stands for a word of a pair in a sentence that erasure is fitted on."""

SUBJECT_KIND = "noun"
"""The kind of word whose sentences take a subject's name as well."""

Pair = tuple[str, str]
"""A word of the first pole and its counterpart of the second, of the same grammar."""

Words = tuple[str, ...]


@dataclass(frozen=True)
class Probe:
    """Pairs of words, and the contexts that each of their words continues.

    Attributes:
        kind: What the words are, such as ``pronouns`` or ``names``.
        contexts: Beginnings of sentences with ``{subject}``.
        pairs: Words of the first pole, each with its counterpart.
    """

    kind: str
    contexts: Words
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class WordPair:
    """Two words that differ only in what is to be erased.

    Attributes:
        words: The words of label 0 and of label 1: of the first and of the second pole.
        contexts: Beginnings of sentences with ``{word}`` that both fit into.
        kind: Pairs of each kind are spread over fitting and probing.
    """

    words: Pair
    contexts: Words
    kind: str = ""


@dataclass(frozen=True)
class FittedItems:
    """What methods may be fitted on.

    Attributes:
        probes: For counterfactual training. The association's fitted half is of the first.
        subjects: Whom counterfactual training is about beside the train subjects; no measure asks
            for them.
        contexts: Beginnings of sentences with ``{word}``, by kind of word, for erasure.
        pairs: The words that erasure is fitted on, in their contexts.
    """

    probes: tuple[Probe, ...] = ()
    subjects: Words = ()
    contexts: Mapping[str, Words] = field(default_factory=dict)
    pairs: tuple[WordPair, ...] = ()


@dataclass(frozen=True)
class UnfittedItems:
    """What no method may be fitted on.

    Attributes:
        probes: The association's unfitted half.
        contexts: Beginnings of sentences with ``{subject}`` for the pairs of the first fitted
            probe: words that methods know, in contexts that they do not.
    """

    probes: tuple[Probe, ...] = ()
    contexts: Words = ()


@dataclass(frozen=True)
class Axis:
    """What the subjects of a task differ in, between two poles.

    Differences, log-odds and slopes are of the second pole over the first.

    Attributes:
        name: Such as ``gender``.
        poles: Such as ``masculine`` and ``feminine``.
        share: What the shares count, such as ``women``.
        shares: Percent (0-100) of it, by subject, in the order of the task's subjects. A subject
            may have none.
        terms: The term sets that the stereotype puts at the first and at the second pole, or none.
        words: By kind, such as ``pronouns``, the words of both poles that are counted in texts.
        fitted: What methods may be fitted on.
        unfitted: What only measures use.
    """

    name: str
    poles: tuple[str, str]
    share: str
    shares: Mapping[str, float] = field(default_factory=dict)
    terms: tuple[str, str] | None = None
    words: Mapping[str, tuple[Words, Words]] = field(default_factory=dict)
    fitted: FittedItems = FittedItems()
    unfitted: UnfittedItems = UnfittedItems()


def context_problem(context: str, slot: str) -> str | None:
    """What is wrong with the beginning of a sentence around ``slot``, if anything is.

    The slot stands in it once, and words follow. Before a ``{word}`` there are words too: at the
    first token of a text many models store something else than what it says.
    """
    before, found, after = context.partition(slot)
    if not found or slot in after:
        return f"does not have {slot} once"
    if not after.strip() or (slot == WORD_SLOT and not before.strip()):
        return f"does not have {slot} once, with other words before and after it"
    return None
