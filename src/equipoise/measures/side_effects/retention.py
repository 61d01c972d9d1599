"""Retention: how far a tuned model has gone from its base, where nobody asked it to.

Both models read the base model's own answers to unrelated requests. At each token the tuned model's
distribution is compared with the base model's: their divergence, and whether the likeliest token is
another one. ``exp`` of the divergence a token is the factor by which the perplexity of the base
model's own language has risen.
"""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from equipoise.errors import EquipoiseError
from equipoise.measures.judging import TREE_NODES, pack
from equipoise.measures.side_effects.quantities import ALL, COLUMNS, KL, TOP
from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import PrefixTree, TokenSequence, tree_logits
from equipoise.progress import tracked

CHUNK = 128
"""Rows of logits that are compared at a time: their float32 copies stay small."""


def retention_items(base: LanguageModel, lm: LanguageModel, answers: pd.DataFrame) -> pd.DataFrame:
    """One item for each of the base model's answers to unrelated requests.

    A value is the answer's sum over the mean number of tokens an answer, so that the mean of the
    values is the mean over all tokens.

    Args:
        base: The base model.
        lm: The tuned one.
        answers: What `draw_answers` drew from the base model.

    Raises:
        EquipoiseError: The two have different vocabularies.
    """
    check_same_tokens(base, lm)
    asked = answers[answers["kind"] == "unrelated"]
    sequences = [
        _sequence(base, request, text, ended=ended)
        for request, text, ended in zip(
            asked["request"], asked["text"], asked["ended"], strict=True
        )
    ]
    sums = torch.zeros(len(sequences), 2, dtype=torch.float64)
    batches = list(pack(sequences, TREE_NODES))
    for chosen in tracked(batches, "retention", len(batches)):
        tree = PrefixTree.build(sequences[index] for index in chosen).to(base.device)
        values = _at_rows(base, lm, tree)[tree.target_rows[tree.paths].cpu()]
        parts = torch.split(values, tree.lengths.tolist())
        for index, of_sequence in zip(chosen, parts, strict=True):
            sums[index] = of_sequence.sum(dim=0)
    tokens = [len(one.tokens) - one.start for one in sequences]
    a_token = (sums / (sum(tokens) / len(tokens))).tolist()
    rows = [
        (one.name, ALL, request, pair[place])
        for place, one in enumerate((KL, TOP))
        for request, pair in zip(asked["request"], a_token, strict=True)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def check_same_tokens(base: LanguageModel, lm: LanguageModel) -> None:
    """Refuse two models whose distributions are over different tokens.

    Raises:
        EquipoiseError: Their tokenizers, or the rows of their outputs, differ.
    """
    same = base.tokenizer.get_vocab() == lm.tokenizer.get_vocab()
    if not same or base.output_rows != lm.output_rows:
        raise EquipoiseError(
            f"'{lm.name}' has another vocabulary than '{base.name}', so that their distributions "
            "cannot be compared",
            hint="Compare it with the model that it was tuned from.",
        )


def _sequence(lm: LanguageModel, request: str, text: str, *, ended: bool) -> TokenSequence:
    """An answer after its request; the end of the turn is predicted where the answer ended."""
    whole = lm.answer(request, "", text)
    cut = not ended and len(whole.tokens) - whole.start > 1
    return TokenSequence(whole.tokens[:-1], whole.start) if cut else whole


def _at_rows(base: LanguageModel, lm: LanguageModel, tree: PrefixTree) -> Tensor:
    """KL(base ‖ lm) in nats, and 1 where the likeliest token differs; float64 [R, 2] on the CPU."""
    with torch.no_grad():
        with base.autocast():
            theirs = tree_logits(base.model, tree)
        with lm.autocast():
            ours = tree_logits(lm.model, tree.to(lm.device)).to(theirs.device)
        found = []
        for start in range(0, len(theirs), CHUNK):
            p, q = (
                logits[start : start + CHUNK].float().log_softmax(dim=-1)
                for logits in (theirs, ours)
            )
            divergence = (p.exp() * (p - q)).sum(dim=-1)
            changed = (p.argmax(dim=-1) != q.argmax(dim=-1)).float()
            found.append(torch.stack([divergence, changed], dim=-1).double().cpu())
    return torch.cat(found)
