"""Experts against a plain loop: full sequences, one at a time, three models."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from equipoise.decoding.experts import Companion, Experts
from equipoise.decoding.sampler import sample
from equipoise.model.draws import Prompt, Sampling
from equipoise.model.language_model import LanguageModel
from tiny_models import tiny_llama

PROMPTS = [Prompt((5, 6, 7), ""), Prompt((5, 6, 8, 9, 10), ""), Prompt((11,), "")]
COUNTS = [9, 4, 5]
SAMPLING = Sampling(max_new_tokens=7, batch_size=6, top_p=1.0)


def others(lm: LanguageModel, n: int) -> list[LanguageModel]:
    """Models of the same vocabulary."""
    rows = lm.output_rows
    return [
        LanguageModel(tiny_llama(rows, seed), lm.tokenizer, str(seed), lm.device, lm.dtype)
        for seed in range(1, n + 1)
    ]


class Checked(Experts):
    """Experts that compare what a token was drawn from with the definition."""

    def __init__(self, base: LanguageModel, models: Sequence[LanguageModel], alpha: float) -> None:
        companions = [Companion(lm, PROMPTS) for lm in models]
        super().__init__(alpha, companions[0], companions[1] if len(models) > 1 else None)
        self.models = [base, *models, base][:3]
        self.held: dict[int, list[int]] = {}
        self.found: dict[int, Tensor] = {}
        self.largest: list[float] = []

    def start(self, rows: Sequence[int], prompts: Sequence[int]) -> None:
        super().start(rows, prompts)
        self.held |= {r: list(PROMPTS[p].context) for r, p in zip(rows, prompts, strict=True)}

    def adjust(self, logits: Tensor, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
        adjusted, tokens = super().adjust(logits, rows)
        assert tokens.tolist() == list(range(logits.shape[-1]))
        self.found |= dict(zip(rows, adjusted, strict=True))
        return adjusted, tokens

    def accept(self, rows: Sequence[int], tokens: Sequence[int]) -> None:
        super().accept(rows, tokens)
        for row, token in zip(rows, tokens, strict=True):
            ids = torch.tensor([self.held[row]])
            z, liked, disliked = (lm.model(ids).logits[0, -1] for lm in self.models)
            wanted = z + self.alpha * (liked - disliked)
            self.largest.append(float((self.found[row] - wanted).abs().max()))
            self.held[row].append(token)

    def keep(self, rows: Sequence[int]) -> None:
        super().keep(rows)
        self.held = {new: self.held[old] for new, old in enumerate(rows)}


@pytest.mark.parametrize(("alpha", "n"), [(0.7, 1), (1.5, 2), (-1.0, 2)])
def test_every_token_is_drawn_from_the_definition(
    alpha: float, n: int, tiny_lm: LanguageModel
) -> None:
    """Rows are refilled and dropped on the way, so that each is at another position."""
    control = Checked(tiny_lm, others(tiny_lm, n), alpha)
    found = sample(tiny_lm, PROMPTS, COUNTS, SAMPLING, 7, control=control)
    assert [len(draws) for draws in found] == COUNTS
    assert len(control.largest) == sum(draw.tokens or 0 for draws in found for draw in draws)
    assert max(control.largest) < 1e-4


def test_each_model_computes_every_step_once(tiny_lm: LanguageModel) -> None:
    models = [tiny_lm, *others(tiny_lm, 2)]
    passes = [0, 0, 0]

    def counter(number: int) -> Callable[..., None]:
        def count(*_: object) -> None:
            passes[number] += 1

        return count

    hooks = [lm.model.register_forward_hook(counter(i)) for i, lm in enumerate(models)]
    control = Experts(1.0, *(Companion(lm, PROMPTS) for lm in models[1:]))
    sample(tiny_lm, PROMPTS, COUNTS, SAMPLING, 7, control=control)
    for hook in hooks:
        hook.remove()
    assert passes[0] == passes[1] == passes[2] > SAMPLING.max_new_tokens


def test_an_expert_alone_with_full_weight_is_the_expert(tiny_lm: LanguageModel) -> None:
    [expert] = others(tiny_lm, 1)
    greedy = SAMPLING.model_copy(update={"temperature": 0.0})
    control = Experts(1.0, Companion(expert, PROMPTS), None)
    steered = sample(tiny_lm, PROMPTS, [1, 1, 1], greedy, 7, control=control)
    assert steered == sample(expert, PROMPTS, [1, 1, 1], greedy, 7)
    assert steered != sample(tiny_lm, PROMPTS, [1, 1, 1], greedy, 7)
