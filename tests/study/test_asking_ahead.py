"""What workers ask models before the tables are written is what the tables would have asked."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from equipoise import Study
from equipoise.files.locks import try_lock
from equipoise.model import loading
from equipoise.runs.cell import Cell
from equipoise.runs.store import Store
from equipoise.study.asking_ahead import AskingAhead
from equipoise.study.progress import StudyProgress

from .conftest import contents
from .test_examinations import FEW, examined_run, small_requests

ASKED = [*FEW, "measures.without_listed=1"]


@pytest.fixture(scope="module")
def asked(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run whose tables asked everything; its study file is beside it."""
    return examined_run(tmp_path_factory.mktemp("asked"), tiny_model_folder, ASKED)


@pytest.fixture
def study(asked: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    small_requests(monkeypatch)
    return Study.from_toml(asked.parent / "study.toml", ASKED)


@pytest.fixture
def not_asked(asked: Path, tmp_path: Path) -> Path:
    """The same run of which models have been asked nothing."""
    run = Path(shutil.copytree(asked, tmp_path / "run"))
    for name in ("measures", "results"):
        shutil.rmtree(run / name)
    return run


@pytest.fixture
def ahead(study: Study, not_asked: Path) -> Iterator[AskingAhead]:
    with StudyProgress(1, quiet=True) as progress:
        yield AskingAhead(study.specification, Store(not_asked), progress)


def test_the_tables_find_all_of_it_and_load_no_model(
    study: Study,
    asked: Path,
    not_asked: Path,
    ahead: AskingAhead,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    errands = 0
    while ahead.one():
        errands += 1
    assert errands == 5, "the base model, two models that were made, and two judges"
    monkeypatch.setattr(loading, "load_model", lambda *a, **k: pytest.fail("was asked"))
    study.run(not_asked, quiet=True)
    assert contents(not_asked / "measures") == contents(asked / "measures")
    assert contents(not_asked / "results") == contents(asked / "results")


def test_a_model_that_another_process_asks_is_left_to_it(
    not_asked: Path, ahead: AskingAhead
) -> None:
    locks, made = Store(not_asked).claims.folder / "asked", Cell("sft", 1)
    of_base = try_lock(locks / "base.lock")
    assert of_base is not None
    assert not ahead.one(), "everything else is compared with the base model"
    of_base.release()
    held = try_lock(locks / f"{made.label}_seed{made.seed}.lock")
    assert held is not None
    while ahead.one():
        pass
    names = {path.name for path in (not_asked / "measures").iterdir()}
    assert "answers_base.csv" in names
    assert "answers_sft-fast_seed1.csv" in names
    assert "answers_sft_seed1.csv" not in names
    held.release()
    assert ahead.one()
    assert (not_asked / "measures" / "answers_sft_seed1.csv").is_file()


def test_what_a_later_cell_asks_is_asked_when_it_is_done(
    asked: Path, not_asked: Path, ahead: AskingAhead
) -> None:
    cell = Store(not_asked).cell_folder(Cell("prompt-balanced", 1))
    cell.rename(not_asked / "later")
    ahead.all()
    names = {path.name for path in (asked / "measures").iterdir()}
    missing = names - {path.name for path in (not_asked / "measures").iterdir()}
    assert "without_listed_prompt-balanced_seed1_of_base.csv" in missing
    (not_asked / "later").rename(cell)
    ahead.all()
    assert contents(not_asked / "measures") == contents(asked / "measures")


def test_at_the_end_a_process_waits_for_the_base_model(not_asked: Path, ahead: AskingAhead) -> None:
    of_base = try_lock(Store(not_asked).claims.folder / "asked" / "base.lock")
    assert of_base is not None
    waiting = Thread(target=ahead.all)
    waiting.start()
    waiting.join(0.5)
    assert waiting.is_alive()
    assert not [*not_asked.glob("measures/*")]
    of_base.release()
    waiting.join(120)
    assert not waiting.is_alive()
    assert (not_asked / "measures" / "answers_sft_seed1.csv").is_file()


def test_judges_wait_for_the_last_cell_and_what_goes_wrong_is_left_to_the_tables(
    not_asked: Path, ahead: AskingAhead, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(Store(not_asked).cell_folder(Cell("sft-fast", 1)))

    def broken(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(loading, "load_model", broken)
    assert ahead.one(), "the base model was tried"
    assert ahead.one(), "and the other one"
    assert not ahead.one()
    assert not [*not_asked.glob("measures/*")]
