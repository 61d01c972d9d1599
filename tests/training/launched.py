"""What `test_several_processes` starts with ``accelerate launch``: trains, and saves the weights.

Arguments: folder of the model, folder to write to; and ``fsdp`` to split the model.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from equipoise.model.loading import load_model
from equipoise.progress import listening
from equipoise.training.train import train
from equipoise.training.training_settings import TrainingSettings
from heard import Heard
from training.twins import make_examples


def let_cpus_shard() -> None:
    """Have accelerate split models on CPUs too.

    It reads FSDP's settings there as elsewhere, then takes up the plugin for GPUs only; everything
    behind that switch is the same.
    """
    from accelerate.state import AcceleratorState, PartialState
    from accelerate.utils import DistributedType

    make = AcceleratorState.__init__

    def init(self: Any, *arguments: Any, fsdp_plugin: Any = None, **options: Any) -> None:
        make(self, *arguments, fsdp_plugin=fsdp_plugin, **options)
        if fsdp_plugin is not None and self.distributed_type == DistributedType.MULTI_CPU:
            self.distributed_type, self.fsdp_plugin = DistributedType.FSDP, fsdp_plugin
            PartialState._shared_state["distributed_type"] = DistributedType.FSDP

    AcceleratorState.__init__ = init


def main(model: str, folder: Path) -> None:
    from torch.distributed.tensor import DTensor

    split = []

    def look(done: int, total: int) -> None:
        split.append(all(isinstance(parameter, DTensor) for parameter in lm.model.parameters()))

    lm = load_model(model, device="cpu", dtype="float32")
    with listening(Heard(look)):
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
    result["split"] = all(split)
    torch.save({**result, "history": record.history}, folder / f"rank{rank}.pt")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    if "fsdp" in sys.argv[3:]:
        let_cpus_shard()
    main(sys.argv[1], Path(sys.argv[2]))
