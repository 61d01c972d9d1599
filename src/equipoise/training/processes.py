"""Several processes at one training, as ``accelerate launch`` and ``torchrun`` start them."""

from __future__ import annotations

import os


def is_first_process() -> bool:
    """Whether this is the only process, or the first of several: the one that writes files."""
    return os.environ.get("RANK", "0") == "0"


def several_processes() -> bool:
    """Whether more than one process trains."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def any_process(flag: bool) -> bool:
    """Whether ``flag`` is set in any of the processes, so that all of them act alike."""
    import torch
    import torch.distributed as dist

    if not (dist.is_available() and dist.is_initialized()):
        return flag
    on_gpu = dist.get_backend() == "nccl"
    value = torch.tensor(int(flag), device="cuda" if on_gpu else "cpu")
    dist.all_reduce(value, op=dist.ReduceOp.MAX)
    return bool(value)


def mean_over_processes(value: float) -> float:
    """Mean of ``value`` over all processes."""
    import torch
    import torch.distributed as dist

    if not (dist.is_available() and dist.is_initialized()):
        return value
    total = torch.tensor(value, device="cuda" if dist.get_backend() == "nccl" else "cpu")
    dist.all_reduce(total)
    return float(total) / dist.get_world_size()


def wait_for_all() -> None:
    """Wait until every process has come here; nothing where there is one."""
    import torch.distributed as dist

    if dist.is_available() and dist.is_initialized():
        dist.barrier()
