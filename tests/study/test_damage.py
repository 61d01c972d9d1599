"""Every stored file truncated, flipped and deleted: noticed, and mended by the same command.

``EQUIPOISE_DAMAGE=all`` runs the study again after every single damage; by default after a few.
"""

from __future__ import annotations

import functools
import json
import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import study_process
from damaged_files import flip, truncate
from equipoise import Study
from equipoise.runs.verification import verify_run

from .conftest import WriteStudy, contents, steady

ALL = os.environ.get("EQUIPOISE_DAMAGE") == "all"
FEW = 8


DAMAGES: tuple[Callable[[Path], None], ...] = (
    functools.partial(truncate, by=10),
    flip,
    Path.unlink,
)


def _files(folder: Path) -> list[str]:
    """Every file; of the cells those of one trained and one untrained."""
    others = ("cells/prompt-balanced", "cells/sft-fast", "cells/prompt/seed2", "cells/sft/seed2")
    return [path for path in contents(folder) if not path.startswith(others)]


def _is_json(path: Path) -> bool:
    """Whether a record can still be read, so that the rest of its run can be looked at."""
    try:
        return bool(json.loads(path.read_bytes()))
    except (OSError, ValueError):
        return False


def test_an_undamaged_run_is_found_to_be_whole(finished: Path) -> None:
    findings = verify_run(finished)
    assert [finding for finding in findings if finding.problem] == []
    looked_at = {finding.path for finding in findings}
    assert {"cells/sft/seed1", "measures/fluency_base.csv", "results", "study.json"} <= looked_at


@pytest.mark.slow
def test_verify_notices_every_damage_to_every_file(finished: Path) -> None:
    for path in _files(finished):
        content = (finished / path).read_bytes()
        for damage in DAMAGES:
            damage(finished / path)
            if path == "study.json" and not _is_json(finished / path):
                with pytest.raises(Exception, match=r"study\.json"):
                    verify_run(finished)
            else:
                found = [finding for finding in verify_run(finished) if finding.problem]
                assert found, f"{path}: {damage}"
                assert any(path.startswith(f.path) or f.path in path for f in found) or all(
                    path.endswith(("manifest.json", ".json")) for _ in found
                ), (path, found)
                assert all(finding.hint for finding in found)
            (finished / path).write_bytes(content)
    assert not any(finding.problem for finding in verify_run(finished))


def test_verify_notices_a_record_that_is_readable_and_another(finished: Path) -> None:
    record = (finished / "study.json").read_text()
    assert record.count('"max_new_tokens": 12') == 1
    (finished / "study.json").write_text(record.replace('tokens": 12', 'tokens": 13'))
    found = [finding for finding in verify_run(finished) if finding.problem]
    assert [finding.path for finding in found] == ["study.json"]
    assert found[0].hint


@pytest.mark.slow
def test_the_same_command_mends_every_damage(
    finished: Path, study_file: WriteStudy, tmp_path: Path
) -> None:
    study, good = Study.from_toml(study_file()), steady(finished)
    cases = [(path, damage) for path in _files(finished) for damage in DAMAGES]
    for path, damage in cases if ALL else random.Random(2).sample(cases, FEW):  # noqa: S311
        folder = Path(shutil.copytree(finished, tmp_path / "damaged"))
        damage(folder / path)
        study.run(folder, quiet=True)
        kept = list(folder.glob("cells/*/.seed*.damaged1"))
        assert len(kept) == path.startswith("cells/"), "the damaged cell is kept beside it"
        for cell in kept:
            shutil.rmtree(cell)
        assert steady(folder) == good, (path, damage)
        shutil.rmtree(folder)


def test_damaged_newest_checkpoint_falls_back_to_the_one_before(
    study_file: WriteStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = study_file(("seeds = [1, 2]", "seeds = [1]"))
    text = file.read_text()
    file.write_text(text[: text.index("[methods.prompt]")] + text[text.index("[methods.sft]") :])
    # After every update.
    overrides = ["methods.sft.checkpoint_minutes=0.00001", "methods.sft.max_steps=16"]
    study = Study.from_toml(file, overrides)
    whole, folder = tmp_path / "whole", tmp_path / "run"
    study.run(whole, quiet=True)
    partial = folder / "cells" / "sft" / ".seed1.partial"
    process = study_process.start(file, folder, overrides)
    while len(list(partial.glob("checkpoints/checkpoint-*/manifest.json"))) < 2:
        assert process.exitcode is None
        time.sleep(0.005)
    process.kill()
    process.join()
    there = sorted(
        partial.glob("checkpoints/checkpoint-*/manifest.json"),
        key=lambda path: int(path.parent.name.removeprefix("checkpoint-")),
    )
    assert len(there) >= 2
    flip(there[-1].with_name("model.safetensors"))
    problems = [f for f in verify_run(folder) if f.problem and "checkpoint-" in f.path]
    assert len(problems) == 1
    assert problems[0].hint == "Training goes on from the one before it, or anew."
    study.run(folder)
    assert f"Checkpoint {there[-1].parent} is passed over: " in capsys.readouterr().err
    assert steady(folder) == steady(whole)
