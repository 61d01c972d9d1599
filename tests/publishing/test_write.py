"""Cards of a run: each trained model has one, with its own numbers, and the seal vouches for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from huggingface_hub import ModelCard

from equipoise import Study
from equipoise.errors import EquipoiseError
from equipoise.publishing.push import plan_upload
from equipoise.publishing.write import write_run_cards
from equipoise.runs.status import run_status
from equipoise.runs.verification import verify_run
from equipoise.study.specification import Specification, read_specification
from tiny_study import write_study

ONLY = (
    "[methods.sft]\n",
    '[methods.after]\nuse = "sft"\ninit_from = "sft"\nn_per_subject = 8\nmax_steps = 1\n\n'
    "[methods.sft]\n",
)


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory, tiny_model_folder: Path) -> Path:
    """A run of SFT, and of SFT on its result, without cards; ``files`` beside it has the study."""
    folder = tmp_path_factory.mktemp("cards")
    Study.from_toml(write_study(folder / "files", tiny_model_folder, ONLY)).run(
        folder / "run", quiet=True
    )
    return folder / "run"


@pytest.fixture
def specification(made_once: Path) -> Specification:
    return read_specification(made_once.parent / "files" / "study.toml")


@pytest.fixture
def run(made_once: Path, tmp_path: Path) -> Path:
    """The run in this test's own folder."""
    return Path(shutil.copytree(made_once, tmp_path / "run"))


def problems(run: Path) -> list[str]:
    return [finding.path for finding in verify_run(run) if finding.problem]


def test_the_study_itself_writes_none(made_once: Path) -> None:
    assert not list(made_once.rglob("README.md"))
    with pytest.raises(EquipoiseError, match=r"the model has no card"):
        plan_upload(made_once, "me/x", method="sft", seed=1)


def test_every_trained_model_has_one_with_its_own_numbers(
    run: Path, specification: Specification
) -> None:
    rates = pd.read_csv(run / "results" / "by_seed.csv")
    written = write_run_cards(specification, run)
    cards = sorted(run.glob("cells/*/seed*/model/README.md"))
    assert sorted(written) == cards
    assert len(cards) == len(list(run.glob("cells/*/seed*/model"))) == 6
    for path in cards:
        cell = path.parents[1]
        own = rates[
            (rates["method"] == cell.parent.name) & (rates["seed"] == int(cell.name[len("seed") :]))
        ]
        data = ModelCard.load(path).data
        found = {(r.dataset_name, r.metric_type): r.metric_value for r in data.eval_results}
        for split, balanced in zip(own["split"], own["balanced"], strict=True):
            assert found[f"small, {split} subjects", "balanced"] == balanced
        told = "It builds on what sft had made." in path.read_text("utf-8")
        assert told == (cell.parent.name == "after")
    assert problems(run) == []
    assert {str(path.relative_to(run)) for path in cards} <= {f.path for f in verify_run(run)}
    assert plan_upload(run, "me/x", method="sft", seed=1).files[0] == "README.md"


def test_a_second_call_writes_nothing(run: Path, specification: Specification) -> None:
    write_run_cards(specification, run)
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}
    assert write_run_cards(specification, run) == []
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_text("edited")])
def test_a_damaged_card_is_written_again_and_nothing_is_trained_for_it(
    run: Path,
    specification: Specification,
    damage: Callable[[Path], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_run_cards(specification, run)
    card = run / "cells" / "sft" / "seed1" / "model" / "README.md"
    whole, manifest = card.read_bytes(), (card.parents[1] / "manifest.json").read_bytes()
    damage(card)
    [finding] = [finding for finding in verify_run(run) if finding.problem]
    assert finding.path == "cells/sft/seed1/model/README.md"
    assert finding.hint == "It is written anew when you run the study again with this folder."
    with pytest.raises(EquipoiseError, match=r"no card|instead of|damaged"):
        plan_upload(run, "me/x", method="sft", seed=1)
    monkeypatch.setattr(
        "equipoise.study.computation.load_model", lambda *_, **__: pytest.fail("trained")
    )
    assert run_status(run).counts() == {"done": 10}
    assert Study(specification).run(run, quiet=True).computed == ()
    assert write_run_cards(specification, run) == [card]
    assert card.read_bytes() == whole
    assert (card.parents[1] / "manifest.json").read_bytes() == manifest
    assert problems(run) == []


def test_killed_between_the_card_and_its_seal(run: Path, specification: Specification) -> None:
    write_run_cards(specification, run)
    cell = run / "cells" / "sft" / "seed2"
    sealed = (cell / "manifest.json").read_bytes()
    (cell / "manifest.json").write_bytes(sealed.replace(b"model/README.md", b"model/other.md"))
    assert problems(run) == ["cells/sft/seed2"]  # of a file that nobody has
    shutil.copy(cell / "model" / "README.md", cell / "model" / "other.md")
    assert problems(run) == []
    assert write_run_cards(specification, run) == [cell / "model" / "README.md"]
    assert "cells/sft/seed2/model/README.md" in {finding.path for finding in verify_run(run)}
    assert problems(run) == []
