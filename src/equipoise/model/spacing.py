"""The space between a prefix and its continuation, which some completions servers drop."""

from __future__ import annotations

import re
from collections.abc import Sequence

_IN_THE_WORD = re.compile(r"[\s.,;:!?…%)\]}»’'\-‐‑]|n['’]t\b")
"""What joins the word before it whoever wrote it: closing marks, and the end of "wasn't"."""


def drops_spaces(texts: Sequence[str]) -> bool:
    """Whether whoever wrote these continuations takes away the space that they begin with.

    A server that keeps spaces begins nearly every continuation of whole words with one, and goes on
    inside a word ("was" + "hed") now and then. One that drops them begins none with a space; a line
    break may still come first.
    """
    return not any(text[:1] == " " for text in texts)


def spaced(text: str) -> str:
    """A continuation with the space that was dropped, where a space belongs.

    >>> [spaced(text) for text in ("bold", ", in short, bold", "n't late")]
    [' bold', ', in short, bold', "n't late"]
    """
    return text if not text or _IN_THE_WORD.match(text) else f" {text}"
