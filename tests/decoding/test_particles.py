"""Sequential Monte Carlo against enumeration: the model's own conditional distribution."""

from __future__ import annotations

import math
from collections import Counter
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models

from equipoise.decoding.nucleus import sample_tokens, sample_weighed
from equipoise.decoding.particles import sample_particles, systematic
from equipoise.methods.ctrlg.automaton import TokenAutomaton
from equipoise.methods.ctrlg.guide import Beginning, TwistedGuide
from equipoise.methods.ctrlg.lookahead import Lookahead
from equipoise.methods.ctrlg.states import ACCEPT, DEAD
from equipoise.model.draws import Prompt, Sampling
from equipoise.model.language_model import LanguageModel
from methods.ctrlg.twins import random_hmm
from tiny_models import tiny_llama, wrap_tokenizer

LENGTH = 5
CONTEXTS = ((1, 3), (4, 2, 2))
Text = tuple[int, ...]


@pytest.fixture(scope="module")
def lm() -> LanguageModel:
    """A model of five tokens: the end, and the letters a to d."""
    names = ["<|endoftext|>", "a", "b", "c", "d"]
    tokenizer = Tokenizer(models.WordLevel({name: i for i, name in enumerate(names)}, "a"))
    tokenizer.decoder = decoders.Fuse()
    model = tiny_llama(len(names), seed=2)
    device = torch.device("cpu")
    return LanguageModel(
        model, wrap_tokenizer(tokenizer, chat=False), "five", device, torch.float32
    )


def both_letters() -> TokenAutomaton:
    """Texts that hold an a and a b before they end."""
    table = np.array(
        [
            [DEAD] * 5,
            [ACCEPT] * 5,
            [DEAD, 3, 4, 2, 2],
            [DEAD, 3, 5, 3, 3],
            [DEAD, 5, 4, 4, 4],
            [ACCEPT, 5, 5, 5, 5],
        ]
    )
    distances = np.array([-1, 0, 3, 2, 2, 1])
    return TokenAutomaton(
        table.astype(np.int32), np.arange(5, dtype=np.int32), {"": 2}, distances.astype(np.int32)
    )


def twist(seed: int = 3) -> TwistedGuide:
    """A guide whose HMM has nothing to do with the model."""
    lookahead = Lookahead(random_hmm(3, 5, seed), both_letters(), LENGTH)
    return TwistedGuide(lookahead, [Beginning("", ()) for _ in CONTEXTS])


@torch.no_grad()
def conditional(lm: LanguageModel, context: Text, temperature: float = 1.0) -> dict[Text, float]:
    """The model's distribution of accepted texts, by enumeration."""
    automaton, found = both_letters(), {}
    for n in range(LENGTH):
        for letters in product(range(1, 5), repeat=n):
            text = (*letters, 0)
            if automaton.run(2, text) == ACCEPT:
                logits = lm.model(torch.tensor([[*context, *text]])).logits[0].double()
                chances = (logits / temperature).log_softmax(-1)
                places = range(len(context) - 1, len(context) + n)
                found[text] = math.exp(
                    sum(float(chances[p, t]) for p, t in zip(places, text, strict=True))
                )
    total = sum(found.values())
    return {text: p / total for text, p in found.items()}


def distance(found: Counter[Text], wanted: dict[Text, float]) -> float:
    """Total variation between a sample and a distribution, 0-1."""
    n = sum(found.values())
    assert found.keys() <= wanted.keys(), "every text is accepted"
    return 0.5 * sum(abs(found[text] / n - p) for text, p in wanted.items())


def drawn(lm: LanguageModel, particles: int, n: int, temperature: float) -> Counter[Text]:
    """How often each text was drawn after the second context."""
    prompts = [Prompt(context, "") for context in CONTEXTS]
    sampling = Sampling(top_p=1.0, max_new_tokens=LENGTH, batch_size=8000, temperature=temperature)
    draws = sample_particles(lm, prompts, [0, n], sampling, 1, particles, twist())
    return Counter(draw.ids for draw in draws[1])


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_the_more_particles_the_nearer_to_the_conditional_distribution(
    lm: LanguageModel, temperature: float
) -> None:
    n, wanted = 800, conditional(lm, CONTEXTS[1], temperature)
    one, few, many = (
        distance(drawn(lm, particles, n, temperature), wanted) for particles in (1, 4, 16)
    )
    # What as many texts of the distribution itself are away from it.
    sizes = np.random.default_rng(0).multinomial(n, list(wanted.values()))
    least = distance(Counter(dict(zip(wanted, map(int, sizes), strict=True))), wanted)
    assert one > 0.5, "the guide alone says something else"
    assert few < 0.75 * one
    assert many < 0.65 * few
    assert temperature < 1 or many < least + 0.06


def test_batches_are_whole_groups_and_the_seed_decides(lm: LanguageModel) -> None:
    """However few rows there is room for, every group has all of its particles."""
    prompts, sampling = [Prompt(c, "") for c in CONTEXTS], Sampling(max_new_tokens=5, batch_size=7)

    def draws(seed: int) -> list[list[Text]]:
        found = sample_particles(lm, prompts, [5, 2], sampling, seed, 3, twist())
        for of_prompt in found:
            for draw in of_prompt:
                assert len(draw.earlier) == 2, "the other particles"
                assert draw.ended
                assert draw.tokens == len(draw.ids)
                assert all(both_letters().run(2, one.ids) == ACCEPT for one in draw.earlier)
        return [[draw.ids for draw in of_prompt] for of_prompt in found]

    assert [len(of_prompt) for of_prompt in draws(1)] == [5, 2]
    assert draws(1) == draws(1) != draws(2)
    assert sample_particles(lm, prompts, [0, 0], sampling, 1, 3, twist()) == [[], []]
    reported: list[int] = []
    sample_particles(lm, prompts, [5, 2], sampling, 1, 20, twist(), reported.append)
    assert sum(reported) == 7


def test_hopes_are_those_of_the_weights() -> None:
    """What a token was promised is what its logit was raised by, up to a constant."""
    guide = twist()
    guide.allocate(5)
    guide.start(range(5), [0] * 5)
    for row in range(5):
        guide.accept([row], [1])
    raised, tokens = guide.adjust(torch.zeros(5, 5), range(5))
    tokens = tokens.tolist()
    guide.accept(range(len(tokens)), tokens)
    possible = raised[0].isfinite()
    gap = guide.hopes[: len(tokens)][possible] - raised[0].double()[possible]
    torch.testing.assert_close(gap, gap[:1].expand_as(gap), rtol=1e-5, atol=1e-5)
    assert torch.equal(guide.hopes[: len(tokens)].isfinite(), possible)


@pytest.mark.parametrize(
    ("temperature", "top_p", "top_k"), [(1.0, 1.0, 0), (0.6, 0.8, 0), (1.5, 0.5, 0), (1.0, 0.9, 3)]
)
def test_how_likely_a_token_was_drawn(temperature: float, top_p: float, top_k: int) -> None:
    """Against the definition of the nucleus, of 300 draws."""
    logits = torch.randn(4, 900, generator=torch.Generator().manual_seed(0))
    logits[:, ::3] = -math.inf
    how = {"temperature": temperature, "top_p": top_p, "top_k": top_k}
    for row in logits:
        chances = (row.double() / temperature).softmax(0)
        order = chances.argsort(descending=True, stable=True)[: top_k or None]
        kept = chances[order] / chances[order].sum()
        inside = kept.cumsum(0) - kept < top_p
        nucleus, likely = order[inside], kept[inside] / kept[inside].sum()
        expected = dict(zip(nucleus.tolist(), likely.log().tolist(), strict=True))
        generators = [torch.Generator().manual_seed(1) for _ in range(2)]
        drawn, found = sample_weighed(row.expand(300, -1), **how, generator=generators[0])
        assert found.tolist() == pytest.approx([expected[t] for t in drawn.tolist()], abs=1e-4)
        plain = sample_tokens(row.expand(300, -1), **how, generator=generators[1])
        assert drawn.tolist() == plain.tolist()


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12), st.integers(0, 2**31))
def test_children_are_as_many_as_shares_say(values: list[float], seed: int) -> None:
    shares = torch.tensor(values, dtype=torch.float64) + 1e-9
    shares = shares / shares.sum()
    parents = systematic(shares, torch.Generator().manual_seed(seed))
    for k, share in enumerate(shares.tolist()):
        children = parents.count(k)
        assert abs(children - share * len(values)) < 1 + 1e-6
        assert children == 0 or parents[k] == k, "whoever has children stays where it is"
