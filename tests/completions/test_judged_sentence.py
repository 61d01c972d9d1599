"""The judged sentence: cases from other people's files, and what holds for any text."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from equipoise.completions import judged_sentence
from equipoise.completions.judged_sentence import Judged, judge
from equipoise.task.prose import is_prose
from equipoise.task.sentence import first_sentence

PREFIX, SUBJECT = "The nurse was", "nurse"

PHRASES = [
    "The nurse was", "the nurse was", "The nurse is", "A nurse was", "nurse", "The", "She", "1. ",
    "a) ", "Sure! ", "So, ", "Here is a sentence", "Sentence: ", "Reasoning: ", "Okay, ", "bold",
    "kind", "Dr", "No", "1", "C", "vitamin", "and", "self", "I can",
]  # fmt: skip
MARKS = [
    *".!?…,:-–\"'“”’«»()*_`#>-[\n", " ", " ", " ", "  ", "\n\n", "...", "**", "](http://x)", "~~",
    "```\n", ". ", ": ", "# ", "> ", "- ", "<think>", "</think>", "<b>", "</b>", "&amp;", "&nbsp;",
    "<|im_end|>",
]  # fmt: skip
ODD = [*"\u00ad\u200b\ufeff\u00a0\u2011\u200d\ue000é漢"]
TEXT = st.lists(st.sampled_from([*PHRASES, *MARKS, *ODD]), max_size=14).map("".join)
PLAIN_PIECES = [
    "The nurse was", "the nurse is", "Nurse was", "She", "a natural leader", "sure", "okay, ",
    "bold", "kind", "Dr.", "No.", "vitamin C.", "and", "answer", "well", "here is", "so", "5.",
    *".!?,;:'\"()-1$’‘“”…—éÀ", "...", ". ", " ", " ",
]  # fmt: skip
PLAIN = st.lists(st.sampled_from(PLAIN_PIECES), max_size=14).map("".join)


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


PROSE = [
    "bold", "kind", "(12 words)", "(12", "words)", "[1]", "USER:", "Answer:", "Final answer:",
    "[INST]", "[EOS]", "[bold]", "assistant", "analysis", "bold¹", "a—b", "1.5", "St.", "“x”",
]  # fmt: skip

HOSTILE = [
    "<think>", "</think>", "**", "* ", "> ", "(", '"', "Sure! ", "- ", "1. ", "The nurse was", "\n",
    "USER: ", "user\n", "\\ab{", "\\n", "$", "Final answer: ", "(12 words", "🙂", "{", "¹", "A",
    "_", "`", "#", "A. ", "[a](", "<b>", "=-", "\u200d", "Here is ", "a–", "a\n", "No. ",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_takes_linear_time(piece: str) -> None:
    start = time.perf_counter()
    judge(piece * 20_000, PREFIX, SUBJECT)
    assert time.perf_counter() - start < 5


def test_plain_text_is_what_the_core_says() -> None:
    text = "The nurse was bold. She left."
    assert judge(text, PREFIX, SUBJECT) == Judged(*first_sentence(text))


@pytest.mark.parametrize("left", ["assistant", "model", "answer:", "output:", "Response"])
def test_what_is_left_of_a_chats_marks_is_no_sentence(left: str) -> None:
    found = judge(f"{left}\n\nThe nurse was bold and caring.", PREFIX, SUBJECT, add=True)
    assert found.text == "The nurse was bold and caring."
    assert "label" in found.cut
    alone = judge("a model", PREFIX, SUBJECT, add=True)  # goes on after the prefix
    assert alone.text == "The nurse was a model"


@pytest.mark.parametrize(
    ("text", "judged"),
    [
        ("nurse was bold and caring.", "The nurse was bold and caring."),
        ("was bold and caring.", "The nurse was bold and caring."),
        ("wasn't bold.", "The nurse was wasn't bold."),
        ("washed and bold.", "The nurse was washed and bold."),
        ("was", ""),
    ],
)
def test_the_end_of_a_prefix_is_not_put_twice(text: str, judged: str) -> None:
    assert judge(text, PREFIX, SUBJECT, add=True).text == judged


@pytest.mark.parametrize(
    "text",
    [
        "____ bold and caring.",
        "👉 bold and caring.",
        '{"completion": "bold and caring."}',
        "<|im_start|>assistant\nbold and caring.<|im_end|>",
        "[INST] The nurse was [/INST] bold and caring.",
        "user\n\nThe nurse was\nassistant\n\nbold and caring.",
    ],
)
def test_what_stands_around_a_continuation_is_no_part_of_it(text: str) -> None:
    assert judge(text, PREFIX, SUBJECT, add=True).text == "The nurse was bold and caring."


@settings(max_examples=300)
@given(words=st.lists(st.sampled_from(PROSE), max_size=8), end=st.sampled_from([".", "!", ")."]))
@example(words=["[INST]"], end=".")
def test_prose_is_judged_as_it_is(words: list[str], end: str) -> None:
    """Ctrl-G writes prose, and its guarantee is about what is judged."""
    text = f"{PREFIX} {' '.join(words)}{end}"
    if is_prose(text):
        assert judge(text, PREFIX, SUBJECT) == Judged(text, True)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("The kind nurse is bold.", "The … {subject} is …"),
        ("Nurses were bold.", "{subject}s were …"),
        ("Bold as ever.", "…"),
    ],
)
def test_other_forms_are_named(text: str, form: str) -> None:
    assert judge(text, PREFIX, SUBJECT).form == form
