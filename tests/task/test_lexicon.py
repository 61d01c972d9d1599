from __future__ import annotations

import unicodedata

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from equipoise.task import Hit, Lexicon, TermMatcher, count_words, words
from equipoise.task.lexicon import normal_words, normalise, term_key

TEXT = st.text(alphabet="aAbBéÉßİ 'ʼ’-‐‑–_.,3\u0301\n\u00a0", max_size=30)


def found(terms: list[str], text: str) -> list[str]:
    return [hit.term for hit in TermMatcher(terms).find(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("The doctor was bold.", ["The", "doctor", "was", "bold"]),
        ("self-reliant, doesn't; don’t", ["self-reliant", "doesn't", "don’t"]),
        ("bold--and 'kind'", ["bold", "and", "kind"]),
        ("café cafe\u0301 3.5 x_y", ["café", "cafe\u0301", "3", "5", "x_y"]),
        ("non‑breaking‐hyphen -x- 'tis", ["non‑breaking‐hyphen", "x", "tis"]),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert [match.group() for match in words(text)] == expected
    assert all(text[match.start() : match.end()] == match.group() for match in words(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        (" \n\t ", 0),
        ("The doctor was bold.", 4),
        ("self-reliant and well-liked", 3),
        ("bold – and kind", 3),  # the dash stands alone
        ("bold — kind - ... ! “ ”", 2),
        ("3.5 % of U.S. doctors", 4),
        ("naïve\u00a0élan", 2),  # a no-break space is whitespace
        ("a/b", 1),
    ],
)
def test_count_words(text: str, expected: int) -> None:
    assert count_words(text) == expected


@given(TEXT)
def test_count_words_equals_split_without_lone_punctuation(text: str) -> None:
    slow = [chunk for chunk in text.split() if regex.search(r"[\p{L}\p{N}]", chunk)]
    assert count_words(text) == len(slow)


@pytest.mark.parametrize(
    ("term", "text", "hit"),
    [
        ("decisive", "The doctor was indecisive.", False),
        ("friendly", "unfriendly", False),
        ("loyal", "disloyal", False),
        ("dominant", "predominantly", False),
        ("bold", "boldness", False),
        ("bold", "bold-looking", False),
        ("bold", "self-bold", False),
        ("bold", "bold's", False),
        ("bold", "Bold.", True),
        ("bold", "'bold',", True),
        ("bold", "*bold*", True),
        ("bold", "so bold—indeed", True),
        ("bold", "BOLD", True),
        ("self-reliant", "was self-reliant.", True),
        ("self-reliant", "was self‑reliant.", True),  # non-breaking hyphen
        ("self-reliant", "was self reliant.", False),
        ("reliant", "self-reliant", False),
        ("team player", "a team player, too", True),
        ("team player", "a team\n  player", True),
        ("team player", "a team, player", False),
        ("team player", "a dream team players", False),
        ("doesn't quit", "She doesn’t quit", True),
        ("kühn", "Sie war KÜHN.", True),
        ("ku\u0308hn", "kühn", True),
        ("groß", "GROSS", True),
        ("冷静", "她 冷静 地", True),
        ("fu", "fui", False),
        ("ambitio*", "ambitious", True),
        ("ambitio*", "AMBITION's", True),
        ("ambitio*", "ambitio", True),
        ("ambitio*", "ambitious-looking", True),
        ("ambitio*", "unambitious", False),
        ("ambitio*", "self-ambitious", False),
        ("ambitio*", "ambiti", False),
        ("self-relian*", "self‑reliance", True),
        ("self-relian*", "self reliant", False),
        ("team play*", "team  players", True),
        ("team play*", "team, players", False),
        ("team play*", "teams play", False),
        ("team play*", "team", False),
        ("stras*", "Straße", True),
        ("cafe*", "cafe\u0301", False),  # é is one letter
    ],
)
def test_whole_word_matching(term: str, text: str, hit: bool) -> None:
    assert found([term], text) == ([term] if hit else [])
    assert TermMatcher([term]).terms_in(text) == ([term] if hit else [])


def test_overlapping_terms_are_all_found_longest_first() -> None:
    text = "a Team player at work"
    assert TermMatcher(["player", "team", "team player", "player at"]).find(text) == [
        Hit("team player", 2, 13),
        Hit("team", 2, 6),
        Hit("player at", 7, 16),
        Hit("player", 7, 13),
    ]


def test_repeated_words_of_a_phrase() -> None:
    assert len(found(["so so"], "so so so")) == 2


def test_offsets_are_those_of_the_text_where_case_folding_changes_its_length() -> None:
    text = "İİß straße, BOLD"
    assert TermMatcher(["bold", "strasse"]).find(text) == [
        Hit("strasse", 4, 10),
        Hit("bold", 12, 16),
    ]


def test_of_terms_at_one_word_the_most_exact_comes_first() -> None:
    matcher = TermMatcher(["a*", "abl*", "able", "able*", "able b*"])
    assert matcher.terms_in("able") == ["able", "able*", "abl*", "a*"]
    assert matcher.terms_in("ably") == ["abl*", "a*"]
    assert matcher.find("able body")[0] == Hit("able b*", 0, 9)


STEMS = ["a*", "ab*", "A-b*", "a b*", "b a a*", "é*", "ss*"]


@given(
    st.lists(st.sampled_from(["a", "b", "a b", "b a a", "A-b", "é", "é a", *STEMS])),
    TEXT,
)
def test_find_equals_brute_force(terms: list[str], text: str) -> None:
    """Twin: at each run of words joined by whitespace, compare with every term."""
    spans = [match.span() for match in words(text)]
    slow = []
    for first in range(len(spans)):
        for last in reversed(range(first, len(spans))):
            gaps = [text[spans[i][1] : spans[i + 1][0]] for i in range(first, last)]
            if not all(gap.isspace() for gap in gaps):
                continue
            run = [normalise(text[start:end]) for start, end in spans[first : last + 1]]
            unique = {term_key(term): term for term in reversed(terms)}
            joined, at = " ".join(run), (spans[first][0], spans[last][1])
            if joined in unique:
                slow.append(Hit(unique[joined], *at))
            for length in reversed(range(len(joined) - len(run[-1]) + 1, len(joined) + 1)):
                if joined[:length] + "*" in unique:
                    slow.append(Hit(unique[joined[:length] + "*"], *at))
    matcher = TermMatcher(terms)
    assert matcher.find(text) == slow
    assert matcher.terms_in(text) == [hit.term for hit in slow]


@given(TEXT)
def test_ascii_and_unicode_paths_agree(text: str) -> None:
    plain = text.encode("ascii", "ignore").decode()
    assert normal_words(plain) == [normalise(match.group()) for match in words(plain)]


@given(st.text(max_size=20))
def test_normalise_is_idempotent_and_ignores_composition(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert normalise(unicodedata.normalize("NFD", text)) == normalise(
        unicodedata.normalize("NFC", text)
    )


def test_lexicon_terms() -> None:
    lexicon = Lexicon("agentic", ("bold",), ("active",))
    assert lexicon.terms("listed") == ("bold",)
    assert lexicon.terms("held_out") == ("active",)
    assert lexicon.terms("all") == ("bold", "active")
    assert lexicon.writable == ("bold",)
    assert lexicon.terms("wide") == ()
    assert Lexicon("agentic", ("bold",), ("active",), wide=("brave",)).terms("wide") == ("brave",)


def test_what_is_written_is_no_stem() -> None:
    assert Lexicon("x", ("bold*", "kind")).writable == ("kind",)
    assert Lexicon("x", ("bold*", "kind"), write=("boldly",)).writable == ("boldly",)
