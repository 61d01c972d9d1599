"""Projections put to work in a model: as weights where that is possible, else as hooks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from equipoise.errors import EquipoiseError
from equipoise.model.folding import fold
from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import PrefixTree, TokenSequence, tree_logits
from equipoise.model.projected import Placed, projecting

TOLERANCE = {torch.float32: 1e-3}
"""Largest relative difference of logits between hooks and folded weights, by the weights' type."""

COARSE_TOLERANCE = 5e-2
"""The same for weights in 16 bits, in which folded ones are rounded."""


def place(
    lm: LanguageModel,
    placed: Sequence[Placed],
    check_on: Sequence[tuple[int, ...]],
    *,
    into_weights: bool,
) -> int:
    """Let ``lm`` apply projections from now on, and when it is saved and loaded.

    Args:
        lm: Changed in place.
        placed: In the order in which they were fitted.
        check_on: Token sequences on which folded weights must give the logits that hooks give.
        into_weights: Fold what can be folded; otherwise all are hooks.

    Returns:
        How many were folded.

    Raises:
        EquipoiseError: The logits differ, so the architecture reads states in more places than is
            known here.
    """
    if not into_weights:
        lm.project(placed)
        return 0
    tree = PrefixTree.build(TokenSequence(t, len(t) - 1) for t in check_on).to(lm.device)
    with projecting(lm.model, placed):
        expected = _logits(lm, tree)
    hooked = fold(lm.model, placed)
    lm.project(hooked)
    difference = (_logits(lm, tree) - expected).norm() / expected.norm()
    if not difference <= TOLERANCE.get(lm.model.dtype, COARSE_TOLERANCE):
        raise EquipoiseError(
            f"folded into the weights of '{lm.name}', the projections change its logits by "
            f"{float(difference):.1%} against hooks",
            field="fold",
            hint="Set fold = false.",
        )
    return len(placed) - len(hooked)


@torch.inference_mode()
def _logits(lm: LanguageModel, tree: PrefixTree) -> Tensor:
    return tree_logits(lm.model, tree).double()
