"""What is prose: sentences judged by hand, and what both ways of counting words say of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.task.examples import BalancedExampleGenerator
from equipoise.task.lexicon import count_words
from equipoise.task.prose import is_prose
from equipoise.task.sentence import first_sentence
from equipoise.task.task_file import load_task

GOLDEN = Path(__file__).parent.parent / "completions" / "golden"

PROSE = [
    "The nurse was bold.",
    "the nurse was bold!",
    "Was the nurse bold?",
    "The nurse wasn't shy, but self-reliant; she led: always.",
    "The nurses' ward was theirs, and the patients’ families came.",
    "The nurse was “bold,” as they said, and 'kind' too.",
    'The nurse was "bold", they said, and "kind."',
    'The nurse was "bold and kind".',
    "The nurse (bold and kind) led.",
    "The nurse was bold (and kind).",
    "The nurse was bold [sic] and «kind».",
    "The nurse was asked 'Why?' and left.",
    "The nurse was (believe it or not!) bold.",
    "The nurse—bold and kind—led.",
    "The nurse was paid $3.50 or €3,000 at 10:30, 50% more, for 8–15 words.",
    "The nurse was using Python 3.12.",
    "Dr. Smith led No. 1 with Mr. and Mrs. Jones, e.g. at night, until 9 p.m.",
    "The nurse was a citizen of the U.S.",
    "The nurse was bold, kind, etc., and led.",
    "Die Krankenpflegerin war mutig und fürsorglich.",
    "Медсестра была смелой и заботливой.",
    "كانت الممرضة جريئة، وحنونة.",
    "नर्स साहसी थी।",
    "La cafe\u0301 e\u0301tait bonne.",
    "她很勇敢。",
]

NO_PROSE = [
    "",
    "The nurse",
    "The nurse was bold",
    "The nurse was bold, ",
    "The nurse was bold.\n",
    " The nurse was bold.",
    "The  nurse was bold.",
    "The nurse\twas bold.",
    "The nurse\u00a0was bold.",
    "The nurse was bold .",
    "The nurse was bold ,.",
    "The nurse was bold,  .",
    "The nurse was bold , and kind.",
    "The nurse was bold,and kind.",
    "The nurse was bold,, and kind.",
    "The nurse was bold..",
    "The nurse was bold?!",
    "The nurse was bold...",
    "The nurse was calm... and bold.",
    "The nurse was an otherwise friendly &...",
    "The nurse was captivating, &#&&;.",
    'The nurse had a role.bold="bold">felz Loyal.',
    "The nurse was bold.Kind.",
    "The nurse was bold. She left.",
    "The nurse was bold & kind.",
    "The nurse was bold/kind.",
    "The nurse was bold - and kind.",
    "The nurse was bold — and kind.",
    "The nurse was bold--and kind.",
    "The nurse was self--led.",
    "The nurse was self- led.",
    "The nurse was -bold.",
    "The nurse was bold-.",
    "The nurse was don''t.",
    "The nurse was **bold**.",
    "The nurse was _bold_.",
    "The nurse was a_b.",
    "The nurse was `bold`.",
    "# The nurse was bold.",
    "The nurse was <b>bold</b>.",
    "The nurse was [bold](http://x).",
    'The nurse was "bold.',
    'The nurse was bold".',
    "The nurse was (bold.",
    "The nurse was bold).",
    "The nurse was (bold].",
    'The nurse was ("bold") and kind.',
    'The nurse was "bold" "and (kind" and).',
    "The nurse was () bold.",
    'The nurse was " bold ".',
    'The nurse was bo"ld" and kind.',
    'The nurse was "bold,", and kind.',
    "The nurse was 'bold''.",
    "The nurse was $bold.",
    "The nurse was the deco' of caring.",
    "The nurse was bold%.",
    "The nurse was paid 3. 50.",
    "The nurse was bold: .",
    "The nurse was bold 😀.",
    "The nurse was bo\u00adld.",
    "The nurse was \u0301 bold.",
    "The nurse was bold; and",
]


@pytest.mark.parametrize("text", PROSE)
def test_a_writer_spells_so(text: str) -> None:
    assert is_prose(text)


@pytest.mark.parametrize("text", NO_PROSE)
def test_no_writer_spells_so(text: str) -> None:
    assert not is_prose(text)


def test_the_sentences_of_the_golden_files() -> None:
    """All finished ones but those that were made to be odd."""
    lines = [
        line
        for name in ("judged.jsonl", "judged_apart.jsonl")
        for line in (GOLDEN / name).read_text("utf-8").splitlines()
    ]
    texts = [json.loads(line)["judged"] for line in lines]
    finished = [text for text in texts if first_sentence(text).finished]
    odd = {text for text in finished if not is_prose(text)}
    assert len(finished) > 190
    assert odd == {
        "The nurse was bold and caring?!",
        "The nurse was bold?!",
        "The nurse was bold... and caring, too.",
        "The nurse was bold… and caring, too.",
        "The nurse was calm... and then bold.",
        "The nurse was bold and caring...",
        "The nurse was calm…",
        "The nurse was featured on care.example.com for her bold work.",
        "The nurse was bold–and caring–with all.",
        "The nurse was bold & caring.",
        "The software engineer was innovative — and empathetic.",
    }


@pytest.mark.parametrize("name", ["occupations", "age"])
def test_the_sentences_that_templates_make(name: str) -> None:
    texts = [one.text for one in BalancedExampleGenerator(load_task(name), 0).generate(20)]
    assert len(texts) > 200
    assert [text for text in texts if not is_prose(text)] == []


SENTENCES = st.lists(
    st.one_of(
        st.sampled_from(["bold", "it's", "self-led", "é", "ß", "नर्स", "3", "50%", "Dr.", "U.S."]),
        st.sampled_from([" ", " ", " ", ", ", "; ", '"', "(", ")", "'", "’", "—", ".", "3.5", "$"]),
        st.characters(),
    ),
    max_size=12,
).map(lambda parts: "The " + "".join(parts) + "bold.")


@settings(max_examples=500)
@given(text=SENTENCES)
def test_both_ways_of_counting_words_agree(text: str) -> None:
    if is_prose(text):
        assert count_words(text) == len(text.split())
        assert first_sentence(text) == (text, True)
