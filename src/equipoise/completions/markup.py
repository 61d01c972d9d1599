"""What stands in strangers' texts beside words: reasoning, HTML, Markdown, characters nobody sees.

Each function takes one kind of them away; ``judged_sentence`` puts them in order. What is taken
away never joins two words: ``bo*ld`` and ``bold**-**led`` stay. Ctrl-G writes nothing by which what
it has checked could change here (``methods/ctrlg/text_rules.py``).
"""

from __future__ import annotations

import html
import re
import unicodedata

from equipoise.completions.prefix import PICTURES
from equipoise.task.sentence import END
from equipoise.wording.visible import DIRECTION, HIDDEN

PARAGRAPH = "\n\n"

INVISIBLE = frozenset(HIDDEN - set("\u2028\u2029")) | DIRECTION | set("\u200c\u200d\u180e")
"""Soft hyphens, zero-width characters, byte order marks and marks of direction."""
# Joiners hold emoji and the letters of some scripts together; beside Latin letters they are noise.
_NOISE = re.compile(
    "[{}]|(?<=[A-Za-z\\s])[\u200c\u200d]|[\u200c\u200d](?=[A-Za-z\\s])".format(
        "".join(sorted(INVISIBLE - set("\u200c\u200d")))
    )
)
# The last one stands for a space in the pieces of some tokenizers.
_ODD_SPACE = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u2581]")

STYLED = re.compile("[\uff01-\uff5e\U0001d400-\U0001d7ff]")
"""Letters that look bold, slanted or wide, which stand for plain ones."""
# An emoji right behind the end of a sentence is not part of it.
_MARK_AND_PICTURE = re.compile(f"(?<=[{re.escape(END)}])(?=[{PICTURES}])")
# A dash between letters is a hyphen ("self–reliant"), unless a little word shows it is a dash.
_DASH = re.compile(r"([^\W\d_]+)–(?=([^\W\d_]+))")
_LITTLE_WORDS = (
    "and but or yet so with without who which that he she they it we you i a an the his her "
    "their always never both not was is were even especially in at on to for of as like "
    "because when while though"
)
_LITTLE = frozenset(_LITTLE_WORDS.split())

_NAMES = (
    "think|thinking|thought|thoughts|reason|reasoning|reflection|reflect|analysis|scratchpad|"
    "inner_monologue|monologue|seed:think|thinking_process|chain_of_thought|cot|plan"
)
_OPENINGS = (
    rf"<(?:{_NAMES})(?:\s[^<>]*)?>|◁think▷|<\|(?:begin_of_thought|start_thinking|thinking)\|>"
)
# The beginning and the end of what a model thinks, in the spellings of several families.
_THOUGHT = re.compile(
    rf"(?P<opening>{_OPENINGS}|^[^\S\n]*\[think\])"
    rf"|</(?:{_NAMES})\s*>|(?P<inner>\[/think\])|◁/think▷"
    r"|<\|(?:end_of_thought|end_thinking|/thinking)\|>",
    re.IGNORECASE | re.MULTILINE,
)
# gpt-oss names the channel of each message; what comes before the final one is reasoning.
_CHANNEL = re.compile(r"<\|channel\|>\s*(\w+)[^<]*(?:<\|constrain\|>\w*)?<\|message\|>")

BARE_CHANNELS = ("analysis", "assistantfinal")
# The same with its tokens decoded away; nobody writes these words as one.
_BARE_CHANNEL = re.compile(
    r"\A(?:analysis(?=[A-Z]).*?)?(?P<final>assistantfinal)|\Aanalysis(?=[A-Z])", re.S
)

_BREAK_TAG = re.compile(
    r"<(?:br|/?p|/?div|/?li|/?ul|/?ol|/?h[1-6]|/?blockquote|hr|/(?:answer|sentence|output|response|result|completion|final|final_answer|text))\b[^<>]*>",
    re.I,
)
_TAG = re.compile(
    r"</?(?:b|i|u|em|strong|span|code|mark|small|font|q|s|a|answer|sentence|output|response|result|"
    r"completion|final|final_answer|text|html|body)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
# Numbers of notes, and how long a sentence is said to be.
_NOTE = re.compile(
    r"(?<=[\w.,;:!?\"”])(?:\[\^?\d{1,3}\]|<sup>[^<>]{1,9}</sup>)+(?=[\s.,;:!?]|\Z)"
    r"|(?<=[.,;:!?\"”])[¹²³⁰-⁹]{1,3}(?=\s|\Z)"
    r"|[^\S\n]*[(\[](?:word count:?\s*\d{1,3}|\d{1,3}\s+words)[)\]][^\S\n]*$",
    re.IGNORECASE | re.MULTILINE,
)
_ENTITY = re.compile(
    r"&(?:amp|lt|gt|quot|apos|nbsp|[rl][sd]quo|[mn]dash|hellip|shy|#\d+|#x[\da-f]+);", re.I
)

# What stands between "\\textbf{" and "}", with the marks of mathematics around it.
_COMMAND = re.compile(
    r"(?:(?:\$+|\\[\[(])[^\S\n]*)?\\[a-zA-Z]{2,20}\*?\{([^{}\n]*)\}(?:[^\S\n]*(?:\$+|\\[\])]))?"
)
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\{[^{}\n]*\}|\\item\b")
# As JSON and Markdown escape characters: a line break, a letter by its number, a mark.
_ESCAPE = re.compile(
    r"\\(?:(?P<line>r\\n|[rnt])|u(?P<code>[\da-fA-F]{4})|(?P<mark>[!-/:-@\[-`{-~]))"
)
_MOST_NESTED = 5

_FENCE = re.compile(r"^[^\S\n]*(?:```|~~~)[^\n`]*$", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\[\]\n]+)\]\((?:https?:|www\.|mailto:|#|/)[^\s()]*\)")
_EMPHASIS = re.compile(r"[*`]{1,3}(?![*`])|~~(?!~)|_{1,3}(?!_)")
_JOINED = re.compile(r"[\w'’‐‑–-]")


OPENED_THOUGHT = re.compile(rf"{_OPENINGS}|\[think\]", re.IGNORECASE)
"""What a chat template may write for a model to think behind it."""


def end_of_thought(opening: str) -> str:
    """What ends the thoughts that ``opening``, a match of `OPENED_THOUGHT`, begins.

    >>> [end_of_thought(mark) for mark in ('<think effort="low">', "[THINK]", "<|START_THINKING|>")]
    ['</think>', '[/THINK]', '<|END_THINKING|>']
    """
    if opening.startswith("<|"):
        end = re.sub("(?i)begin|start", lambda m: "END" if m[0].isupper() else "end", opening)
        return end if end != opening else f"<|/{opening[2:]}"
    name = opening[1:-1].split()[0]
    return f"{opening[0]}/{name}{opening[-1]}"


def without_reasoning(text: str) -> tuple[str, bool]:
    """``text`` without what a model thought before it answered, and whether its end was missing.

    Thoughts may be marked in several spellings, begin outside the text (only their end is seen),
    or never end: then nothing of them is an answer.
    """
    text, unended = _final_channel(text)
    if bare := _BARE_CHANNEL.match(text):
        text, unended = (text[bare.end() :], False) if bare["final"] else ("", True)
    kept: list[str] = []
    position, inside = 0, False
    for match in _THOUGHT.finditer(text):
        if match["opening"]:
            if not inside:
                kept.append(text[position : match.start()])
            inside = True
        elif inside or not match["inner"]:
            # An end without a beginning: all before it was thought.
            kept = [*kept, PARAGRAPH] if inside else []
            inside, position = False, match.end()
    if not inside:
        kept.append(text[position:])
    return "".join(kept), unended or inside


def _final_channel(text: str) -> tuple[str, bool]:
    """What stands in the channel ``final``, and whether there are others but not this one."""
    channels = list(_CHANNEL.finditer(text)) if "<|channel|>" in text else []
    for match in channels:
        if match[1] == "final":
            return text[match.end() :], False
    return (text[: channels[0].start()], True) if channels else (text, False)


def without_html(text: str) -> str:
    """``text`` without the usual HTML and notes; entities are read."""
    text = _TAG.sub("", _BREAK_TAG.sub("\n", _NOTE.sub("", text)))
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text)


def plain_characters(text: str) -> str:
    """``text`` without invisible characters, with plain spaces and with hyphens inside words."""
    if text.isascii():
        return text
    kept = _ODD_SPACE.sub(" ", _NOISE.sub("", text))
    kept = STYLED.sub(lambda match: unicodedata.normalize("NFKC", match[0]), kept)
    kept = _MARK_AND_PICTURE.sub(" ", kept)
    return _DASH.sub(_hyphenated, kept) if "–" in kept else kept


def without_escapes(text: str) -> str:
    r"""``text`` without commands of LaTeX around words, and with escaped characters read.

    >>> without_escapes(r"$\boxed{\text{The nurse was \*bold\*.}}$")
    'The nurse was *bold*.'
    """
    text = _ENVIRONMENT.sub(PARAGRAPH, text)
    for _ in range(_MOST_NESTED):
        inner = _COMMAND.sub(r"\1", text)
        if inner == text:
            break
        text = inner
    return _ESCAPE.sub(_unescaped, text)


def _unescaped(match: re.Match[str]) -> str:
    if match["line"]:
        return " " if match["line"] == "t" else "\n"
    code = int(match["code"], 16) if match["code"] else 0
    return chr(code) if code and not 0xD800 <= code < 0xE000 else match["mark"] or match[0]


def without_fences(text: str) -> str:
    """``text`` without the lines that open and close blocks of code."""
    return _FENCE.sub("", text)


def without_emphasis(text: str) -> str:
    """``text`` without marks of emphasis and code around words, and links as their text."""
    if "](" in text:
        text = _LINK.sub(r"\1", text)
    return _EMPHASIS.sub(_unless_inside, text)


def _unless_inside(match: re.Match[str]) -> str:
    """Nothing in place of a mark at the edge of a word; one inside a word or alone stays."""
    text, (start, end) = match.string, match.span()
    before, after = text[start - 1 : start], text[end : end + 1]
    alone = not before.strip() and not after.strip()
    longer = before == match[0][0]  # the end of a run of more than three
    inside = _JOINED.match(before) and _JOINED.match(after)
    return match[0] if alone or longer or inside else ""


def _hyphenated(match: re.Match[str]) -> str:
    little = match[1].casefold() in _LITTLE or match[2].casefold() in _LITTLE
    return match[0] if little else f"{match[1]}-"
