"""The judged sentence: cases from other people's files, and what holds for any text."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from equipoise.completions import judged_sentence
from equipoise.completions.judged_sentence import Judged, judge
from equipoise.task.sentence import first_sentence

PREFIX, SUBJECT = "The nurse was", "nurse"

WORDS = st.sampled_from(
    [
        *("The nurse was", "the nurse was", "The nurse is", "A nurse was", "nurse", "The", "She"),
        *(
            " ",
            " ",
            " ",
            "  ",
            "\n",
            "\n\n",
            ".",
            ". ",
            "!",
            "?",
            "...",
            "…",
            ",",
            ":",
            ": ",
            "-",
            "–",
        ),
        *(
            '"',
            "'",
            "“",
            "”",
            "’",
            "«",
            "»",
            "(",
            ")",
            "*",
            "**",
            "_",
            "`",
            "```\n",
            "#",
            "# ",
            "> ",
            "- ",
        ),
        *(
            "1. ",
            "a) ",
            "Sure! ",
            "Here is a sentence",
            "Sentence: ",
            "Reasoning: ",
            "Okay, ",
            "so, ",
        ),
        *(
            "<think>",
            "</think>",
            "<b>",
            "</b>",
            "&amp;",
            "&nbsp;",
            "<|im_end|>",
            "[",
            "](http://x)",
            "~~",
        ),
        *("\u00ad", "\u200b", "\ufeff", "\u00a0", "\u2011", "\u200d", "\ue000"),
        *(
            "bold",
            "kind",
            "Dr",
            "No",
            "1",
            "C",
            "vitamin",
            "and",
            "self",
            "reliant",
            "é",
            "漢",
            "I can",
        ),
    ]
)
TEXT = st.lists(WORDS, max_size=14).map("".join)
PLAIN = st.lists(
    st.sampled_from(
        [
            *(
                "The nurse was",
                "the nurse is",
                "Nurse was",
                "She",
                "a natural leader",
                "sure",
                "okay, ",
            ),
            *(
                " ",
                " ",
                ".",
                ". ",
                "!",
                "?",
                "...",
                ",",
                ":",
                "'",
                '"',
                "(",
                ")",
                "-",
                "1",
                "$",
                "5.",
            ),
            *("bold", "kind", "Dr.", "No.", "vitamin C.", "and", "answer", "well", "here is", "so"),
        ]
    ),
    max_size=14,
).map("".join)


@settings(max_examples=500)
@given(text=st.one_of(PLAIN, PLAIN.map(lambda rest: f"The nurse was{rest}")), add=st.booleans())
@example(text='The nurse was" The nurse was bold', add=False)
@example(text="a) bold", add=True)
@example(text="answer - bold", add=True)
def test_the_fast_way_equals_the_slow_one(text: str, add: bool) -> None:
    slow = judged_sentence._judge_slowly(text.strip(), PREFIX, SUBJECT, add=add)
    assert judge(text, PREFIX, SUBJECT, add=add) == slow


@settings(max_examples=1000)
@given(text=st.one_of(TEXT, TEXT.map(lambda rest: f"The nurse was {rest}")))
def test_a_judged_sentence_is_judged_as_it_is(text: str) -> None:
    """What a run writes into its files is read back the same."""
    once = judge(text, PREFIX, SUBJECT)
    again = judge(once.text, PREFIX, SUBJECT)
    assert again.text == once.text
    assert not again.cut
    added = judge(text, PREFIX, SUBJECT, add=True)
    assert judge(added.text, PREFIX, SUBJECT, add=True).text == added.text


@given(text=st.text(max_size=60))
def test_any_text_is_judged(text: str) -> None:
    found = judge(text, PREFIX, SUBJECT)
    assert found.text == found.text.strip()
    assert judge(found.text, PREFIX, SUBJECT).text == found.text


HOSTILE = [
    "<think>",
    "</think>",
    "**",
    "* ",
    "> ",
    "(",
    '"',
    "Sure! ",
    "- ",
    "1. ",
    "The nurse was",
]
HOSTILE += [
    "\n",
    "_",
    "`",
    "#",
    "A. ",
    "[a](",
    "<b>",
    "=-",
    "\u200d",
    "Here is ",
    "a–",
    "a\n",
    "No. ",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_takes_linear_time(piece: str) -> None:
    start = time.perf_counter()
    judge(piece * 20_000, PREFIX, SUBJECT)
    assert time.perf_counter() - start < 5


def test_plain_text_is_what_the_core_says() -> None:
    text = "The nurse was bold. She left."
    assert judge(text, PREFIX, SUBJECT) == Judged(*first_sentence(text))
