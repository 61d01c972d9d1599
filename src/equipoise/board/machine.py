"""Everything a board says as JSON, for programs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import equipoise
from equipoise.board.board import Board
from equipoise.board.shown import BY_CONSTRUCTION
from equipoise.board.tables import agreement_record, run_rows
from equipoise.files.artifacts import write_json
from equipoise.files.manifest import MANIFEST, sha256
from equipoise.report.machine import plain_records
from equipoise.runs.layout import RESULTS

KIND = "equipoise_board"
"""Key that tells a board's JSON from others; its value is the version of the layout."""

FORMAT = 1


def write_results(board: Board, path: Path) -> None:
    """Write ``results.json``.

    Its keys: ``equipoise_board`` (1), ``equipoise`` (version), ``runs`` (each with its study, the
    SHA-256 of the manifest of its results, its ``values`` and whether its methods are on its
    ``front``), ``apart`` (those that cannot be compared, with ``reason``), ``over`` (the headlines
    of fronts and rankings), ``on_every_front``, ``agreements``, ``swapped`` (pairs of methods) and
    ``remarks``. What was not measured is null, and so is what came to infinity.
    """
    names = [*(one.name for one in board.headlines), BY_CONSTRUCTION]
    runs = [
        {
            "name": run.name,
            "study": dict(run.record),
            "results_sha256": sha256(run.folder / RESULTS / MANIFEST),
            "values": plain_records(_plain(run.values[names])),
            "front": {str(method): None if pd.isna(on) else bool(on)
                      for method, on in board.fronts[run.name].items()},
        }
        for run in board.runs
    ]  # fmt: skip
    write_json(
        path,
        {
            KIND: FORMAT,
            "equipoise": equipoise.__version__,
            "runs": runs,
            "apart": [row for row in run_rows(board) if row["apart"]],
            "over": [one.name for one in board.over],
            "on_every_front": board.always_on_front,
            "agreements": plain_records(pd.DataFrame(map(agreement_record, board.agreements))),
            "swapped": [
                {"headline": one.headline, "one": one.one, "other": one.other,
                 "pairs": list(map(list, one.swapped))}
                for one in board.agreements if one.swapped
            ],
            "remarks": board.remarks,
        },
    )  # fmt: skip


def _plain(values: pd.DataFrame) -> pd.DataFrame:
    """Values of which the unknown is ``None`` whatever their type."""
    plain = values.reset_index().astype("object")
    return plain.where(plain.notna(), None)
