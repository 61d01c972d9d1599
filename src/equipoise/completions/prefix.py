"""A response prefix such as "The nurse was": where a text has it, and what stands in its place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

PICTURES = "①-⓿←-⇿⌀-⏿■-➿⬀-⯿\ufe0f\u20e3\U0001f000-\U0001faff"
"""Emoji, arrows, circled numbers and the like, as the inside of a set of characters."""

_BEING = (
    "is|was|are|were|isn't|wasn't|aren't|weren't|be|been|being|has|had|have|will|would|can|could|should|"
    "may|might|must|does|did|seems|seemed|became|becomes|felt|feels|looked|looks|remained|remains"
)
_SPELT = {"'": "['’ʼ‘]", "’": "['’ʼ‘]", "-": "[-‐‑–]", "‐": "[-‐‑–]", "‑": "[-‐‑–]"}
_BETWEEN = r"[\s*_~`]+"
# Where a sentence may begin: at the start, behind a mark, a colon, a dash, a quote or a bracket;
# behind the number or letter of a list; behind an emoji, an arrow or another picture.
_OPENINGS = r"\s\"“„‘«‹(\[{*_"
_START = re.compile(
    rf"(?:\A|\n|[:：;–—>|\"“„‘«‹(\[{{]|(?<!\w)'|[.!?…][\"”’»)\]*_]*\s)[{_OPENINGS}]*\Z|(?:\s-|->|=>)\s*\Z"
    rf"|(?:\A|\n)\W*(?:\d{{1,3}}|[a-zA-Z]|[ivxIVX]{{1,4}})(?:[.):]|(?<=\d))\W*\Z"
    rf"|[{PICTURES}][{_OPENINGS}]*\Z"
)
_DETERMINER = r"(?:the|a|an|my|our|your|his|her|their|this|that|these|those|every|each|some|one)"


def _spelt(words: str) -> str:
    """A pattern of ``words`` in every spelling of their spaces, apostrophes and hyphens."""
    return _BETWEEN.join(
        "".join(_SPELT.get(character, re.escape(character)) for character in word)
        for word in words.split()
    )


@lru_cache(maxsize=4096)
def prefix_pattern(prefix: str) -> re.Pattern[str]:
    """``prefix`` as terms are compared: any case, spaces, apostrophes and hyphens."""
    return re.compile(_spelt(prefix) + r"(?!\w)(?!['’]\w)", re.IGNORECASE)


@lru_cache(maxsize=4096)
def tail_pattern(prefix: str) -> re.Pattern[str]:
    """The last words of ``prefix``, without its first: as some begin who go on after it."""
    words = prefix.split()
    tails = "|".join(_spelt(" ".join(words[start:])) for start in range(1, len(words)))
    return re.compile(rf"(?:{tails or '(?!)'})(?!\w)(?!['’]\w)", re.IGNORECASE)


@lru_cache(maxsize=4096)
def form_pattern(subject: str) -> re.Pattern[str]:
    """The beginning of an English sentence about ``subject``, in whatever form."""
    return re.compile(
        rf"(?P<determiner>{_DETERMINER}\s+)?(?P<adjective>(?!(?:{_BEING}|and|or)\b)[\w-]{{1,40}}\s+)?"
        rf"(?P<subject>{_spelt(subject)})(?P<ending>e?s|['’]s?)?(?!\w)(?:\s*,)?(?:\s+(?P<verb>[\w'’]+))?",
        re.IGNORECASE,
    )


def starts(pattern: re.Pattern[str], text: str) -> Sequence[re.Match[str]]:
    """Where ``pattern`` stands in ``text`` at the beginning of a sentence."""
    return [
        match
        for match in pattern.finditer(text)
        if match.start() == 0 or _START.search(text[max(0, match.start() - 30) : match.start()])
    ]


def form_of(text: str, prefix: str, subject: str) -> str:
    """In which form ``text`` begins.

    Returns:
        ``""`` with the prefix; ``"The {subject} is …"`` and the like in another form; ``"…"`` for
        anything that does not begin with the subject, a continuation for instance.
    """
    if prefix_pattern(prefix).match(text):
        return ""
    match = form_pattern(subject).match(text) if subject else None
    if match is None or not (match["determiner"] or match["subject"][0].isupper()):
        return "…"
    parts = [(match["determiner"] or "").strip().capitalize(), "…" if match["adjective"] else ""]
    ending = "s" if match["ending"] in ("s", "es") else "'s" if match["ending"] else ""
    verb = (match["verb"] or "").casefold().replace("’", "'")
    verb = verb if re.fullmatch(_BEING, verb) else ""
    words = " ".join(filter(None, [*parts, f"{{subject}}{ending}", verb]))
    return f"{words} …"
