"""The guide inside ``model.generate``."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from transformers import LogitsProcessorList

from equipoise.decoding.beam import beam_search
from equipoise.methods.ctrlg.automaton import TokenAutomaton, compile_constraint
from equipoise.methods.ctrlg.guide import Beginning, Guide
from equipoise.methods.ctrlg.lookahead import Lookahead
from equipoise.methods.ctrlg.processor import CtrlGProcessor
from equipoise.methods.ctrlg.states import ACCEPT
from equipoise.model.draws import Prompt
from equipoise.model.language_model import LanguageModel
from equipoise.task.constraint import Constraint
from equipoise.task.lexicon import Lexicon
from methods.ctrlg.twins import passes, random_hmm, vocabulary
from tiny_models import tiny_llama

SETS = {
    "agentic": Lexicon("agentic", ("bold", "decisive")),
    "communal": Lexicon("communal", ("caring", "helpful")),
}
CONSTRAINTS = {
    "all": Constraint(SETS, all_of=("{agentic}", "{communal}"), words=(5, 10)),
    "any": Constraint(SETS, any_of=("{agentic}", "team"), none_of=("is",), words=(3, 8)),
    "tight": Constraint(SETS, all_of=("bold",), words=(3, 3)),
}
PREFIX = "The nurse"
MAX_TOKENS = 16
END = min(vocabulary().stops)


@cache
def compiled(name: str) -> TokenAutomaton:
    return compile_constraint(CONSTRAINTS[name], vocabulary(), [PREFIX], max_tokens=MAX_TOKENS)


@cache
def lookahead(name: str) -> Lookahead:
    return Lookahead(random_hmm(4, len(vocabulary().pieces), 1), compiled(name), MAX_TOKENS)


def context() -> list[int]:
    return list(vocabulary().tokenizer(f"Say something.\n{PREFIX}")["input_ids"])


def beginning() -> Beginning:
    return Beginning(PREFIX, tuple(context()[-2:]))


def processor(name: str) -> CtrlGProcessor:
    return CtrlGProcessor(lookahead(name), beginning(), len(context()), END)


def generate(name: str, seed: int, **options: Any) -> list[list[int]]:
    """Completions of a tiny model, each up to its first end token."""
    torch.manual_seed(seed)
    inputs = torch.tensor([context()])
    output = tiny_llama(len(vocabulary().pieces), seed).generate(
        inputs,
        attention_mask=torch.ones_like(inputs),
        max_new_tokens=MAX_TOKENS,
        eos_token_id=sorted(vocabulary().stops),
        pad_token_id=END,
        logits_processor=LogitsProcessorList([processor(name)]),
        **options,
    )
    found = []
    for row in output[:, inputs.shape[1] :].tolist():
        ends = [i for i, token in enumerate(row) if token in vocabulary().stops]
        found.append(row[: ends[0] + 1] if ends else row)
    return found


def assert_passes(name: str, tokens: list[int]) -> None:
    text = PREFIX + vocabulary().tokenizer.decode(tokens, skip_special_tokens=True)
    assert passes(CONSTRAINTS[name], text), text
    # Only a text that is complete with its very last token has no room for an end token.
    assert tokens[-1] in vocabulary().stops or len(tokens) == MAX_TOKENS
    assert compiled(name).run(compiled(name).starts[PREFIX], tokens) == ACCEPT


@pytest.mark.parametrize("name", CONSTRAINTS)
@pytest.mark.parametrize("options", [{}, {"temperature": 0.5}, {"top_k": 3}, {"top_p": 0.8}])
def test_sampling(name: str, options: dict[str, Any]) -> None:
    completions = generate(name, 0, do_sample=True, num_return_sequences=20, **options)
    assert len(completions) == 20
    assert len(set(map(tuple, completions))) > 1
    for tokens in completions:
        assert_passes(name, tokens)


@pytest.mark.parametrize("name", CONSTRAINTS)
@pytest.mark.parametrize("seed", range(4))
def test_greedy_and_beams(name: str, seed: int) -> None:
    for options in (
        {"num_beams": 1},
        {"num_beams": 4},
        {"num_beams": 4, "num_return_sequences": 4},
        {"num_beams": 4, "early_stopping": True, "length_penalty": -1.0},
    ):
        for tokens in generate(name, seed, do_sample=False, **options):
            assert_passes(name, tokens)


def test_sampling_with_beams() -> None:
    for tokens in generate("all", 1, do_sample=True, num_beams=4, num_return_sequences=2):
        assert_passes("all", tokens)


def test_beams_where_hardly_any_text_is_possible() -> None:
    """Fewer texts than beams: the other beams hold what is excluded, at minus infinity."""
    constraint = Constraint(SETS, all_of=("bold",), words=(3, 3))
    automaton = compile_constraint(constraint, vocabulary(), [PREFIX], max_tokens=MAX_TOKENS)
    n_tokens = int(automaton.distances[automaton.starts[PREFIX]])
    hmm = random_hmm(4, len(vocabulary().pieces), 1)
    made = CtrlGProcessor(Lookahead(hmm, automaton, n_tokens), beginning(), len(context()), END)
    inputs = torch.tensor([context()])
    output = tiny_llama(len(vocabulary().pieces)).generate(
        inputs,
        attention_mask=torch.ones_like(inputs),
        do_sample=False,
        num_beams=8,
        max_new_tokens=n_tokens,
        eos_token_id=sorted(vocabulary().stops),
        pad_token_id=END,
        logits_processor=LogitsProcessorList([made]),
    )
    completion = output[0, inputs.shape[1] :]
    text = PREFIX + vocabulary().tokenizer.decode(completion, skip_special_tokens=True)
    assert passes(constraint, text), text


def plain_beams(name: str, lm: LanguageModel, n: int) -> list[tuple[int, ...]]:
    """Beam search as it is defined: every text read from its beginning, all tokens compared."""
    running: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    finished: list[tuple[float, tuple[int, ...]]] = []
    while running and not (len(finished) >= n and running[0][0] <= sorted(finished)[-n][0]):
        longer = []
        for score, text in running:
            guide = Guide(lookahead(name), [beginning()])
            guide.allocate(1)
            guide.start([0], [0])
            for token in text:
                guide.accept([0], [token])
            with torch.inference_mode():
                logits = lm.model(torch.tensor([[*context(), *text]])).logits[:, -1]
            values, tokens = guide.adjust(logits, [0])
            chances = values[0].log_softmax(-1).tolist()
            longer += [
                (score + p, (*text, t)) for p, t in zip(chances, tokens.tolist(), strict=True)
            ]
        longer.sort(reverse=True)
        start = compiled(name).starts[PREFIX]
        ended = [compiled(name).run(start, text) == ACCEPT for _, text in longer[: 2 * n]]
        finished += [one for one, over in zip(longer[:n], ended, strict=False) if over]
        running = [one for one, over in zip(longer[: 2 * n], ended, strict=True) if not over][:n]
        running = [one for one in running if one[0] > float("-inf")]
    return [text for _, text in sorted(finished, reverse=True)[:n]]


@pytest.mark.parametrize("name", CONSTRAINTS)
@pytest.mark.parametrize("seed", range(3))
def test_the_projects_own_beams(name: str, seed: int) -> None:
    """The best of transformers' is the same; others may differ, as it spends a beam on an end."""
    tokenizer = vocabulary().tokenizer
    model = tiny_llama(len(vocabulary().pieces), seed)
    lm = LanguageModel(model, tokenizer, "tiny", torch.device("cpu"), torch.float32)
    prompt = Prompt(tuple(context()), PREFIX)
    guide = Guide(lookahead(name), [beginning()])
    [draws] = beam_search(lm, [prompt], 5, MAX_TOKENS, control=guide)
    assert [draw.ids for draw in draws] == plain_beams(name, lm, 5)
    assert len(draws) == len({draw.ids for draw in draws}) == 5
    assert all(draw.ended and passes(CONSTRAINTS[name], PREFIX + draw.text) for draw in draws)
    [best] = generate(name, seed, do_sample=False, num_beams=5, length_penalty=0.0)
    assert draws[0].text == tokenizer.decode(best, skip_special_tokens=True)


def test_equals_the_guide() -> None:
    """On texts side by side, of which one is complete; asked about step by step."""
    encode = vocabulary().tokenizer
    texts = [
        encode(" was bold and caring.")["input_ids"],
        encode(" bold caring team.")["input_ids"],
    ]
    length = len(texts[0])
    texts[1] = [*texts[1], *[END] * length][:length]
    made, guide = processor("all"), Guide(lookahead("all"), [beginning()])
    guide.allocate(1)
    guide.start([0], [0])
    for n in range(length):
        ids = torch.tensor([context() + row[:n] for row in texts])
        scores = torch.randn(2, len(vocabulary().pieces))
        found = made(ids, scores)
        assert found.shape == scores.shape
        values, tokens = guide.adjust(scores[:1], [0])
        wanted = torch.full_like(scores[:1], float("-inf"))
        wanted[:, tokens] = values.log_softmax(-1)
        assert torch.allclose(found[:1], wanted, atol=1e-5)
        assert found.exp().sum(-1).tolist() == pytest.approx([1, 1], abs=1e-5)
        guide.accept([0], [texts[0][n]])


def test_a_text_that_is_out_of_time_gets_no_nan() -> None:
    """A beam at minus infinity may hold such a text, and a NaN would win every comparison."""
    tokens = vocabulary().tokenizer(" " + 14 * "a")["input_ids"]
    made = processor("all")
    for n in range(len(tokens)):
        found = made(torch.tensor([context() + tokens[:n]]), torch.zeros(1, 469))
        assert not bool(torch.isnan(found).any()), n


def test_a_complete_text_is_ended() -> None:
    tokens = vocabulary().tokenizer(" bold caring and every team. She")["input_ids"]
    state = compiled("all").starts[PREFIX]
    made = processor("all")
    for n, token in enumerate(tokens):
        found = made(torch.tensor([context() + tokens[:n]]), torch.zeros(1, 469))
        if state == ACCEPT:
            assert torch.isfinite(found).nonzero().tolist() == [[0, END]]
        state = compiled("all").run(state, [token])
    assert state == ACCEPT
