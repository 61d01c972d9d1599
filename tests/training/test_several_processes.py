from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from training.runs import Run, Weights
from training.twins import difference, make_examples, same

SCRIPT = Path(__file__).with_name("launched.py")

FSDP = {  # as `accelerate launch --use_fsdp --fsdp_version 2 ...` sets it; see docs/running.md
    "ACCELERATE_USE_FSDP": "true",
    "FSDP_VERSION": "2",
    "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP",
    "FSDP_TRANSFORMER_CLS_TO_WRAP": "LlamaDecoderLayer",
    "FSDP_STATE_DICT_TYPE": "FULL_STATE_DICT",
    "FSDP_RESHARD_AFTER_FORWARD": "true",
    "ACCELERATE_USE_CPU": "true",
}


def _launch(
    model: Path, folder: Path, *arguments: str, processes: int = 2, **settings: str
) -> None:
    """Train in some processes of this CPU, by torchrun."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone",
               f"--nproc-per-node={processes}"]  # fmt: skip
    done = subprocess.run(
        [*command, str(SCRIPT), str(model), str(folder), *arguments],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, **settings},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.slow
def test_two_processes_equal_one_with_twice_the_batch(
    run: Run, start: Weights, tiny_model_folder: Path, tmp_path: Path
) -> None:
    """8 examples an update on each of two processes of this CPU.

    They are started by torchrun, with which `accelerate launch` starts several GPUs; for several
    CPUs accelerate asks for MPI.
    """
    _launch(tiny_model_folder, tmp_path)
    ranks = [torch.load(tmp_path / f"rank{rank}.pt", weights_only=True) for rank in (0, 1)]
    assert all(rank["size"] == 2 for rank in ranks)
    assert same(ranks[0]["weights"], ranks[1]["weights"])
    assert ranks[0]["eval_loss"] == pytest.approx(ranks[1]["eval_loss"], rel=1e-6)

    one = run(
        make_examples(32),
        eval_examples=make_examples(3, seed=9),
        epochs=2,
        batch_size=16,
        grad_accum_steps=1,
    )
    moved = difference(start, one)
    assert moved > 0.1
    assert difference(ranks[0]["weights"], one) < 1e-4 * moved
    for name in one:
        torch.testing.assert_close(ranks[0]["weights"][name], one[name], rtol=1e-5, atol=2e-6)
    assert run.record is not None
    assert ranks[0]["eval_loss"] == pytest.approx(run.record.eval_loss, rel=1e-5)
    # AdamW does not see a wrong scale of all gradients; the losses show it.
    losses = [row["loss"] for row in run.record.history if "loss" in row]
    assert [row["loss"] for row in ranks[0]["history"] if "loss" in row] == [
        pytest.approx(loss, rel=1e-5) for loss in losses
    ]


@pytest.mark.slow
def test_one_process_of_torchrun_equals_one_that_nobody_launched(
    run: Run, tiny_model_folder: Path, tmp_path: Path
) -> None:
    """Accelerate wraps the model there too, and exchanges gradients with nobody."""
    _launch(tiny_model_folder, tmp_path, processes=1)
    launched = torch.load(tmp_path / "rank0.pt", weights_only=True)
    one = run(
        make_examples(32),
        eval_examples=make_examples(3, seed=9),
        epochs=2,
        batch_size=4,
        grad_accum_steps=2,
    )
    for name in one:
        torch.testing.assert_close(launched["weights"][name], one[name], rtol=1e-5, atol=2e-6)


@pytest.mark.slow
def test_a_model_split_by_fsdp_learns_the_same(
    run: Run, start: Weights, tiny_model_folder: Path, tmp_path: Path
) -> None:
    """Its layers are halved between two processes; the loss curve is that of one process."""
    _launch(tiny_model_folder, tmp_path, "fsdp", **FSDP)
    ranks = [torch.load(tmp_path / f"rank{rank}.pt", weights_only=True) for rank in (0, 1)]
    assert all(rank["split"] for rank in ranks), "while training, no process has all weights"
    one = run(
        make_examples(32),
        eval_examples=make_examples(3, seed=9),
        epochs=2,
        batch_size=16,
        grad_accum_steps=1,
    )
    assert run.record is not None
    losses = [row["loss"] for row in run.record.history if "loss" in row]
    for rank in ranks:
        assert [row["loss"] for row in rank["history"] if "loss" in row] == [
            pytest.approx(loss, rel=1e-5) for loss in losses
        ]
        assert rank["eval_loss"] == pytest.approx(run.record.eval_loss, rel=1e-5)
        assert set(rank["weights"]) == set(one)
        assert difference(rank["weights"], one) < 1e-4 * difference(start, one)
