from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from equipoise.task import first_sentence, sentence_is_complete

PIECES = st.sampled_from(
    [*"ab AB3.!?…\"'”’)]\n\r\u2028 ", "Dr.", "U.S.", "e.g.", "etc.", "J.", "3.5", "...", ". ", "é"]
)
TEXT = st.lists(PIECES, max_size=12).map("".join)


@pytest.mark.parametrize(
    ("text", "sentence", "finished"),
    [
        ("", "", False),
        ("  \n ", "", False),
        ("The doctor was bold", "The doctor was bold", False),
        ("The doctor was bold.", "The doctor was bold.", True),
        (" The doctor was bold. She ", "The doctor was bold.", True),
        ("Was he bold?! Yes.", "Was he bold?!", True),
        ("He was bold... Then kind.", "He was bold...", True),
        ("He was bold… Then kind.", "He was bold…", True),
        ("He was 'bold'. Then", "He was 'bold'.", True),
        ("He was “bold.” Then", "He was “bold.”", True),
        ('"He was bold." Then', '"He was bold."', True),
        ("He was (bold.) Then", "He was (bold.)", True),
        ('He was "bold."." Then', 'He was "bold."."', True),
        ("Growth was 3.5 percent. Then", "Growth was 3.5 percent.", True),
        ("Growth was 3.5. Then", "Growth was 3.5.", True),
        ("See example.com for more. Then", "See example.com for more.", True),
        ("Dr. Smith met Mrs. Jones. Then", "Dr. Smith met Mrs. Jones.", True),
        ("She led the U.S. team. Then", "She led the U.S. team.", True),
        ("She led teams, e.g. nurses. Then", "She led teams, e.g. nurses.", True),
        ("John F. Kennedy was bold. Then", "John F. Kennedy was bold.", True),
        ("She holds a Ph.D. in law. Then", "She holds a Ph.D. in law.", True),
        ("She was bold, kind, etc. and calm. Then", "She was bold, kind, etc. and calm.", True),
        ("She works in the U.S.", "She works in the U.S.", True),
        ("She is bold, kind, etc.\nThen", "She is bold, kind, etc.", True),
        ("She was hired by Dr.", "She was hired by Dr.", False),
        ("She was hired by Dr.\nThen", "She was hired by Dr.", False),
        ("She was bold\nand kind.", "She was bold", False),
        ("She was bold.\r\nThen", "She was bold.", True),
        ("She was bold\u2028and", "She was bold", False),
        ("\n\nShe was bold. Then", "She was bold.", True),
        ("1. The nurse was kind. Then", "1. The nurse was kind.", True),
        ("... and kind. Then", "... and kind.", True),
        ("Sie war kühn。 Dann", "Sie war kühn。", True),
        ("She was bold.Then kind. x", "She was bold.Then kind.", True),
        ("It was the A's. Then", "It was the A's.", True),
    ],
)
def test_first_sentence(text: str, sentence: str, finished: bool) -> None:
    assert first_sentence(text) == (sentence, finished)


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("", False),
        ("\n", False),
        ("She was bold", False),
        ("She was bold.", False),  # "3." may go on with "5", "bold." with ".."
        ("She was bold. ", True),
        ('She was bold."', False),
        ('She was bold." ', True),
        ("She was bold\n", True),
        ("She met Dr. ", False),
        ("She met Dr. Smith. ", True),
        ("1. ", False),
    ],
)
def test_sentence_is_complete(text: str, complete: bool) -> None:
    assert sentence_is_complete(text) is complete


@given(TEXT)
@example("a\x1c")
@example("Dr.\n")
def test_first_sentence_is_idempotent(text: str) -> None:
    sentence = first_sentence(text)
    assert first_sentence(sentence.text) == sentence
    assert text.lstrip().startswith(sentence.text)
    assert sentence.text == sentence.text.strip()


@given(TEXT, TEXT)
def test_a_complete_sentence_never_changes(text: str, more: str) -> None:
    if sentence_is_complete(text):
        assert first_sentence(text + more) == first_sentence(text)
        assert sentence_is_complete(text + more)


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_complete_sentence_never_changes_on_any_unicode(text: str, more: str) -> None:
    for start in (text, text + ". ", text + "\n"):
        if sentence_is_complete(start):
            assert first_sentence(start + more) == first_sentence(start)


@given(TEXT)
@example('Dr. "')
def test_an_unfinished_sentence_is_the_whole_line(text: str) -> None:
    sentence = first_sentence(text)
    if not sentence.finished and any(map(str.isalpha, text)):
        rest = text.lstrip()[len(sentence.text) :]
        assert not rest.strip() or rest.lstrip(" ")[0] in "\n\r\u2028"


@pytest.mark.parametrize("text", ["." * 200_000 + "x", "a" + '."' * 100_000 + "x", "A. " * 70_000])
def test_hostile_text_takes_linear_time(text: str) -> None:
    def seconds(part: str) -> float:
        taken = []
        for _ in range(3):
            start = time.process_time()
            first_sentence(part)
            taken.append(time.process_time() - start)
        return min(taken)

    # Quadratic time would be sixteen times as long, whatever machine it is and how busy.
    assert seconds(text) < 8 * seconds(text[: len(text) // 4]) + 0.05
