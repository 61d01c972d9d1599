"""Sequences packed as a prefix tree, so that what they share is computed once.

The training sentences of a batch begin alike (chat template, prompt, "The doctor was"), and so do
the candidates that a reward, a preference loss or a fluency score compares. A batch becomes one
row of tokens: each node of the trie of all sequences once, with its depth as position and an
attention mask that lets it see its ancestors only. Every log-probability then equals that of the
one-sequence-a-row computation, since a causal model's state at a token depends on nothing else.

Prior art: prefix sharing for DPO (arXiv 2410.20305), PrefixGrouper (2506.05433), Tree Training
(2511.00413).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from equipoise.errors import EquipoiseError
from equipoise.model.log_probabilities import token_log_probabilities
from equipoise.model.tree_attention import attention_for

SHAPE_STEP = 32
"""On the CPU, nodes and rows are filled up to a multiple of this with ones that nobody sees: oneDNN
compiles code for every shape it meets and keeps it, half a gigabyte in a training of 57 updates."""


class TokenSequence(NamedTuple):
    """One sequence and the part of it that is predicted.

    Attributes:
        tokens: Token ids, context first.
        start: Index of the first predicted token, at least 1; ``tokens[start:]`` are targets.
    """

    tokens: tuple[int, ...]
    start: int


@dataclass(frozen=True)
class PrefixTree:
    """A batch of B sequences as one row of T tree nodes.

    Attributes:
        tokens: [T] token of each node; parents stand before their children.
        positions: [T] depth of each node, 0 at the root: its position in its sequences.
        visible: [T, T] bool; ``visible[i, j]`` says that node i attends to node j, which holds for
            j = i and for the ancestors of i.
        rows: [R] nodes at which something is predicted: the parents of all targets.
        target_rows: [E] for each distinct target, the index into ``rows`` of its parent. The first
            token of a branch is predicted at the node where it branches off.
        target_tokens: [E] the token predicted.
        target_nodes: [E] the node of that token.
        paths: [N] for each of the N targets of all sequences in turn, its index among the E
            distinct ones.
        lengths: [B] number of targets of each sequence; they sum to N.
        sequences: The B sequences the tree was built from.
    """

    tokens: Tensor
    positions: Tensor
    visible: Tensor
    rows: Tensor
    target_rows: Tensor
    target_tokens: Tensor
    target_nodes: Tensor
    paths: Tensor
    lengths: Tensor
    sequences: tuple[TokenSequence, ...]

    @classmethod
    def build(cls, sequences: Iterable[TokenSequence]) -> PrefixTree:
        """The prefix tree of ``sequences``, duplicates allowed.

        Raises:
            ValueError: No sequence is given, or one has no context token or no target.
        """
        sequences = tuple(sequences)
        if not sequences:
            raise ValueError("a prefix tree needs at least one sequence")
        children: dict[tuple[int, int], int] = {}
        tokens: list[int] = []
        parents: list[int] = []
        rows: dict[int, int] = {}
        targets: dict[int, int] = {}
        paths: list[int] = []
        for sequence in sequences:
            if not 1 <= sequence.start < len(sequence.tokens):
                raise ValueError(
                    f"start is {sequence.start} in a sequence of {len(sequence.tokens)} tokens: "
                    "it needs at least one token of context and one target"
                )
            node = -1
            for depth, token in enumerate(sequence.tokens):
                parent, node = node, children.setdefault((node, token), len(tokens))
                if node == len(tokens):
                    tokens.append(token)
                    parents.append(parent)
                if depth >= sequence.start:
                    rows.setdefault(parent, len(rows))
                    paths.append(targets.setdefault(node, len(targets)))
        positions, visible = _ancestry(parents)
        return cls(
            tokens=torch.tensor(tokens),
            positions=positions,
            visible=visible,
            rows=torch.tensor(list(rows)),
            target_rows=torch.tensor([rows[parents[node]] for node in targets]),
            target_tokens=torch.tensor([tokens[node] for node in targets]),
            target_nodes=torch.tensor(list(targets)),
            paths=torch.tensor(paths),
            lengths=torch.tensor([len(s.tokens) - s.start for s in sequences]),
            sequences=sequences,
        )

    @property
    def n_targets(self) -> int:
        """Number of predicted tokens over all sequences, shared ones counted each time."""
        return len(self.paths)

    def to(self, device: torch.device | str, **kwargs: Any) -> PrefixTree:
        """The tree with its tensors on ``device``; ``kwargs`` as for ``Tensor.to``."""
        moved: dict[str, Any] = {
            field.name: value.to(device, **kwargs)
            for field in fields(self)
            if isinstance(value := getattr(self, field.name), Tensor)
        }
        return replace(self, **moved)


def _ancestry(parents: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Depth [T] and ancestor-or-self mask [T, T] of nodes given in an order of parents first."""
    depth = torch.zeros(len(parents), dtype=torch.long)
    visible = torch.eye(len(parents), dtype=torch.bool)
    for node, parent in enumerate(parents):
        if parent >= 0:
            depth[node] = depth[parent] + 1
            visible[node, : parent + 1] = visible[parent, : parent + 1]
    return depth, visible


def tree_logits(model: Any, tree: PrefixTree, cache: Any = None) -> Tensor:
    """Logits [R, V] at the rows of ``tree`` where something is predicted, in the compute type.

    Args:
        model: A causal language model of transformers with ``sdpa`` attention, possibly wrapped.
        tree: On the device of the model.
        cache: An empty ``transformers.Cache`` that receives the keys and values of the T nodes;
            further ones that it may hold after them belong to nothing.

    Raises:
        ValueError: The model's attention does not take a mask as given here. (``eager`` would be
            silently wrong.)
        EquipoiseError: A sequence is longer than the model's context or sliding window; one mask
            for all layers cannot express the latter.
    """
    return _padded_logits(model, tree, cache)[: len(tree.rows)]


def node_states(model: Any, tree: PrefixTree) -> Tensor:
    """States [T, D] of the last layer at every node, each after reading that node's token.

    Arguments and errors are those of `tree_logits`.
    """
    states: Tensor = _forward(model.base_model, tree).last_hidden_state[0]
    return states[: len(tree.tokens)]


def pooled_states(model: Any, tree: PrefixTree, layers: Sequence[int]) -> Tensor:
    """Mean state [B, L * D] of each sequence's targets, at L layers side by side, in float32.

    Args:
        model: As for `tree_logits`.
        tree: On the device of the model.
        layers: 0 is the embedding, n the last of n layers, after the final norm.

    Raises:
        ValueError, EquipoiseError: As for `tree_logits`.
    """
    output = _forward(model.base_model, tree, output_hidden_states=True)
    weights, nodes = target_shares(tree), len(tree.tokens)
    states = [output.hidden_states[layer][0, :nodes].float() for layer in layers]
    return torch.cat([weights @ of_layer for of_layer in states], dim=1)


def target_shares(tree: PrefixTree) -> Tensor:
    """Share [B, T] that each node has in the mean over a sequence's targets; a row sums to 1."""
    last = tree.target_nodes[tree.paths[tree.lengths.cumsum(0) - 1]]
    starts = torch.tensor([s.start for s in tree.sequences], device=tree.tokens.device)
    # The targets of a sequence are the ancestors of its last node from its start on.
    pooled = tree.visible[last] & (tree.positions[None] >= starts[:, None])
    return pooled.float() / tree.lengths[:, None]


def _padded_logits(model: Any, tree: PrefixTree, cache: Any = None) -> Tensor:
    """What `tree_logits` gives, with more rows than asked for on the CPU."""
    rows = pad(tree.rows, (0, _spare(tree.rows)))
    output = _forward(
        model, tree, past_key_values=cache, use_cache=cache is not None, logits_to_keep=rows
    )
    logits: Tensor = output.logits[0]
    return logits


def _forward(model: Any, tree: PrefixTree, **options: Any) -> Any:
    """What ``model`` puts out for the nodes of ``tree``, and for as many spare ones as it gets."""
    config = getattr(getattr(model, "module", model), "config", None)
    implementation = getattr(config, "_attn_implementation", None)
    if implementation != "sdpa":
        raise ValueError(f"prefix trees need attention 'sdpa', the model has {implementation!r}")
    check_architecture(config, int(tree.positions.max()) + 1)
    spare = _spare(tree.tokens)
    visible = pad(tree.visible, (0, spare, 0, spare))
    visible.diagonal().fill_(True)
    with attention_for(config, visible) as mask:
        return model(
            input_ids=pad(tree.tokens, (0, spare))[None],
            attention_mask=mask,
            position_ids=pad(tree.positions, (0, spare))[None],
            **options,
        )


def _spare(indices: Tensor) -> int:
    """By how many ``indices`` are filled up, see `SHAPE_STEP`."""
    return -len(indices) % SHAPE_STEP if indices.device.type == "cpu" else 0


def check_architecture(config: Any, length: int) -> None:
    """Refuse what one attention mask for all layers cannot express.

    Args:
        config: Of a transformers model.
        length: Tokens of the longest sequence.

    Raises:
        EquipoiseError: The sequence is longer than the model's context or sliding window, or some
            layers are no attention (Mamba, convolutions) and would mix sibling branches.
    """
    config = config.get_text_config()
    for kind in getattr(config, "layer_types", None) or ():
        if kind not in ("full_attention", "sliding_attention"):
            raise EquipoiseError(
                f"models with layers of type '{kind}' are not supported",
                hint="Choose one whose layers all are attention.",
            )
    for name in ("sliding_window", "attention_chunk_size", "max_position_embeddings"):
        window = getattr(config, name, None)
        if window and length > window:
            raise EquipoiseError(
                f"{length} tokens of context and answer exceed the model's {name} of {window}",
                hint="Shorten the prompt and texts, or lower sampling.max_new_tokens.",
            )


def target_log_probabilities(model: Any, tree: PrefixTree) -> Tensor:
    """Log-probability [N] in nats of every target of every sequence, in the order of ``paths``."""
    logits = _padded_logits(model, tree)
    return token_log_probabilities(logits, tree.target_rows, tree.target_tokens)[tree.paths]


def sequence_log_probabilities(model: Any, tree: PrefixTree) -> Tensor:
    """Log-probability [B] in nats of the predicted part of each sequence given its context."""
    return sums(target_log_probabilities(model, tree), tree.lengths)


def sums(values: Tensor, lengths: Tensor) -> Tensor:
    """Sums [B] of consecutive parts of ``values`` [N], of ``lengths`` [B]; differentiable."""
    owner = torch.repeat_interleave(torch.arange(len(lengths), device=values.device), lengths)
    return torch.zeros(len(lengths), device=values.device).index_add(0, owner, values)


def last_target_nodes(tree: PrefixTree) -> Tensor:
    """The node [B] of the last token of each sequence."""
    ends = tree.lengths.cumsum(0) - 1
    return tree.target_nodes[tree.paths[ends]]
