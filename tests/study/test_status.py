"""What is said of a run from its folder alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from equipoise import EquipoiseError
from equipoise.runs.cell import Cell
from equipoise.runs.status import CellStatus, run_status
from equipoise.runs.store import Store
from equipoise.study.specification import read_specification

from .conftest import WriteStudy, contents


def _of(folder: Path, cell: Cell) -> CellStatus:
    return next(one for one in run_status(folder).cells if one.cell == cell)


def test_a_finished_run(finished: Path) -> None:
    before = contents(finished)
    found = run_status(finished)
    assert found.name == "tiny"
    assert found.counts() == {"done": 8}
    assert found.exit_code == 0
    for one in found.cells:
        summary = finished / "cells" / one.cell.label / f"seed{one.cell.seed}" / "summary.json"
        cost = json.loads(summary.read_text())["cost"]
        assert one.seconds == pytest.approx(
            cost["fit_seconds"] + cost["sampling_seconds"], abs=1e-3
        )
    assert contents(finished) == before


def test_every_other_state(finished: Path, study_file: WriteStudy) -> None:
    store, specification = Store(finished), read_specification(study_file())
    for label, seed in (("prompt", 1), ("prompt", 2), ("sft", 1), ("sft", 2)):
        shutil.rmtree(finished / "cells" / label / f"seed{seed}")
    (finished / "cells" / "sft-fast" / "seed1" / "summary.json").write_text("{}")
    store.begin(Cell("sft", 1), specification)
    store.claims.fail(Cell("prompt", 2), EquipoiseError("out of memory"))
    with store.claims.claim(Cell("sft", 2)) as claim:
        assert claim is not None
        claim._last -= 60
        claim.report("training", 3, 8)
        found = run_status(finished)
        running = _of(finished, Cell("sft", 2))
    assert {(one.cell.label, one.cell.seed): one.state for one in found.cells} == {
        ("prompt", 1): "missing",
        ("prompt", 2): "failed",
        ("prompt-balanced", 1): "done",
        ("prompt-balanced", 2): "done",
        ("sft", 1): "stopped",
        ("sft", 2): "running",
        ("sft-fast", 1): "damaged",
        ("sft-fast", 2): "done",
    }
    assert running.note is not None
    assert (running.note.stage, running.note.done, running.note.total) == ("training", 3, 8)
    assert _of(finished, Cell("prompt", 2)).problem == "out of memory."
    assert "summary.json has 2 bytes" in (_of(finished, Cell("sft-fast", 1)).problem or "")
    assert found.exit_code == 1


def test_exit_code_3_until_cells_and_tables_are_there(finished: Path) -> None:
    shutil.rmtree(finished / "results")
    assert run_status(finished).exit_code == 3
    shutil.rmtree(finished / "cells" / "prompt" / "seed1")
    assert run_status(finished).exit_code == 3


def test_no_run_there(tmp_path: Path) -> None:
    with pytest.raises(EquipoiseError, match=r"holds no study\.json, so it is no run"):
        run_status(tmp_path)
    for damaged in ('{"name": "x"}', "[]", '{"name":"x","methods":[],"seeds":[1]}', "\udcff"):
        (tmp_path / "study.json").write_bytes(damaged.encode(errors="surrogateescape"))
        with pytest.raises(EquipoiseError, match=r"study\.json: .*Run the study again with this"):
            run_status(tmp_path)
