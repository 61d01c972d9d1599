"""Terms taken away: what is left of the texts, token by token, and what a model then draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import pytest
import torch

from equipoise.decoding.sampler import sample
from equipoise.errors import EquipoiseError
from equipoise.methods.ctrlg.automaton import TokenAutomaton
from equipoise.methods.ctrlg.forbidding import Forbidding, forbidding
from equipoise.methods.ctrlg.states import ACCEPT, DEAD
from equipoise.methods.ctrlg.vocabulary import Vocabulary
from equipoise.model.draws import Question, Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.task.lexicon import TermMatcher
from methods.ctrlg.twins import vocabulary

TERMS = ("bold", "loyal friend", "self-reliant", "car*")
PREFIX = "The nurse was"
AUTOMATON = forbidding(TERMS, vocabulary(), [PREFIX, "She"])
STOP = min(vocabulary().stops)


def spellings(text: str) -> Iterator[list[int]]:
    """All ways to write ``text`` with tokens of the vocabulary."""
    if not text:
        yield []
    for token, piece in enumerate(vocabulary().pieces):
        if piece and text.startswith(piece):
            for rest in spellings(text[len(piece) :]):
                yield [token, *rest]


def reads(tokens: Sequence[int], automaton: TokenAutomaton = AUTOMATON) -> bool:
    """Whether a completion of the prefix may read ``tokens`` and end there."""
    state = automaton.run(automaton.starts[PREFIX], [*tokens, STOP])
    assert state in (ACCEPT, DEAD)
    return state == ACCEPT


@pytest.mark.parametrize(
    "text",
    [
        "",
        " bold",
        " bold.",
        " Bold",
        " BOLD!",
        " a loyal",
        " a loyal friend",
        " a loyal friendly",
        " loyal, friend",
        " bolder",
        " self-reliant",
        " self reliant",
        " care",
        " car",
        " scare",
        " it's a team",
        " no end at all",
        " Dr. e.g. kind",
    ],
)
def test_a_text_may_be_written_where_the_matcher_finds_no_term_in_it(text: str) -> None:
    found = [reads(tokens) for tokens in spellings(text)]
    assert found
    assert set(found) == {not TermMatcher(TERMS).find(PREFIX + text)}


def test_a_stem_is_not_even_begun_where_nothing_else_begins_so() -> None:
    """A word that is only a term so far may go on; one that no letter saves is excluded at once."""
    plain = vocabulary().spell(" bold")
    assert plain
    of_word = forbidding(["bold"], vocabulary(), [PREFIX])
    of_stem = forbidding(["bold*"], vocabulary(), [PREFIX])
    assert of_word.run(of_word.starts[PREFIX], plain) != DEAD
    assert of_stem.run(of_stem.starts[PREFIX], plain) == DEAD


def test_what_is_not_excluded_keeps_its_logit_and_a_cut_leaves_no_term() -> None:
    control = Forbidding(AUTOMATON, [PREFIX], max_tokens=4)
    control.allocate(2)
    control.start([0, 1], [0, 0])
    n = len(vocabulary().pieces)
    logits = torch.arange(2.0 * n).reshape(2, n)
    for step in range(4):
        adjusted, tokens = control.adjust(logits, [0, 1])
        assert tokens.tolist() == list(range(n))
        for token in range(n):
            state = AUTOMATON.run(AUTOMATON.starts[PREFIX], [*[_SPACE] * step, token])
            # To the end it takes so many tokens more; the cut stands for the one that stops.
            possible = 0 <= int(AUTOMATON.distances[state]) <= 4 - step
            assert (adjusted[0, token] == logits[0, token]) == possible
            assert possible or adjusted[0, token] == float("-inf")
        control.accept([0, 1], [_SPACE, _SPACE])
    control.keep([1])
    adjusted, _ = control.adjust(logits[1:], [0])  # it has ended: anything may be drawn
    assert torch.equal(adjusted, logits[1:])


_SPACE = next(token for token, piece in enumerate(vocabulary().pieces) if piece == " ")


def test_a_model_that_would_say_nothing_else_says_something_else(tiny_lm: LanguageModel) -> None:
    """With and without the control, 200 draws; the likeliest words are the forbidden ones."""
    free = [Question("Say it.", PREFIX, "nurse")]
    written = {(piece or "").strip() for piece in Vocabulary.of_model(tiny_lm).pieces}
    words = written - {"", *PREFIX.split()}
    longest = sorted(filter(str.isalpha, words), key=lambda word: (-len(word), word))[:30]
    stems = [f"{word}*" for word in longest]
    matcher = TermMatcher(stems)
    automaton = forbidding(stems, Vocabulary.of_model(tiny_lm), [PREFIX])
    control = Forbidding(automaton, [PREFIX], 12)
    sampling = Sampling(max_new_tokens=12)
    [plain] = tiny_lm.draw(free, [200], sampling, 1, decoder=sample)
    [taken] = tiny_lm.draw(free, [200], sampling, 1, decoder=partial(sample, control=control))
    assert sum(bool(matcher.find(draw.behind(PREFIX))) for draw in plain) > 20
    assert not any(matcher.find(draw.behind(PREFIX)) for draw in taken)
    assert len({draw.text for draw in taken}) > 100


def test_what_does_not_fit_into_memory_names_the_setting() -> None:
    with pytest.raises(EquipoiseError, match="forbidding 4 terms") as raised:
        forbidding(TERMS, vocabulary(), [PREFIX], memory_gb=1e-6)
    assert raised.value.field == "without_listed"
