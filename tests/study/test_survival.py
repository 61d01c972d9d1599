"""Runs that are stopped, damaged, or in each other's way end with the same bytes, or say why."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from damaged_files import flip, truncate
from equipoise import EquipoiseError, Study
from equipoise.runs.cell import Cell
from equipoise.runs.store import NOT_DONE, Store
from equipoise.study.specification import Specification, read_specification

from .conftest import WriteStudy, contents, measured


def run(path: Path, folder: Path, *overrides: str, quiet: bool = True) -> tuple[Cell, ...]:
    """Run a study; the cells that were computed."""
    return Study.from_toml(path, overrides).run(folder, quiet=quiet).computed


@pytest.mark.parametrize(
    ("cell", "file", "damage", "said"),
    [
        ("prompt/seed2", "completions.csv", Path.unlink, "completions.csv has 0 bytes instead of"),
        ("prompt/seed2", "completions.csv", flip, "completions.csv is damaged: its SHA-256"),
        ("prompt/seed2", "scored.csv", flip, "scored.csv is damaged: its SHA-256"),
        ("prompt/seed2", "summary.json", truncate, "summary.json has"),
        ("prompt/seed2", "config.json", Path.unlink, "config.json has 0 bytes instead of"),
        ("prompt/seed2", "manifest.json", Path.unlink, "its manifest.json is missing or damaged"),
        ("sft/seed1", "model/model.safetensors", flip, "model/model.safetensors is damaged"),
    ],
)
def test_damaged_cell_is_computed_again_and_nothing_else(
    cell: str,
    file: str,
    damage: Callable[[Path], None],
    said: str,
    finished: Path,
    study_file: WriteStudy,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before, good = contents(finished), measured(finished)
    damage(finished / "cells" / cell / file)
    spoilt = contents(finished / "cells" / cell)
    label, seed = cell.split("/seed")
    assert run(study_file(), finished, quiet=False) == (Cell(label, int(seed)),)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith(f"{label}, seed {seed} is computed again: {said}")
    aside = finished / "cells" / label / f".seed{seed}.damaged1"
    assert lines[-1] == f"The damaged folder it replaces is kept: {aside}"
    assert contents(aside) == spoilt
    assert measured(finished) == good
    # The counts of cost.csv and the rates of summary.csv: above.
    timed = ("environment", "results/cost.csv", "results/summary.csv", f"cells/{cell}/")
    timed += ("results/manifest.json",)
    others = {name: now for name, now in before.items() if not any(part in name for part in timed)}
    assert {name: contents(finished)[name] for name in others} == others


def test_damaged_twice(finished: Path, study_file: WriteStudy) -> None:
    for number in (1, 2):
        (finished / "cells" / "prompt" / "seed1" / "summary.json").write_text(f"{number}")
        run(study_file(), finished)
        aside = finished / "cells" / "prompt" / f".seed1.damaged{number}"
        assert (aside / "summary.json").read_text() == f"{number}"


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize("file", ["study.json", "environment.json", "results/by_seed.csv"])
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"\xff[{")])
def test_other_files_are_written_anew(
    file: str, damage: Callable[[Path], None], finished: Path, study_file: WriteStudy
) -> None:
    good = contents(finished)
    damage(finished / file)
    assert run(study_file(), finished) == ()
    assert contents(finished) == good


@pytest.mark.usefixtures("no_model")
def test_leftovers_of_a_killed_run_are_cleared(finished: Path, study_file: WriteStudy) -> None:
    good = contents(finished)
    (finished / "results" / ".by_seed.csv.123.tmp").write_text("half")
    (finished / ".study.json.123.tmp").write_text("half")
    run(study_file(), finished)
    assert contents(finished) == good


def test_run_that_was_killed_before_its_first_file(study_file: WriteStudy, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / ".lock").touch()
    (folder / ".study.json.123.tmp").write_text("half")
    specification = read_specification(study_file())
    store = Store(folder)
    with store.opened(specification):
        pass
    assert [path.name for path in sorted(folder.iterdir())] == [".lock", "study.json"]


@pytest.mark.usefixtures("no_model")
def test_folders_that_are_no_studys(study_file: WriteStudy, tmp_path: Path) -> None:
    path = study_file()
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.tex").write_text("x")
    with pytest.raises(EquipoiseError) as caught:
        run(path, foreign)
    assert str(caught.value) == (
        f"{foreign}: the folder is not empty and holds no study.json, so it is no study's. "
        "Choose another folder with --out."
    )
    assert [p.name for p in foreign.iterdir()] == ["thesis.tex"]
    for out in (foreign / "thesis.tex", foreign / "thesis.tex" / "below"):
        with pytest.raises(EquipoiseError, match="A file stands where a folder is needed"):
            run(path, out)
    with pytest.raises(EquipoiseError, match="The name is too long for the file system"):
        run(path, foreign / ("a" * 300))
    with pytest.raises(EquipoiseError, match="cannot be written"):
        run(path, Path("/proc/equipoise"))
    assert (foreign / "thesis.tex").read_text() == "x"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.usefixtures("no_model")
def test_folder_that_may_not_be_written(study_file: WriteStudy, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    for out in (locked, locked / "below"):
        with pytest.raises(EquipoiseError, match="You may not write there"):
            run(study_file(), out)


class StopAfter:
    """Stands for a function: the first calls go through, the next one raises."""

    def __init__(self, function: Callable[..., object], calls: int, error: BaseException) -> None:
        self.function, self.left, self.error = function, calls, error

    def __call__(self, *args: object, **kwargs: object) -> object:
        if self.left == 0:
            raise self.error
        self.left -= 1
        return self.function(*args, **kwargs)


@pytest.mark.parametrize("calls", [1, 4])
@pytest.mark.slow
def test_interruption_while_sampling(
    calls: int,
    made_once: Path,
    study_file: WriteStudy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from equipoise.methods import policy

    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(policy, "sample", StopAfter(policy.sample, calls, KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            run(study_file(), folder)
    left = read_specification(study_file()).computing_order()[calls:]
    assert not (folder / "results").exists()
    assert run(study_file(), folder) == tuple(left)
    assert measured(folder) == measured(made_once)


FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _state_by_folder(store: Store, cell: Cell) -> str | None:
    """The state of a cell without reading what is in it."""
    return None if store.cell_folder(cell).is_dir() else NOT_DONE


def _fill_up_while_writing_a_table(patch: pytest.MonkeyPatch) -> None:
    from equipoise.study import cell

    def full(path: Path, *_: object) -> None:
        from equipoise.files.artifacts import open_atomic

        with open_atomic(path) as stream:
            stream.write("method,se")
            raise FULL

    patch.setattr(cell, "write_table", full)


def _fill_up_while_saving_weights(patch: pytest.MonkeyPatch) -> None:
    from safetensors import SafetensorError

    def full(tensors: object, filename: str, **_: object) -> None:
        Path(filename).write_bytes(b"half")
        raise SafetensorError(
            "Error while serializing: I/O error: No space left on device (os error 28)"
        )

    patch.setattr("transformers.modeling_utils.safe_save_file", full)


def _fill_up_while_saving_a_checkpoint(patch: pytest.MonkeyPatch) -> None:
    def full(value: object, path: str, **_: object) -> None:
        Path(path).write_bytes(b"half")
        raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534")

    def at_once(clock: object, args: object, state: object, control: Any, **_: object) -> None:
        control.should_save = True

    patch.setattr(torch, "save", full)
    patch.setattr("equipoise.training.checkpoint.CheckpointClock.on_step_end", at_once)


def _fill_up_while_sealing(patch: pytest.MonkeyPatch) -> None:
    from equipoise.files import manifest

    def full(_: Path) -> str:
        raise FULL

    patch.setattr(manifest, "sha256", full)


@pytest.mark.parametrize(
    ("fill_up", "label"),
    [
        (_fill_up_while_writing_a_table, "prompt"),
        (_fill_up_while_sealing, "prompt"),
        (_fill_up_while_saving_weights, "sft"),
        (_fill_up_while_saving_a_checkpoint, "sft"),
    ],
)
@pytest.mark.slow
def test_full_disk(
    fill_up: Callable[[pytest.MonkeyPatch], None],
    label: str,
    finished: Path,
    study_file: WriteStudy,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One cell is missing; the disk is full at first, and there is room at the second run."""
    good = measured(finished)
    shutil.rmtree(finished / "cells" / label / "seed1")
    kept = contents(finished)
    with monkeypatch.context() as patch:
        fill_up(patch)
        patch.setattr(Store, "state", lambda store, cell, _: _state_by_folder(store, cell))
        with pytest.raises(EquipoiseError) as caught:
            run(study_file(), finished, quiet=False)
    assert "cannot be written (No space left on device)" in str(caught.value)
    assert "make room and run the same command again" in str(caught.value)
    assert f"{label}, seed 1: failed; the cells finished so far are kept" in capsys.readouterr().err
    after = contents(finished)
    cells = [name for name in kept if not name.startswith(("results/", "measures/"))]
    assert {name: after[name] for name in cells} == {name: kept[name] for name in cells}
    assert not (finished / "cells" / label / "seed1").exists()
    assert run(study_file(), finished) == (Cell(label, 1),)
    assert measured(finished) == good


INTERRUPTED = """
import sys
from equipoise import Study
Study.from_toml(sys.argv[1], sys.argv[3:]).run(sys.argv[2])
"""


def _only_long_training(path: Path) -> Path:
    text = path.read_text()
    start, end = text.index("[methods.prompt]"), text.index("[methods.sft]")
    path.write_text(text[:start] + text[end : text.index("[methods.sft-fast]")])
    return path


@pytest.mark.slow
def test_ctrl_c_while_training(study_file: WriteStudy, tmp_path: Path) -> None:
    """A real signal to a real process, which goes on from its checkpoint to the same bytes."""
    path = _only_long_training(study_file())
    overrides = ["study.seeds=[1]", "methods.sft.max_steps=100"]
    assert run(path, tmp_path / "whole", *overrides) == (Cell("sft", 1),)
    folder = tmp_path / "run"
    partial = folder / "cells" / "sft" / ".seed1.partial"
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(path), str(folder), *overrides],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for _ in range(1200):
            events = list(partial.glob("logs/events*"))
            if (events and events[0].stat().st_size > 100) or process.poll() is not None:
                break
            time.sleep(0.05)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    finally:
        process.kill()
    assert "KeyboardInterrupt" in errors, errors
    steps = [int(p.name.removeprefix("checkpoint-")) for p in partial.glob("checkpoints/*")]
    assert len(steps) == 1
    assert 0 < steps[0] < 100
    assert run(path, folder, *overrides) == (Cell("sft", 1),)
    assert not (folder / "cells" / "sft" / "seed1" / "checkpoints").exists()
    assert measured(folder) == measured(tmp_path / "whole")


def test_a_failing_cell_keeps_what_was_finished_before(
    study_file: WriteStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise EquipoiseError("out of memory with 1 sequences at a time")

    monkeypatch.setattr("equipoise.training.train.train", fail)
    with pytest.raises(EquipoiseError, match="out of memory"):
        run(study_file(), tmp_path / "run")
    specification: Specification = read_specification(study_file())
    store = Store(tmp_path / "run")
    done = [c for c in specification.cells() if store.state(c, specification) is None]
    assert [cell.label for cell in done] == ["prompt"] * 2 + ["prompt-balanced"] * 2
    table = pd.read_csv(tmp_path / "run" / "results" / "compliance.csv")
    assert set(table["method"]) == {"prompt", "prompt-balanced"}, "over what is finished"
