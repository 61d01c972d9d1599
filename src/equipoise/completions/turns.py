"""Whole conversations where an answer should be: whose turn it is, and what was asked.

Logs hold them where somebody decoded prompt and answer together, and models write on in both roles.
"""

from __future__ import annotations

import re

from equipoise.completions.flatten import ASKING_ROLES

PARAGRAPH = "\n\n"

_SAID = "instruction|input|prompt|task|question"
_WHO = rf"system|user|assistant|model|human|developer|gpt|tool|response|answer|output|{_SAID}"
_BAR = "[|｜]"
# What begins a turn: a token, a heading, or a name alone on its line or before a colon. Decoding
# without tokens leaves the name behind the end of the turn before: "Complete it.assistant".
_TURN = re.compile(
    rf"<{_BAR}(?:im_start|start_header_id){_BAR}>\s*(?P<chat>\w+)(?:\s*<{_BAR}end_header_id{_BAR}>)?"
    rf"|<start_of_turn>\s*(?P<turn>\w+)"
    rf"|<{_BAR}(?P<token>{_WHO}){_BAR}>"
    r"|(?P<asking>\[INST\])|(?P<asked>\[/INST\])"
    rf"|^[^\S\n]*\#{{1,6}}[^\S\n]*(?P<heading>{_WHO})[^\S\n]*:?[^\S\n]*$"
    r"|(?:^[^\S\n]*|(?<=[^\s\w-]))(?P<line>(?-i:system|user|assistant|model))(?=[^\S\n]*\n)"
    r"|(?<=\w)(?P<glued>(?-i:assistant))(?=\n)"
    r"|(?<!\w)(?P<upper>(?-i:SYSTEM|USER|HUMAN|ASSISTANT))[^\S\n]*:"
    r"|^[^\S\n]*(?P<name>system|user|human|assistant)[^\S\n]*:",
    re.IGNORECASE | re.MULTILINE,
)
# Only in a text that begins so a name in capitals begins a turn inside a line.
_NAMES_WITHIN = re.compile(r"\s*(?:A chat between\b|(?:SYSTEM|USER|HUMAN)[^\S\n]*:)")
_TOKEN = re.compile(
    rf"<{_BAR}[^<>|｜\n]{{1,40}}{_BAR}>|</?s>|<(?:eos|bos|pad|unk|end_of_turn)>"
    # Square brackets may stand in prose, but not there.
    r"|\A\[(?:BOS|CLS)\]|(?<=[.!?…\"”])\[(?:EOS|SEP|PAD)\]|\[(?:EOS|SEP|PAD)\]\Z|(?<=[^\s#])\#{3,}"
)
_ASKING = ASKING_ROLES | set(_SAID.split("|"))


def without_turns(text: str) -> tuple[str, str]:
    """``text`` without what was asked and without the marks of turns; and what was asked last.

    Where there is nothing but a question, it is kept: it may be an answer that begins like one.
    """
    kept: list[str] = []
    question, asking, position = "", False, 0
    answered = "[/INST]" in text
    written = _NAMES_WITHIN.match(text) is not None
    for match in _TURN.finditer(text):
        if (match["upper"] and not written) or (match["asking"] and not answered):
            continue
        said = text[position : match.start()]
        if not asking:
            kept.append(said)
        elif said.strip():
            question = said
        position, asking = match.end(), _asks(match)
    if not asking:
        kept.append(text[position:])
    answer = PARAGRAPH.join(kept)
    if not without_tokens(answer).strip():
        return _TURN.sub(PARAGRAPH, text), ""
    return answer, without_tokens(question).strip()


def without_tokens(text: str) -> str:
    """``text`` without special tokens: ends of turns and of texts, padding."""
    return _TOKEN.sub(PARAGRAPH, text)


def _asks(match: re.Match[str]) -> bool:
    """Whether the turn that a mark begins is not the model's."""
    if match["asked"]:
        return False
    return bool(match["asking"]) or str(match[match.lastgroup or 0]).casefold() in _ASKING
