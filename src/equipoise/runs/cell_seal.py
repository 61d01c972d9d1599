"""Whether the files of a finished cell are as they were when it was sealed.

The cards of its models are apart. Whoever wants one writes it when the run is over, and puts its
sum into the cell's manifest then. A damaged card is no damaged cell: nothing is trained again for
it.
"""

from __future__ import annotations

from pathlib import Path

from equipoise.files.manifest import fault, file_fault, sealed_files
from equipoise.model.origin import CARD
from equipoise.runs.layout import MODEL, REWARD_MODEL

CARDS = tuple(f"{model}/{CARD}" for model in (MODEL, REWARD_MODEL))
"""Where cards stand in a cell's folder."""


def cell_fault(folder: Path, *, sizes_only: bool = False) -> str | None:
    """What is wrong with a finished cell, cards aside; see ``manifest.fault``."""
    return fault(folder, sizes_only=sizes_only, but=CARDS)


def card_faults(folder: Path) -> dict[str, str | None]:
    """What is wrong with each card that the cell's manifest names; None where nothing is."""
    return {card: file_fault(folder, card) for card in CARDS if card in sealed_files(folder)}
