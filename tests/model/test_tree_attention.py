from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import PreTrainedModel

from equipoise.model import tree_attention as module
from equipoise.model.prefix_tree import PrefixTree, TokenSequence, target_log_probabilities
from equipoise.model.tree_attention import NAME, attention_for, tree_attention
from tiny_architectures import ARCHITECTURES, tiny_llama

SEQUENCES = [
    TokenSequence((3, 5, 7, 11, 13), 2),
    TokenSequence((3, 5, 7, 17, 19), 2),
    TokenSequence((3, 23), 1),
]


def states(*sizes: int, seed: int) -> Tensor:
    return torch.randn(*sizes, generator=torch.Generator().manual_seed(seed), requires_grad=True)


@pytest.mark.parametrize(("heads", "shared"), [(6, 3), (6, 1), (4, 4)])
@pytest.mark.parametrize("scaling", [None, 0.3])
def test_equals_torch_on_values_and_gradients(
    heads: int, shared: int, scaling: float | None
) -> None:
    visible = PrefixTree.build(SEQUENCES).visible
    length = len(visible)
    query, key, value = (
        states(2, n, length, 5, seed=i) for i, n in enumerate((heads, shared, shared))
    )
    with attention_for(tiny_llama(31).config, visible) as mask:
        ours, weights = tree_attention(None, query, key, value, mask, scaling=scaling)
    assert weights is None
    repeated = (s.repeat_interleave(heads // shared, dim=1) for s in (key, value))
    theirs = scaled_dot_product_attention(query, *repeated, attn_mask=visible, scale=scaling)
    theirs = theirs.transpose(1, 2)
    torch.testing.assert_close(ours, theirs)
    for one, other in zip(
        torch.autograd.grad(ours.square().sum(), (query, key, value)),
        torch.autograd.grad(theirs.square().sum(), (query, key, value)),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_short_and_long_trees_agree(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = ARCHITECTURES[name](31)
    tree = PrefixTree.build(SEQUENCES)
    short = used(model, tree, monkeypatch)
    assert len(short) == model.config.num_hidden_layers, "every layer takes it"
    values = target_log_probabilities(model, tree)
    monkeypatch.setattr(module, "LONGEST", len(tree.tokens) - 1)
    assert used(model, tree, monkeypatch) == []
    torch.testing.assert_close(values, target_log_probabilities(model, tree))


def used(
    model: PreTrainedModel, tree: PrefixTree, monkeypatch: pytest.MonkeyPatch
) -> list[torch.Size]:
    """Shapes of the queries that reached ``tree_attention``."""
    calls = []

    def spy(layer: object, query: Tensor, *args: object, **kwargs: object) -> object:
        calls.append(query.shape)
        return tree_attention(layer, query, *args, **kwargs)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setitem(module.AttentionInterface._global_mapping, NAME, spy)
        target_log_probabilities(model, tree)
    return calls


def test_dropout_is_heeded() -> None:
    mask = torch.zeros(1, 1, 4, 4)
    query = states(1, 2, 4, 3, seed=0)
    torch.manual_seed(0)
    dropped, _ = tree_attention(None, query, query, query, mask, dropout=0.5)
    whole, _ = tree_attention(None, query, query, query, mask)
    assert not torch.allclose(dropped, whole)


def test_the_model_keeps_its_own_attention_afterwards() -> None:
    model = tiny_llama(31)

    def fail_inside() -> None:
        with attention_for(model.config, PrefixTree.build(SEQUENCES).visible):
            assert model.config._attn_implementation == NAME
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail_inside()
    assert model.config._attn_implementation == "sdpa"
