from __future__ import annotations

import pytest
import torch
from torch import Tensor
from transformers import DynamicCache

from equipoise.decoding.cache import PromptStates, RowCache

HEADS, SIZE = 3, 5  # and 2 layers, 7 nodes, prompts of 4, 2 and 3 tokens
# A tree: 0-1-2-3, 0-4, 5-1... written as the nodes of each prompt, root first.
PATHS = [[0, 1, 2, 6], [0, 4], [5, 1, 3]]
LENGTHS = [4, 2, 3]


@pytest.fixture
def tree() -> DynamicCache:
    cache = DynamicCache()
    for layer in range(2):
        cache.update(torch.randn(1, HEADS, 7, SIZE), torch.randn(1, HEADS, 7, SIZE), layer)
    return cache


@pytest.fixture
def prompts(tree: DynamicCache) -> PromptStates:
    return PromptStates.cut(tree, [torch.tensor(path) for path in PATHS], max(LENGTHS))


def step(cache: RowCache, n_rows: int) -> tuple[Tensor, Tensor, list[tuple[Tensor, Tensor]]]:
    """One token a row: positions, mask, and for each layer the new keys and all that is seen."""
    positions, visible = cache.begin_step()
    seen = []
    for layer in range(2):
        new = torch.randn(n_rows, HEADS, 1, SIZE)
        keys, values = cache.update(new, -new, layer)
        assert keys.shape == values.shape == (n_rows, HEADS, visible.shape[-1], SIZE)
        seen.append((new, keys.clone()))
        new_values = values[torch.arange(n_rows), :, positions[:, 0]]
        assert torch.equal(new_values, -new[:, :, 0])
    cache.end_step()
    return positions.clone(), visible.clone(), seen


def test_prompts_are_cut_out_of_the_tree(tree: DynamicCache, prompts: PromptStates) -> None:
    assert prompts.lengths.tolist() == LENGTHS
    for layer in range(2):
        assert prompts.keys[layer].shape == (3, HEADS, 4, SIZE)
        for index, path in enumerate(PATHS):
            for mine, whole in (
                (prompts.keys[layer], tree.layers[layer].keys),
                (prompts.values[layer], tree.layers[layer].values),
            ):
                assert torch.equal(mine[index, :, : len(path)], whole[0, :, path])


def test_rows_hold_their_prompt_and_what_they_drew(prompts: PromptStates) -> None:
    cache = RowCache(prompts, n_rows=2, room=24)
    cache.start(torch.tensor([1, 0]), torch.tensor([0, 2]))  # row 0: 3 tokens, row 1: 4
    held: list[list[Tensor]] = [
        [prompts.keys[1][2, :, i] for i in range(3)],
        [prompts.keys[1][0, :, i] for i in range(4)],
    ]
    for count in range(30):  # beyond the room: the buffers grow
        positions, visible, seen = step(cache, 2)
        assert positions.tolist() == [[3 + count], [4 + count]]
        assert visible.dtype == torch.bool
        assert visible.shape == (2, 1, 1, visible.shape[-1])
        assert visible[:, 0, 0].sum(-1).tolist() == [4 + count, 5 + count]
        new, keys = seen[1]
        for row in range(2):
            held[row].append(new[row, :, 0])
            assert torch.equal(keys[row][:, visible[row, 0, 0]], torch.stack(held[row], dim=1))
    assert cache.lengths.tolist() == [33, 34]
    assert cache.get_seq_length() == 34


def test_a_row_can_be_started_again(prompts: PromptStates) -> None:
    cache = RowCache(prompts, n_rows=3)
    cache.start(torch.arange(3), torch.tensor([0, 0, 0]))
    step(cache, 3)
    cache.start(torch.tensor([1]), torch.tensor([1]))
    positions, visible, seen = step(cache, 3)
    assert positions[:, 0].tolist() == [5, 2, 5]
    keys = seen[0][1][1][:, visible[1, 0, 0]]
    assert keys.shape[1] == 3, "nothing of the row's former content is seen"
    assert torch.equal(keys[:, :2], prompts.keys[0][1, :, :2])


def test_kept_rows_go_on_in_the_order_asked_for(prompts: PromptStates) -> None:
    cache = RowCache(prompts, n_rows=3)
    cache.start(torch.arange(3), torch.tensor([0, 1, 2]))
    _, _, before = step(cache, 3)
    cache.keep(torch.tensor([2, 0]))
    assert cache.lengths.tolist() == [4, 5]
    positions, visible, seen = step(cache, 2)
    assert positions[:, 0].tolist() == [4, 5]
    for row, old in enumerate([2, 0]):
        keys = seen[1][1][row][:, visible[row, 0, 0]]
        length = LENGTHS[old]
        assert torch.equal(keys[:, :length], prompts.keys[1][old, :, :length])
        assert torch.equal(keys[:, length], before[1][0][old, :, 0])


def test_resting_rows_do_not_widen_attention(prompts: PromptStates) -> None:
    cache = RowCache(prompts, n_rows=2)
    cache.start(torch.arange(2), torch.tensor([0, 1]))
    cache.rest(torch.tensor([0]))
    _, visible, seen = step(cache, 2)
    assert visible.shape[-1] == 3  # of the row with a prompt of two tokens
    keys = seen[0][1][1][:, visible[1, 0, 0]]
    assert torch.equal(keys[:, :2], prompts.keys[0][1, :, :2])


def test_buffers_are_finite_beyond_what_is_held(prompts: PromptStates) -> None:
    cache = RowCache(prompts, n_rows=2, room=2)
    cache.start(torch.tensor([0]), torch.tensor([1]))
    for _ in range(7):
        _, _, seen = step(cache, 2)
        assert all(keys.isfinite().all() for _, keys in seen)
