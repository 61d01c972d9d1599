"""Prompts read once, before anything is drawn, as prefix trees of a size that attention likes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from transformers import DynamicCache

from equipoise.decoding.cache import PromptStates
from equipoise.model.draws import Prompt
from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import PrefixTree, TokenSequence, tree_logits
from equipoise.model.tree_attention import LONGEST

Context = tuple[int, ...]


def prefill(lm: LanguageModel, prompts: Sequence[Prompt]) -> tuple[Tensor, PromptStates]:
    """Logits [C, V] after each of C prompts, and their keys and values.

    Prompts that are alike are read once, and so is what they begin with alike.
    """
    contexts = sorted({prompt.context for prompt in prompts})
    longest = max(map(len, contexts))
    read = [_read(lm, part, longest) for part in portions(contexts)]
    numbers = {context: number for number, context in enumerate(contexts)}
    order = torch.tensor([numbers[prompt.context] for prompt in prompts], device=lm.device)
    states = PromptStates.joined(
        [part for _, part in read], order, _in_common(contexts[0], contexts[-1])
    )
    return torch.cat([logits for logits, _ in read])[order], states


def portions(contexts: Sequence[Context], most: int = LONGEST) -> Iterator[list[Context]]:
    """Sorted ``contexts`` in parts whose prefix trees have at most ``most`` nodes, if they can.

    The cost of attention grows with the square of the nodes; what the parts begin with alike is
    read once in each.
    """
    part: list[Context] = []
    nodes = 0
    for context in contexts:
        # One more than its own tokens: a target must be named for each.
        new = 1 + len(context) - (_in_common(part[-1], context) if part else 0)
        if part and nodes + new > most:
            yield part
            part, nodes, new = [], 0, 1 + len(context)
        part.append(context)
        nodes += new
    yield part


def _read(
    lm: LanguageModel, contexts: Sequence[Context], longest: int
) -> tuple[Tensor, PromptStates]:
    """Logits after, and states of, ``contexts`` in one forward pass."""
    # Which target is named to predict at the last token of a context does not matter.
    tree = PrefixTree.build(TokenSequence((*c, 0), len(c)) for c in contexts).to(lm.device)
    cache = DynamicCache()
    logits = tree_logits(lm.model, tree, cache)
    paths = [tree.visible[row].nonzero()[:, 0] for row in tree.rows.tolist()]
    return logits, PromptStates.cut(cache, paths, longest)


def _in_common(one: Context, other: Context) -> int:
    """Tokens that two contexts begin with alike; of sorted ones, first and last tell of all."""
    number = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        number += 1
    return number
