from __future__ import annotations

import copy
import dataclasses
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from damaged_files import flip, truncate
from equipoise.files.manifest import fault, seal
from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import TokenSequence
from equipoise.training.checkpoint import last_valid_checkpoint
from equipoise.training.train import TrainingRecord
from training.runs import Run, Weights, interrupt_at
from training.twins import make_examples, same

# 20 examples in batches of 8: 3 updates an epoch, 6 in all.
OPTIONS = {"epochs": 2, "batch_size": 4, "grad_accum_steps": 2}
UNSEEN = make_examples(3, seed=9)


class Whole(NamedTuple):
    """What training comes to that nobody stops."""

    weights: Weights
    record: TrainingRecord


@pytest.fixture(scope="module")
def whole(tiny_lm: LanguageModel, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    lm = dataclasses.replace(tiny_lm, model=copy.deepcopy(tiny_lm.model))
    run = Run(lambda: lm, tmp_path_factory.mktemp("whole"))
    weights = run(make_examples(20), eval_examples=UNSEEN, **OPTIONS)
    assert run.record is not None
    return Whole(weights, run.record)


def test_there_are_six_updates(run: Run, examples: list[TokenSequence]) -> None:
    run(examples, **OPTIONS)
    assert run.steps == [(step, 6) for step in range(7)]


@pytest.mark.parametrize(
    ("step", "number"),
    [
        (1, signal.SIGINT),
        (3, signal.SIGTERM),  # the end of an epoch
        (5, signal.SIGINT),
        (6, signal.SIGINT),  # during the last update
        (7, signal.SIGINT),  # after it
    ],
)
def test_a_stopped_run_ends_with_the_same_weights(
    run: Run, examples: list[TokenSequence], tmp_path: Path, step: int, number: int, whole: Whole
) -> None:
    handlers = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]

    folder = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        run(
            examples,
            eval_examples=UNSEEN,
            folder=folder,
            on_step=interrupt_at(step, number),
            **OPTIONS,
        )
    step = min(step, 6)
    assert run.steps[-1] == (step, 6), "it stops after the current update"
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == handlers
    assert fault(folder / "checkpoints" / f"checkpoint-{step}") is None

    resumed = run(examples, eval_examples=UNSEEN, folder=folder, **OPTIONS)
    assert same(resumed, whole.weights)
    assert run.steps == [(done, 6) for done in range(step, 7)]
    assert run.said == []


@pytest.mark.parametrize("step", [2, 3, 4, 5, 6])
def test_the_record_of_a_stopped_run_is_that_of_the_whole(
    run: Run, examples: list[TokenSequence], tmp_path: Path, whole: Whole, step: int
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(examples, eval_examples=UNSEEN, folder=tmp_path, on_step=interrupt_at(step), **OPTIONS)
    run(examples, eval_examples=UNSEEN, folder=tmp_path, **OPTIONS)
    assert run.record is not None
    assert run.record.steps == whole.record.steps
    assert run.record.epochs == whole.record.epochs
    assert run.record.eval_loss == whole.record.eval_loss
    assert run.record.final_train_loss == whole.record.final_train_loss
    assert run.record.train_loss == pytest.approx(whole.record.train_loss, rel=1e-5)
    # The evaluation after the first epoch included, wherever it was stopped; in the same order.
    assert repr(run.record.history) == repr(whole.record.history)


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
def test_adapters_and_dropout_resume_as_well(
    run: Run, examples: list[TokenSequence], tmp_path: Path
) -> None:
    lora = {**OPTIONS, "lora": True, "lora_rank": 3, "lora_dropout": 0.3}
    whole = run(examples, **lora)
    with pytest.raises(KeyboardInterrupt):
        run(examples, folder=tmp_path, on_step=interrupt_at(4), **lora)
    assert same(run(examples, folder=tmp_path, **lora), whole)


def test_stopped_twice(
    run: Run, examples: list[TokenSequence], tmp_path: Path, whole: Whole
) -> None:
    for step in (2, 3):
        with pytest.raises(KeyboardInterrupt):
            run(examples, folder=tmp_path, on_step=interrupt_at(step), **OPTIONS)
    assert same(run(examples, folder=tmp_path, **OPTIONS), whole.weights)


def test_a_second_signal_interrupts_at_once(
    run: Run, examples: list[TokenSequence], tmp_path: Path
) -> None:
    def twice(step: int, total: int) -> None:
        if step == 2:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run(examples, folder=tmp_path, on_step=twice, **OPTIONS)
    assert not list(tmp_path.glob("checkpoints/checkpoint-*"))
    assert signal.getsignal(signal.SIGINT) == before


DAMAGES: dict[str, Callable[[Path], None]] = {
    "truncated weights": lambda folder: truncate(folder / "model.safetensors", 9),
    "bit flipped in the weights": lambda folder: flip(folder / "model.safetensors"),
    "bit flipped in the optimizer": lambda folder: flip(folder / "optimizer.pt"),
    "no optimizer": lambda folder: (folder / "optimizer.pt").unlink(),
    "no schedule": lambda folder: (folder / "scheduler.pt").unlink(),
    "no random state": lambda folder: (folder / "rng_state.pth").unlink(),
    "truncated state": lambda folder: truncate(folder / "trainer_state.json", 9),
    "no manifest": lambda folder: (folder / "manifest.json").unlink(),
    "truncated manifest": lambda folder: truncate(folder / "manifest.json", 9),
}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first of the tests below keeps a run stopped after update 5, for the others."""
    return tmp_path_factory.mktemp("stopped") / "run"


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_passed_over(
    run: Run,
    examples: list[TokenSequence],
    stopped: Path,
    tmp_path: Path,
    damage: str,
    whole: Whole,
) -> None:
    options = {**OPTIONS, "checkpoint_minutes": 1e-9}  # one after each update; two are kept
    if not stopped.exists():
        with pytest.raises(KeyboardInterrupt):
            run(examples, folder=stopped, on_step=interrupt_at(5), **options)
    folder = Path(shutil.copytree(stopped, tmp_path / "damaged"))
    newest = folder / "checkpoints" / "checkpoint-5"
    assert sorted(path.name for path in newest.parent.iterdir()) == ["checkpoint-4", newest.name]
    DAMAGES[damage](newest)
    resumed = run(examples, folder=folder, **options)
    assert len(run.said) == 1
    assert f"{newest} is passed over" in run.said[0]
    assert run.steps == [(4, 6), (5, 6), (6, 6)]
    assert same(resumed, whole.weights)


def test_with_all_checkpoints_damaged_training_begins_anew(
    run: Run, examples: list[TokenSequence], tmp_path: Path, whole: Whole
) -> None:
    options = {**OPTIONS, "checkpoint_minutes": 1e-9}
    with pytest.raises(KeyboardInterrupt):
        run(examples, folder=tmp_path, on_step=interrupt_at(4), **options)
    for checkpoint in tmp_path.glob("checkpoints/checkpoint-*"):
        flip(checkpoint / "model.safetensors")
    resumed = run(examples, folder=tmp_path, **options)
    assert len(run.said) == 2
    assert run.steps[0] == (0, 6)
    assert same(resumed, whole.weights)


def test_newest_is_by_number_not_by_name(tmp_path: Path) -> None:
    for name in ("checkpoint-9", "checkpoint-10", "checkpoint-x", "checkpoint-", "other-11"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "weights").write_text(name)
        seal(tmp_path / name)
    said: list[str] = []
    assert last_valid_checkpoint(tmp_path, said.append) == tmp_path / "checkpoint-10"
    (tmp_path / "checkpoint-10" / "weights").write_text("checkpoint-1O")
    assert last_valid_checkpoint(tmp_path, said.append) == tmp_path / "checkpoint-9"
    assert len(said) == 1
    assert last_valid_checkpoint(tmp_path / "nowhere", said.append) is None
    assert len(said) == 1
