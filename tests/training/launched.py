"""What `test_several_processes` starts with ``accelerate launch``: trains, and saves the weights.

Arguments: folder of the model, folder to write to.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from equipoise.model.language_model import load_model
from equipoise.training.settings import TrainingSettings
from equipoise.training.train import train
from training.twins import make_examples


def main(model: str, folder: Path) -> None:
    torch.set_num_threads(1)
    lm = load_model(model, device="cpu", dtype="float32")
    record = train(
        lm,
        make_examples(32),
        make_examples(3, seed=9),
        TrainingSettings(epochs=2, learning_rate=1e-3, batch_size=4, grad_accum_steps=2),
        seed=1,
        checkpoints=folder / "checkpoints",
        logs=folder / "logs",
    )
    rank, size = torch.distributed.get_rank(), torch.distributed.get_world_size()
    result = {"weights": lm.model.state_dict(), "eval_loss": record.eval_loss, "size": size}
    torch.save({**result, "history": record.history}, folder / f"rank{rank}.pt")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
