r"""Strangers' text in LaTeX: it prints what was written, and no command in it is run.

The text is ASCII: a letter with an accent becomes the command for it, and a character that LaTeX's
own fonts lack is named by its code, ``[U+4E2D]``.
"""

from __future__ import annotations

import unicodedata

from equipoise.wording.visible import shown

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "_": r"\_", "%": r"\%", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "{''}",
    "'": "{'}", "`": "{`}", "[": "{[}", "]": "{]}", "*": "{*}",
}  # fmt: skip
"""Characters that LaTeX takes for more than themselves, alone, in a ligature or after ``\\\\``."""

_NAMED = {
    "–": r"\textendash{}", "—": r"\textemdash{}", "−": r"\ensuremath{-}", "±": r"\ensuremath{\pm}",
    "×": r"\ensuremath{\times}", "∞": r"\ensuremath{\infty}", "≤": r"\ensuremath{\leq}",
    "≥": r"\ensuremath{\geq}", "·": r"\ensuremath{\cdot}", "…": r"\ldots{}", "‘": "{`}",
    "’": "{'}", "“": "{``}", "”": "{''}", "„": "{,}{,}", "ß": r"\ss{}",
    "æ": r"\ae{}", "Æ": r"\AE{}",
    "ø": r"\o{}", "Ø": r"\O{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ł": r"\l{}", "Ł": r"\L{}",
    "ı": r"\i{}", "§": r"\S{}", "\u00a0": r"\nobreakspace{}", "⟨": r"\ensuremath{\langle}",
    "⟩": r"\ensuremath{\rangle}", "→": r"\ensuremath{\rightarrow}",
}  # fmt: skip

_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u",
    "\u0307": ".", "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0327": "c",
}  # fmt: skip


def escape(text: str) -> str:
    r"""``text`` as LaTeX that prints it; no command in it is run.

    >>> print(escape(r"50 % of \input{x} & café"))
    50 \% of \textbackslash{}input\{x\} \& caf\'{e}
    """
    found: list[str] = []
    for character in unicodedata.normalize("NFD", shown(text)):
        if character in _ACCENTS and found and found[-1].isascii() and found[-1].isalpha():
            found[-1] = f"\\{_ACCENTS[character]}{{{found[-1]}}}"
        else:
            found.append(_escape_character(character))
    return "".join(found).replace("--", "-{}-").replace(",,", ",{},")


def _escape_character(character: str) -> str:
    if character in _SPECIAL or character in _NAMED:
        return _SPECIAL.get(character) or _NAMED[character]
    if character.isascii():
        return character
    return f"{{[}}U+{ord(character):04X}{{]}}"
