"""What is said of how sentences were found: what was taken away, by kind; other forms, by form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from equipoise.completions.cuts import CUTS, Cut
from equipoise.completions.prefix import form_of

_MOST_FORMS = 4


@dataclass(frozen=True)
class SentenceCounts:
    """How the judged sentences of some texts were found.

    Attributes:
        total: Texts.
        empty: Those in which nothing is judged.
        cut: For each kind of what was taken away, in how many.
        forms: For each form other than the prefix's, how many; "…" for what does not begin with
            the subject.
    """

    total: int
    empty: int
    cut: Counter[Cut] = field(default_factory=Counter)
    forms: Counter[str] = field(default_factory=Counter)

    @property
    def other(self) -> int:
        """Texts that do not begin with the prefix."""
        return self.forms.total()


def count_texts(
    texts: Sequence[str],
    prefixes: Sequence[str],
    subjects: Sequence[str],
    cuts: Sequence[str] | None = None,
) -> SentenceCounts:
    """Counts of sentences that were judged before; ``cuts`` is their column of that name."""
    kinds = [read_cut(value) or () for value in cuts] if cuts else [()] * len(texts)
    forms = (
        form_of(text, prefix, subject) if text else ""
        for text, prefix, subject in zip(texts, prefixes, subjects, strict=True)
    )
    found = list(zip(texts, forms, kinds, strict=True))
    return SentenceCounts(
        total=len(found),
        empty=sum(not text for text, _, _ in found),
        cut=Counter(kind for _, _, several in found for kind in several),
        forms=Counter(form for text, form, _ in found if text and form),
    )


def written_cut(kinds: Iterable[Cut]) -> str:
    """Kinds as the column ``cut`` holds them."""
    return "; ".join(kinds)


def read_cut(value: str) -> tuple[Cut, ...] | None:
    """The kinds that a value of the column ``cut`` names; None if it names anything else."""
    names = [name for name in value.split("; ") if name]
    known: tuple[Cut, ...] = tuple(kind for name in names for kind in CUTS if kind == name)
    return known if len(known) == len(names) else None


def sentence_remarks(counts: SentenceCounts, prefix: str) -> list[str]:
    """What a reader of the scores should know of ``counts``, one sentence each; often nothing.

    Args:
        counts: Of the texts.
        prefix: As the task writes it, with ``{subject}``.
    """
    total = f"{counts.total:,}"
    found = []
    if counts.empty:
        found.append(f"Empty texts, counted as neither: {counts.empty:,} of {total}.")
    if counts.other:
        found.append(f"Texts that do not start with '{prefix}': {counts.other:,} of {total}.")
    if counts.other and counts.other == counts.total - counts.empty == counts.forms["…"]:
        found[-1] += " If they are its continuations, evaluate them with the prefix 'add'."
    named = Counter({form: n for form, n in counts.forms.items() if form != "…"})
    if named:
        shown = [f"'{form}' {n:,}" for form, n in named.most_common(_MOST_FORMS)]
        if rest := counts.other - sum(n for _, n in named.most_common(_MOST_FORMS)):
            shown.append(f"others {rest:,}")
        found.append(f"Their forms: {', '.join(shown)}.")
    if counts.cut:
        shown = [f"{CUTS[kind]} {counts.cut[kind]:,}" for kind in CUTS if counts.cut[kind]]
        found.append(f"Taken away before judging, of {total} texts: {', '.join(shown)}.")
    return found
