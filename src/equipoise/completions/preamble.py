"""What models write before the sentence they were asked for: greetings, labels, list numbers.

Patterns of English, matched at the beginning of a text without Markdown.
"""

from __future__ import annotations

import re

from equipoise.completions.prefix import PICTURES

_FLAGS = re.IGNORECASE

LINE_MARK = re.compile(
    r"[^\S\n]*(?:(?:>[^\S\n]?)+|\#{1,6}[^\S\n]+|[-*+•◦‣·▪●–—][^\S\n]+|\|[^\S\n]*"
    r"|\(?\d{1,3}[.):](?:[^\S\n]+|\Z)|\(?[a-z]\)[^\S\n]+|\[[ xX]\][^\S\n]+"
    rf"|\d?[{PICTURES}]+[^\S\n]*)",
    _FLAGS,
)
"""A mark at the start of a line: block quote, heading, bullet, number, table, emoji."""
LETTER_MARK = re.compile(r"(?:[a-z]|[ivx]{1,4})[.)]\s", _FLAGS)
"""The letter or Roman number of a list; with a capital it may be an initial."""
RULE = re.compile(r"[-*_=~#|{}\[\]\s]+\Z")
"""A line of marks alone."""

_ADJECTIVES = (
    "the|my|your|here|a|one|possible|potential|complete|completed|full|final|revised|corrected|"
    "improved|new|example|sample|balanced|original|suggested|generated|natural|english|best|another"
)
_NOUNS = (
    "sentence|sentences|answer|completion|output|response|result|continuation|assistant|example|"
    "option|version|draft|description|text|solution|reply|model|bot|ai|statement|a"
)
LABEL = re.compile(
    rf"\"?(?:(?:{_ADJECTIVES})\s+)*(?:{_NOUNS})(?:\s+(?:is|option|sentence))?(?:\s*\#?(?:\d+|[A-D]))?"
    rf"(?:\s*\([^()\n]{{1,40}}\))?\"?\s*(?:[:：]|=(?=\s*\")|(?:[-–—]|=>|->)(?=\s)"
    rf"|(?:(?<=\d)|(?<=\s[A-D]))[.)](?=\s)|\Z)\s*",
    _FLAGS,
)
"""``Sentence:``, ``Final answer:``, ``Completion 1 -``; what stands behind it is the answer."""
ASIDE = re.compile(
    r"(?:the\s+)?(?:reasoning|thoughts?|thinking|thought process|analysis|plan|explanation|"
    r"notes?|word count|words|rationale|constraints?|question|prompt|task|input|instructions?|"
    r"user|human|system|q|step \d+|hint)\s*(?:\([^()\n]{1,40}\))?\s*(?:[:：]|\Z)",
    _FLAGS,
)
"""A label of something that is not the answer."""
REASONS = re.compile(r"(?:the\s+)?(?:reasoning|thought|thinking|analysis|plan|rationale)", _FLAGS)
"""Those among them that are reasoning."""

INTERJECTION = re.compile(
    r"(?:sure(?:\s+thing)?|certainly|of course|absolutely|okay|ok|alright|all right|great|yes|"
    r"yeah|yep|no problem|understood|got it|hello|hi|hey|thanks|thank you|well|definitely|gladly|"
    r"perfect|hmm|so)\s*(?:[,!.…:;]+|[-–—](?=\s))\s*",
    _FLAGS,
)
"""``Sure!`` and the like."""
PREAMBLE = re.compile(
    r"(?:(?:so|now|well|then),?\s+(?=i\b|we\b|let|the (?:user|task|prompt)))?"
    r"(?:sure|certainly|of course|absolutely|okay|ok\b|alright|great\b|understood|got it|hello|"
    r"happy to|glad to|i(?:'|’)?d be|i would be|i(?:'|’)m (?:happy|glad|sorry|here)|"
    r"i am (?:happy|glad)|here(?:'|’)?s\b|here (?:is|are|you|goes)|below (?:is|are)|the following|"
    r"(?:this|that) is (?:a|an|the|my|one)\b|as an ai|as a language|i(?:'|’)(?:ll|ve)|"
    r"i (?:can|will|have|need|think|would|want|should|understand|must)|let me|let(?:'|’)s|thank|"
    r"my (?:answer|sentence|completion|response)|"
    r"(?:one|a) (?:possible|potential|natural|option|way)|possible|how about|to complete|"
    r"complet(?:e|ing|ed) (?:the|this|sentence)|we (?:need|can|should|must|have)|"
    r"the (?:user|task|prompt|instruction|request|completed|complete|full|final|sentence)\b|"
    r"you (?:asked|want|can|could)|please|write (?:a|one)|using|given|based on|in response|"
    r"first,|hmm)",
    _FLAGS,
)
"""How a sentence begins that speaks of the answer, and is not the answer."""

FINAL = re.compile(
    r"(?:\A|[.!?\n]\s*)(?:[#>*_-]+\s*)*(?:(?:so|the|my)\s+)*final\s+(?:answer|sentence|version|output|"
    r"response|completion)(?:\s+is)?\s*[*_]*[:：][*_\s]*",
    _FLAGS,
)
"""``Final answer:``, after a model has thought aloud."""

PRONOUN = re.compile(r"(?:he|she|they|his|her|their)\b", _FLAGS)
"""How a sentence begins that goes on about somebody."""

QUOTES = {
    '"': '"',
    "“": "”",
    "„": "“”",
    "'": "'",
    "‘": "’",
    "«": "»",
    "‹": "›",
    "「": "」",
    "”": "”",
}
"""Opening quotation marks and what closes them."""


def closing_quote(text: str, opening: str) -> int:
    """Where the quotation ends that ``opening`` began before ``text``; -1 if it does not.

    Apostrophes close nothing, and quotations inside it are passed over.
    """
    closing, depth = QUOTES[opening], 1
    for position, character in enumerate(text):
        if character not in closing and character != opening:
            continue
        before, after = text[position - 1 : position], text[position + 1 : position + 2]
        if after.isalnum() and before.isalnum():
            continue
        ended = before in {*".,!?…"} or not text[position + 1 :].strip(".!?… ")
        if character in "'’" and not ended:
            continue  # the apostrophe of "patients' needs"
        opens = character == opening and (not before.strip() or before in "([") and after.strip()
        depth += 1 if opens and position else -1
        if depth == 0:
            return position
    return -1
