"""What the automaton accepts, the checker accepts; what it refuses beyond that is stated here."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from equipoise.completions.judged_sentence import judge
from equipoise.methods.ctrlg.states import ACCEPT
from equipoise.methods.ctrlg.text_automaton import TextAutomaton, text_automaton
from equipoise.task.abbreviations import ABBREVIATIONS, CONTEXTUAL, is_abbreviation
from equipoise.task.constraint import Constraint
from equipoise.task.lexicon import Lexicon
from equipoise.task.prose import is_prose
from equipoise.task.sentence import first_sentence, sentence_is_complete

PIECES = [
    *("bold", "Bold", "BOLD", "self-led", "straße", "STRASSE", "note", "élan", "ÉLAN", "on'e"),
    *("on’e", "self‑led", "bold note", "no", "to no", "do", "so", "is", "indecision", "bold-ish"),
    *(" ", " ", " ", " ", "  ", "\n", "\t", ".", ".", "!", "?", "...", "…", '."', ".)", "-", "--"),
    *(
        "'",
        ",",
        ";",
        "Dr.",
        "Dr",
        "e.g.",
        "e.g",
        "P.S.",
        "X.",
        "1.5",
        "1",
        "_",
        "9.",
        "Sr.",
        "etc.",
        "no.",
        "No",
        "ft.",
        "C.",
        "…",
        "*",
        "**",
        ".**",
        '!"',
        "–",
        "&",
        "&amp;",
        "](http://x)",
        "[",
        "`",
        "_",
        "~~",
        "<b>",
        "\u00ad",
    ),
]
CHARACTERS = (
    "".join(PIECES) + "–&;#[](<~*`abcdefghiklnorstuvwABDEGILNOPSTUXß é'’-‑_19.!?…,\"”)\n\t;É"
)

SETS = {
    "one": Lexicon("one", ("bold", "self-led", "straße")),
    "two": Lexicon("two", ("note", "bold note", "élan", "on'e")),
}

CONSTRAINTS = {
    "and": Constraint(SETS, all_of=("{one}", "{two}"), words=(3, 6)),
    "or": Constraint(SETS, any_of=("{one}", "no"), words=(2, 5)),
    "none": Constraint(SETS, none_of=("{one}", "to no"), words=(1, 4)),
    "mixed": Constraint(SETS, all_of=("{one}",), any_of=("do", "so"), none_of=("is",)),
}

PREFIXES = ("", "A ", "The", "Bold", "It is")

AUTOMATA = {
    name: text_automaton(constraint, CHARACTERS, PREFIXES, prose=False)
    for name, constraint in CONSTRAINTS.items()
}

WORDS = [
    *("bold", "Bold", "self-led", "straße", "note", "bold note", "élan", "ÉLAN", "on'e", "on’e"),
    *("no", "to", "do", "so", "is", "the", "nurses’", "1.5", "9", "$3", "50%", "8–15", "3,000"),
    *("bold,", "note;", "so:", "9,", '"bold', 'note"', 'is,"', '"do"', '"so",', "(bold", "is)"),
    *("(no)", "bold—so", "Dr.", "e.g.", "etc.", 'is."', "so?", "so...", "‘do’", "“so”", "'is'"),
    *("-", "—", "&", "**bold**", "no no", "", ",", "bold.The", "it's", "so,,", "«do»"),
]

PROSE = {
    name: text_automaton(constraint, CHARACTERS + "".join(WORDS), PREFIXES)
    for name, constraint in CONSTRAINTS.items()
}

texts = st.lists(st.one_of(st.sampled_from(PIECES), st.sampled_from(CHARACTERS))).map("".join)
CASES = [(name, prefix) for name in CONSTRAINTS for prefix in PREFIXES]


def accepts(automaton: TextAutomaton, prefix: str, text: str) -> bool:
    """Whether ``text`` is accepted if it ends there."""
    state = automaton.run(automaton.starts[prefix], text)
    return state == ACCEPT or bool(automaton.may_stop[state])


def checker_accepts(constraint: Constraint, text: str) -> bool:
    sentence = first_sentence(text)
    return sentence.finished and constraint.check(sentence.text).satisfied


def is_left_out(text: str) -> bool:
    """Whether ``text`` has a full stop that the automaton does not write."""
    abbreviations = "|".join(map(re.escape, sorted(ABBREVIATIONS | CONTEXTUAL)))
    stop = rf"(?<![^\W_])\d*(?:[^\W\d_]|{abbreviations}|[^\W_]+[*_~`]*\.[^\W_.]+)[*_~`]*\."
    pause = r"""(?:(?:\.\.|…)[.…]*|[.!?…][\"'”’»›)\]}*_~`]+)[^\S\n]"""
    markup = r"[<\u00ad]|&[^\W_#]|&#|\]\(|[^\W_]–[^\W\d_]"
    return bool(re.search(f"{stop}|{pause}|{markup}", text))


@pytest.mark.parametrize(("name", "prefix"), CASES)
@settings(max_examples=400)
@given(text=texts)
@example(text=" bold note.")
@example(text=" was self-led, on'e bold note!")
@example(text="bold. The note")
@example(text=" bold note is 1.5. No")
@example(text='!Lt."bold.')
@example(text="boldbold…. ")
def test_accepts_what_the_checker_accepts(name: str, prefix: str, text: str) -> None:
    found = accepts(AUTOMATA[name], prefix, text)
    wanted = checker_accepts(CONSTRAINTS[name], prefix + text)
    if found:
        assert wanted
    elif wanted:
        emphasised = bool(CONSTRAINTS[name].none_of) and re.search(r"[*_~`]", text)
        assert is_left_out(prefix + text) or emphasised or "\n" in (prefix + text).strip()


@pytest.mark.parametrize(("name", "prefix"), CASES)
@given(text=texts, more=texts)
def test_what_is_accepted_stays_so(name: str, prefix: str, text: str, more: str) -> None:
    """Once accepted, decoding has stopped: nothing that follows changes the judged sentence."""
    automaton = AUTOMATA[name]
    if automaton.run(automaton.starts[prefix], text) == ACCEPT:
        assert sentence_is_complete(prefix + text)
        assert checker_accepts(CONSTRAINTS[name], prefix + text + more)
        assert automaton.run(automaton.starts[prefix], text + more) == ACCEPT


def is_written(text: str) -> bool:
    """What Ctrl-G writes of prose: the mark comes last, and two kinds of pair are opened."""
    marks = re.sub(r"(?<=\d)\.(?=\d)", "", text)
    last = re.search(r"([^\W_]+(?:\.[^\W_]+)*)\.\Z", text)
    after_abbreviation = last and ("." in last[1] or is_abbreviation(last[1]))
    elsewhere = re.search(r"[.!?](?!\Z)", marks) or re.search(r"[“”‘«»\[\]]|(?<!\S)'", text)
    return not (after_abbreviation or elsewhere)


def is_written_prose(constraint: Constraint, text: str) -> bool:
    sentence = first_sentence(text).text
    return checker_accepts(constraint, text) and is_prose(sentence) and is_written(sentence)


@pytest.mark.parametrize("name", CONSTRAINTS)
@settings(max_examples=400)
@given(
    prefix=st.sampled_from(PREFIXES),
    text=st.one_of(
        texts,
        st.tuples(st.lists(st.sampled_from(WORDS)).map(" ".join), st.sampled_from(PIECES)).map(
            lambda parts: f" {parts[0]}{parts[1]}"
        ),
        st.lists(st.sampled_from(WORDS)).map(lambda words: f" {' '.join(words)}."),
    ),
)
@example(prefix="The", text=' self-led, "bold" (on\'e) note!')
@example(prefix="The", text=" bold note. The &")
@example(prefix="It is", text=" bold note so.\n")
@example(prefix="", text=" 9Sr.")
def test_prose_is_accepted_if_and_only_if_the_checkers_accept_it(
    name: str, prefix: str, text: str
) -> None:
    wanted = is_written_prose(CONSTRAINTS[name], prefix + text)
    assert accepts(PROSE[name], prefix, text) == wanted


def test_every_short_text_is_accepted_if_it_is_prose() -> None:
    """All texts of up to four characters of the kinds that prose tells apart, inside a sentence."""
    anything = Constraint({})
    automaton = text_automaton(anything, "Soasb0 \"().,;-'%$–&*!", ["So "])
    seen = {True: 0, False: 0}
    for length in range(5):
        for letters in product("as0 \"(),-'%", repeat=length):
            text = f"{''.join(letters)}b."
            wanted = is_written_prose(anything, f"So {text}")
            assert accepts(automaton, "So ", text) == wanted, text
            seen[wanted] += 1
    assert min(seen.values()) > 200, seen


def test_pairs_that_a_prefix_opens_are_closed() -> None:
    automaton = text_automaton(Constraint({}), "Ssobld ”“.", ["So “bold", "So bold"])
    assert accepts(automaton, "So “bold", " so”.")
    assert not accepts(automaton, "So “bold", " so.")
    assert not accepts(automaton, "So bold", " so”.")


@pytest.mark.parametrize("name", CONSTRAINTS)
@settings(max_examples=400)
@given(text=texts)
@example(text=" **bold** note.")
@example(text=" _bold_ – note.**")
def test_what_is_accepted_is_so_once_it_is_judged(name: str, text: str) -> None:
    """Judging takes Markdown and the like away: the guarantee is of what is left."""
    automaton = AUTOMATA[name]
    state = automaton.starts["It is"]
    for end, character in enumerate(text):
        if state == ACCEPT:
            text = text[:end]
            break
        state = automaton.run(state, character)
    if state == ACCEPT or automaton.may_stop[state]:
        judged = judge("It is" + text, "It is")
        assert CONSTRAINTS[name].check(judged.text).satisfied, judged


def test_a_term_ends_at_the_end_of_its_word() -> None:
    automaton = AUTOMATA["or"]
    assert accepts(automaton, "", "The bold.")
    for text in ("The boldness.", "The bold-note.", "The bold_.", "The bold1.", "The on'bold."):
        assert not accepts(automaton, "", text), text
    assert accepts(automaton, "", "The bold-.")
    assert accepts(automaton, "", "The bold' is.")


def test_a_character_never_seen_leads_nowhere() -> None:
    automaton = AUTOMATA["or"]
    assert not accepts(automaton, "", "The bold 漢.")
    assert not accepts(automaton, "", "The bold e\u0301.")


TERM = st.builds(
    lambda words, star: " ".join(words) + star,
    st.lists(st.sampled_from(["a", "b", "ab", "ba", "a-b", "ss", "aß"]), min_size=1, max_size=2),
    st.sampled_from(["", "*"]),
)
TERMS = st.lists(TERM, min_size=1, max_size=4, unique=True).map(tuple)


@settings(max_examples=300)
@given(
    one=TERMS,
    two=TERMS,
    clause=st.sampled_from(["all_of", "any_of", "none_of"]),
    tries=st.lists(st.lists(st.sampled_from(["a", "b", "ß", "c", "ﬂ", "ﬆ", *" -'s"])).map("".join)),
)
@example(one=("a*",), two=("b",), clause="all_of", tries=["ac-c' b", "b ac b", "ca b", "a-ﬂ b"])
@example(one=("a ss*",), two=("s*",), clause="none_of", tries=["a ß", "ﬆ", "a sﬂ", "cs"])
def test_stems_are_accepted_where_the_checker_finds_them(
    one: tuple[str, ...], two: tuple[str, ...], clause: str, tries: list[str]
) -> None:
    """Random stems and texts: both sides agree on each, in either direction."""
    sets = {"one": Lexicon("one", one), "two": Lexicon("two", two)}
    constraint = Constraint(sets, **{clause: ("{one}", "{two}")}, words=(1, 20))
    automaton = text_automaton(constraint, "abßcsﬂﬆ -'.Now", ["", "No"], prose=False)
    for text in tries:
        for prefix in ("", "No"):
            sentence = f"{text} so so."
            wanted = checker_accepts(constraint, prefix + sentence)
            assert accepts(automaton, prefix, sentence) == wanted, (prefix, sentence)
