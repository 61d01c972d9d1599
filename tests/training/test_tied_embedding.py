"""Rows added in place are the gradient that PyTorch's two dense matrices give."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import nullcontext

import pytest
import torch
from torch import Tensor, nn

from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import PrefixTree, node_states, target_log_probabilities
from equipoise.training.tied_embedding import rows_added
from training.twins import make_examples

Model = Callable[[], LanguageModel]


@pytest.fixture
def tied(fresh_tiny_lm: Model) -> nn.Module:
    """A model with one matrix for both, one of whose tokens is padding."""
    model = fresh_tiny_lm().model
    embedding = model.get_input_embeddings()
    model.get_output_embeddings().weight = embedding.weight
    embedding.padding_idx = make_examples(1)[0].tokens[0]
    return model  # type: ignore[no-any-return]


def gradients(model: nn.Module, *, quick: bool, logits: bool = True) -> dict[str, Tensor]:
    """After two micro-batches, of which one holds tokens twice."""
    model = copy.deepcopy(model)
    with rows_added(model) if quick else nullcontext():
        for examples in (make_examples(6), make_examples(3)):
            tree = PrefixTree.build(examples)
            if logits:
                loss = target_log_probabilities(model, tree).sum()
            else:
                loss = node_states(model, tree).float().sin().sum()
            loss.backward()  # type: ignore[no-untyped-call]
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("logits", [True, False])
@pytest.mark.parametrize("mixed", [True, False])
def test_it_equals_the_plain_gradient(tied: nn.Module, logits: bool, mixed: bool) -> None:
    with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
        quick, plain = (gradients(tied, quick=one, logits=logits) for one in (True, False))
    assert quick.keys() == plain.keys()
    for name, gradient in plain.items():
        torch.testing.assert_close(quick[name], gradient, rtol=1e-5, atol=1e-6)


def test_the_model_is_afterwards_what_it_was(tied: nn.Module) -> None:
    embedding = tied.get_input_embeddings()  # type: ignore[operator]
    with rows_added(tied):
        assert type(embedding) is not nn.Embedding
        copied = copy.deepcopy(tied)
    assert type(embedding) is nn.Embedding
    assert set(tied.state_dict()) == set(copied.state_dict())


def test_two_matrices_and_frozen_ones_are_left_alone(fresh_tiny_lm: Model, tied: nn.Module) -> None:
    untied = fresh_tiny_lm().model
    output = untied.get_output_embeddings()
    output.weight = nn.Parameter(output.weight.detach().clone())
    tied.requires_grad_(False)
    for model in (untied, tied):
        with rows_added(model):
            assert type(model.get_input_embeddings()) is nn.Embedding  # type: ignore[operator]
