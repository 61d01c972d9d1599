"""Several processes at one training, as ``accelerate launch`` and ``torchrun`` start them."""

from __future__ import annotations

import os


def is_first_process() -> bool:
    """Whether this is the only process, or the first of several: the one that writes files."""
    return os.environ.get("RANK", "0") == "0"


def wait_for_all() -> None:
    """Wait until every process has come here; nothing where there is one."""
    import torch.distributed as dist

    if dist.is_available() and dist.is_initialized():
        dist.barrier()
