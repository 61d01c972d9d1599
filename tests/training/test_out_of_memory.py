from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from equipoise.errors import EquipoiseError
from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import TokenSequence
from training.runs import Run, Weights
from training.twins import difference, make_examples, same

OPTIONS: dict[str, Any] = {"epochs": 2, "batch_size": 16, "grad_accum_steps": 1}


def cuda_error() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def real_cpu_error() -> None:
    torch.empty(1 << 60, dtype=torch.uint8)


def python_error() -> None:
    raise MemoryError


def n_sequences(tokens: torch.Tensor) -> int:
    """How many of `make_examples` are among ``tokens``, told by their first targets."""
    return int(((tokens >= 100) & (tokens < 200)).sum())


def limit_forward(model: nn.Module, limit: int, fail: Callable[[], None]) -> list[int]:
    """Let ``model`` fail on more than ``limit`` sequences; the sizes it was tried with."""
    tried: list[int] = []

    def check(module: nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        tried.append(n_sequences(kwargs["input_ids"]))
        if tried[-1] > limit:
            fail()

    model.register_forward_pre_hook(check, with_kwargs=True)
    return tried


@pytest.mark.parametrize("fail", [cuda_error, real_cpu_error, python_error])
def test_memory_runs_out_in_the_forward_pass(
    run: Run,
    fresh_tiny_lm: Callable[[], LanguageModel],
    start: Weights,
    fail: Callable[[], None],
) -> None:
    examples = make_examples(37)
    expected = run(examples, **OPTIONS)
    lm = fresh_tiny_lm()
    tried = limit_forward(lm.model, 5, fail)
    found = run(examples, lm=lm, **OPTIONS)
    assert difference(start, expected) > 0.1
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], rtol=0, atol=2e-6)
    assert max(tried) == 16
    assert "16 sequences" in run.said[0]
    assert "going on with at most 8" in run.said[0]
    assert "8 sequences" in run.said[1]
    assert "going on with at most 4" in run.said[1]
    assert all("effective batch stays the same" in sentence for sentence in run.said)


def test_what_did_not_fit_is_not_tried_again(
    run: Run, fresh_tiny_lm: Callable[[], LanguageModel]
) -> None:
    lm = fresh_tiny_lm()
    tried = limit_forward(lm.model, 5, cuda_error)
    run(make_examples(37), lm=lm, **OPTIONS)
    # 16, then 8, then 4 fits and stays. 37 = 16 + 16 + 5, twice.
    assert tried == [16, 8, 4, 4, 4, 4, 4, 4, 4, 4, 4, 1] + [4] * 8 + [4, 1]
    assert len(run.said) == 2


@pytest.mark.parametrize("fail", [cuda_error, real_cpu_error])
def test_memory_runs_out_in_the_backward_pass_after_gradients_were_added(
    run: Run, fresh_tiny_lm: Callable[[], LanguageModel], fail: Callable[[], None]
) -> None:
    examples = make_examples(37)
    options = {"epochs": 2, "batch_size": 4, "grad_accum_steps": 4}
    expected = run(examples, **options)
    lm = fresh_tiny_lm()
    backward: list[int] = []

    def watch(module: nn.Module, args: Any, output: torch.Tensor) -> None:
        def check(gradient: torch.Tensor) -> None:
            backward.append(len(backward))
            if len(backward) == 7:  # the third micro-batch of the second update
                fail()

        if output.requires_grad:
            output.register_hook(check)

    lm.model.get_input_embeddings().register_forward_hook(watch)
    found = run(examples, lm=lm, **options)
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], rtol=0, atol=2e-6)
    assert [
        s for s in run.said if "4 sequences" in s and "going on with at most 2" in s
    ] == run.said
    assert len(backward) > 7


def test_one_sequence_that_does_not_fit_is_an_error_with_a_hint(
    run: Run, fresh_tiny_lm: Callable[[], LanguageModel], examples: list[TokenSequence]
) -> None:
    lm = fresh_tiny_lm()
    tried = limit_forward(lm.model, 0, cuda_error)
    with pytest.raises(EquipoiseError, match="out of memory with 1 sequence") as caught:
        run(examples, lm=lm, **OPTIONS)
    assert tried == [16, 8, 4, 2, 1]
    assert "batch_size" in str(caught.value)


def test_other_errors_are_not_taken_for_it(
    run: Run, fresh_tiny_lm: Callable[[], LanguageModel], examples: list[TokenSequence]
) -> None:
    def fail() -> None:
        raise RuntimeError("shapes do not match")

    lm = fresh_tiny_lm()
    tried = limit_forward(lm.model, 5, fail)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        run(examples, lm=lm, **OPTIONS)
    assert tried == [16]


def test_memory_runs_out_in_the_evaluation(
    run: Run, fresh_tiny_lm: Callable[[], LanguageModel]
) -> None:
    """Validation sentences may be longer than any training sentence."""
    examples, unseen = make_examples(4), make_examples(9, seed=9)
    options = {"max_steps": 1, "batch_size": 8, "grad_accum_steps": 1}
    expected = run(examples, eval_examples=unseen, **options)
    wanted = run.record.eval_loss if run.record else None
    lm = fresh_tiny_lm()
    limit_forward(lm.model, 5, cuda_error)
    found = run(examples, lm=lm, eval_examples=unseen, **options)
    assert same(found, expected)
    assert run.record is not None
    assert run.record.eval_loss == pytest.approx(wanted, rel=1e-5)
    assert len(run.said) == 1
