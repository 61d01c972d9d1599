from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from transformers import DynamicCache, PreTrainedModel

from equipoise.errors import EquipoiseError
from equipoise.model.prefix_tree import (
    PrefixTree,
    TokenSequence,
    check_architecture,
    sequence_log_probabilities,
    target_log_probabilities,
    tree_logits,
)
from tiny_architectures import ARCHITECTURES, tiny_gemma3, tiny_llama

VOCABULARY = 101
LLAMA = tiny_llama(VOCABULARY)


@pytest.fixture(scope="module", params=ARCHITECTURES)
def model(request: pytest.FixtureRequest) -> PreTrainedModel:
    return ARCHITECTURES[request.param](VOCABULARY)


@st.composite
def batches(draw: st.DrawFn) -> list[TokenSequence]:
    """Sequences over three tokens only, so that they share prefixes; some copied, some cut off."""
    tokens = st.lists(st.integers(0, 2), min_size=2, max_size=9)
    drawn = draw(st.lists(tokens, min_size=1, max_size=6))
    for _ in range(draw(st.integers(0, 3))):
        whole = draw(st.sampled_from(drawn))
        drawn.append(whole[: draw(st.integers(2, len(whole)))])
    order = draw(st.permutations(drawn))
    return [TokenSequence(tuple(t), draw(st.integers(1, len(t) - 1))) for t in order]


def plain(model: nn.Module, sequences: list[TokenSequence]) -> list[Tensor]:
    """The twin: each sequence by itself, a log-softmax over all its logits shifted by one."""
    values = []
    for tokens, start in sequences:
        logits = model(torch.tensor([tokens])).logits[0].float()
        log_probabilities = torch.log_softmax(logits, dim=-1)
        values.append(
            torch.stack([log_probabilities[t - 1, tokens[t]] for t in range(start, len(tokens))])
        )
    return values


def gradients(model: nn.Module, value: Tensor) -> list[Tensor]:
    parameters = [p for p in model.parameters() if p.requires_grad]
    return list(torch.autograd.grad(value, parameters))


# Numbers of nodes, rows, distinct targets, targets and sequences all differ.
UNEVEN = [
    TokenSequence((3, 5, 7, 11, 13), 2),  # 7 11 13
    TokenSequence((3, 5, 7, 11, 13), 1),  # the same tokens from an earlier start: 5 7 11 13
    TokenSequence((3, 5, 7, 17, 19), 2),  # 7 17 19
    TokenSequence((3, 23), 1),  # 23
    TokenSequence((2, 3, 5, 7, 11, 13), 1),  # the same tokens one deeper: another branch
]


def test_structure_of_a_small_tree() -> None:
    # 4 -> 5 -> 6 -> 7      sequence 0 predicts 6, 7; sequence 1 is a prefix of it
    #        \-> 8          sequence 2 predicts 5, 8
    # 5 -> 6                sequence 3: another root
    tree = PrefixTree.build(
        [
            TokenSequence((4, 5, 6, 7), 2),
            TokenSequence((4, 5, 6), 2),
            TokenSequence((4, 5, 8), 1),
            TokenSequence((5, 6), 1),
        ]
    )
    assert tree.tokens.tolist() == [4, 5, 6, 7, 8, 5, 6]
    assert tree.positions.tolist() == [0, 1, 2, 3, 2, 0, 1]
    assert tree.visible.long().tolist() == [
        [1, 0, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0, 0],
        [1, 1, 1, 1, 0, 0, 0],
        [1, 1, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 1, 1],
    ]
    predicted = list(
        zip(tree.rows[tree.target_rows].tolist(), tree.target_tokens.tolist(), strict=True)
    )
    of_each = [predicted[i] for i in tree.paths.tolist()]
    # (node at which it is predicted, token): node 1 predicts both 6 and 8.
    assert of_each == [(1, 6), (2, 7), (1, 6), (0, 5), (1, 8), (5, 6)]
    assert sorted(predicted) == sorted(set(of_each)), "each distinct target stands once"
    assert sorted(tree.rows.tolist()) == [0, 1, 2, 5]
    assert tree.lengths.tolist() == [2, 1, 2, 1]
    assert tree.n_targets == 6


@given(batches())
def test_structure_spells_every_sequence(sequences: list[TokenSequence]) -> None:
    tree = PrefixTree.build(sequences)
    prefixes = {s.tokens[:end] for s in sequences for end in range(1, len(s.tokens) + 1)}
    spelt = [tuple(tree.tokens[row].tolist()) for row in tree.visible]
    assert len(spelt) == len(prefixes)
    assert set(spelt) == prefixes, "each prefix is one node, seen through the ancestors it attends"
    assert tree.positions.tolist() == [len(prefix) - 1 for prefix in spelt]
    of_each = [
        (*spelt[tree.rows[tree.target_rows[i]]], tree.target_tokens[i].item()) for i in tree.paths
    ]
    wanted = [s.tokens[: t + 1] for s in sequences for t in range(s.start, len(s.tokens))]
    assert of_each == wanted
    assert tree.n_targets == len(wanted) == tree.lengths.sum()


def test_log_probabilities_equal_one_sequence_a_row(model: PreTrainedModel) -> None:
    tree = PrefixTree.build(UNEVEN)
    sizes = [len(tree.tokens), len(tree.rows), len(tree.target_rows), len(tree.paths), len(UNEVEN)]
    assert len(set(sizes)) == len(sizes), "a transposed tensor must not fit"
    expected = plain(model, UNEVEN)
    torch.testing.assert_close(
        target_log_probabilities(model, tree), torch.cat(expected), rtol=1e-5, atol=0
    )
    torch.testing.assert_close(
        sequence_log_probabilities(model, tree),
        torch.stack([values.sum() for values in expected]),
        rtol=1e-5,
        atol=0,
    )
    # The order is not by chance: any two sequences differ by much more than the tolerance.
    totals = torch.stack([values.sum() for values in expected])
    assert torch.pdist(totals[:, None]).min() > 1e-2


def test_gradients_equal_one_sequence_a_row(model: PreTrainedModel) -> None:
    weights = torch.linspace(-1, 2, sum(len(s.tokens) - s.start for s in UNEVEN))
    packed = gradients(
        model, (weights * target_log_probabilities(model, PrefixTree.build(UNEVEN))).sum()
    )
    expected = gradients(model, (weights * torch.cat(plain(model, UNEVEN))).sum())
    for one, other in zip(packed, expected, strict=True):
        assert other.norm() > 0
        assert (one - other).norm() <= 1e-5 * other.norm()


@settings(max_examples=40, deadline=None)
@given(batches())
def test_any_trie_gives_the_same_values_and_gradients(sequences: list[TokenSequence]) -> None:
    packed = target_log_probabilities(LLAMA, PrefixTree.build(sequences))
    expected = torch.cat(plain(LLAMA, sequences))
    torch.testing.assert_close(packed, expected, rtol=1e-5, atol=1e-5)
    one, other = (
        torch.cat([g.flatten() for g in gradients(LLAMA, values.sum())])
        for values in (packed, expected)
    )
    assert (one - other).norm() <= 1e-5 * other.norm()


def test_log_probabilities_do_not_depend_on_order_or_company() -> None:
    alone = [
        target_log_probabilities(LLAMA, PrefixTree.build([sequence])).sum() for sequence in UNEVEN
    ]
    together = sequence_log_probabilities(LLAMA, PrefixTree.build(UNEVEN[::-1]))
    torch.testing.assert_close(together, torch.stack(alone[::-1]), rtol=1e-5, atol=0)


def test_a_sequence_longer_than_a_sliding_window_is_refused() -> None:
    """One mask for all layers cannot express the window; another model's values must not come."""
    model = tiny_gemma3(VOCABULARY, window=3)
    with pytest.raises(EquipoiseError, match=r"6 tokens .* exceed the model's sliding_window of 3"):
        target_log_probabilities(model, PrefixTree.build(UNEVEN))


def test_logits_at_the_rows_and_states_of_every_node() -> None:
    tree = PrefixTree.build(UNEVEN)
    cache = DynamicCache()
    logits = tree_logits(LLAMA, tree, cache)
    assert logits.shape == (len(tree.rows), VOCABULARY)
    assert cache.layers[0].keys.shape == (1, 3, 32, 10), "14 nodes, filled up to 32"
    tokens, start = UNEVEN[0]
    row = tree.rows[tree.target_rows[tree.paths[0]]]
    alone = LLAMA(torch.tensor([tokens[:start]]))
    torch.testing.assert_close(logits[tree.target_rows[tree.paths[0]]], alone.logits[0, -1])
    path = tree.visible[row].nonzero()[:, 0]
    torch.testing.assert_close(
        cache.layers[1].values[0, :, path], alone.past_key_values.layers[1].values[0]
    )


def test_bfloat16_weights_give_float32_log_probabilities() -> None:
    model = tiny_llama(VOCABULARY).to(torch.bfloat16)
    values = target_log_probabilities(model, PrefixTree.build(UNEVEN))
    assert values.dtype == torch.float32
    expected = torch.cat(plain(LLAMA, UNEVEN))
    torch.testing.assert_close(values, expected, rtol=0.1, atol=0.2)


def test_to_moves_every_tensor() -> None:
    moved = PrefixTree.build(UNEVEN).to("meta")
    tensors = {name: value for name, value in vars(moved).items() if isinstance(value, Tensor)}
    assert len(tensors) >= 8
    assert all(tensor.device.type == "meta" for tensor in tensors.values())
    assert moved.sequences == tuple(UNEVEN)


def test_no_sequence_makes_no_tree() -> None:
    with pytest.raises(ValueError, match="at least one sequence"):
        PrefixTree.build([])


@pytest.mark.parametrize(
    ("tokens", "start"), [((1, 2), 0), ((1, 2), 2), ((1, 2), -1), ((1,), 1), ((), 0), ((1, 2), 5)]
)
def test_context_and_target_are_needed(tokens: tuple[int, ...], start: int) -> None:
    good = TokenSequence((1, 2), 1)
    with pytest.raises(ValueError, match=f"start is {start} in a sequence of {len(tokens)} tokens"):
        PrefixTree.build([good, TokenSequence(tokens, start)])


@pytest.mark.parametrize("attention", ["eager", "flex_attention"])
def test_other_attention_is_refused(attention: str) -> None:
    model = tiny_llama(VOCABULARY)
    model.config._attn_implementation = attention
    with pytest.raises(ValueError, match=f"'sdpa'.*'{attention}'"):
        target_log_probabilities(model, PrefixTree.build(UNEVEN))


def test_a_wrapped_model_is_judged_by_what_is_inside() -> None:
    class Wrapper(nn.Module):
        def __init__(self, module: nn.Module) -> None:
            super().__init__()
            self.module = module

        def forward(self, **inputs: object) -> object:
            return self.module(**inputs)

    tree = PrefixTree.build(UNEVEN)
    torch.testing.assert_close(
        target_log_probabilities(Wrapper(LLAMA), tree), target_log_probabilities(LLAMA, tree)
    )
    eager = tiny_llama(VOCABULARY)
    eager.config._attn_implementation = "eager"
    with pytest.raises(ValueError, match="'eager'"):
        target_log_probabilities(Wrapper(eager), tree)


def test_layers_that_are_no_attention_are_refused() -> None:
    """Convolutions and state spaces heed no mask, and would mix the branches of a tree."""
    config = tiny_gemma3(VOCABULARY, window=30).config
    config.layer_types = ["full_attention", "conv"]
    with pytest.raises(EquipoiseError, match="layers of type 'conv' are not supported"):
        check_architecture(config, 5)
