"""On which device a model computes, and in which floating-point type: found by checks."""

from __future__ import annotations

import os
import time
from functools import cache

import torch

from equipoise.errors import EquipoiseError, nearest

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
"""Compute types a user may ask for."""

MIN_SPEEDUP = 1.5
"""A processor of unknown kind must multiply bfloat16 this much faster to be used with it; far
enough from 1 for the answer to be the same on every start of one machine."""


def pick_device(device: str | torch.device | None = None) -> torch.device:
    """``device`` once it is known to be there; without one, the first of CUDA, MPS, CPU.

    Under ``accelerate launch`` each process gets the GPU of its ``LOCAL_RANK``.

    Raises:
        EquipoiseError: The device is not available on this machine, or no such kind exists.
    """
    if device is None:
        if torch.cuda.is_available():
            return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    kinds = ("cpu", "cuda", "mps")
    try:
        chosen = torch.device(device)
    except RuntimeError:
        chosen = None
    if chosen is None or chosen.type not in kinds:
        raise EquipoiseError(f"unknown device '{device}'", hint=nearest(str(device), kinds))
    there = {
        "cpu": True,
        "cuda": (chosen.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }[chosen.type]
    if not there:
        raise EquipoiseError(
            f"device '{device}' is not available on this machine",
            hint=f"Leave the device out; '{pick_device()}' is chosen then.",
        )
    return chosen


def pick_compute_dtype(device: torch.device, dtype: str | torch.dtype | None = None) -> torch.dtype:
    """The type in which matrix products are computed on ``device``.

    Without ``dtype`` it is bfloat16 where the hardware has instructions for it, else float32. A
    processor that only emulates bfloat16 computes it slower than float32.

    Args:
        device: As returned by `pick_device`.
        dtype: ``float32``, ``bfloat16`` or ``float16`` (as a name or a torch type) to override.

    Raises:
        EquipoiseError: The type is unknown, or useless on that device.
    """
    if dtype is None:
        return torch.bfloat16 if has_fast_bfloat16(device) else torch.float32
    wanted = str(dtype).removeprefix("torch.")
    if wanted not in DTYPES:
        raise EquipoiseError(f"unknown dtype '{dtype}'", hint=nearest(wanted, DTYPES))
    if wanted == "float16" and device.type == "cpu":
        raise EquipoiseError(
            "dtype 'float16' is not for the CPU: it is slow there, and training overflows",
            hint="Use 'bfloat16' or 'float32'.",
        )
    if wanted == "bfloat16" and device.type != "cpu" and not has_fast_bfloat16(device):
        raise EquipoiseError(f"device '{device}' cannot compute in bfloat16", hint="Use 'float32'.")
    return DTYPES[wanted]


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether ``device`` multiplies bfloat16 matrices in hardware."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "mps":
        return bool(torch.backends.mps.is_macos_or_newer(14, 0))
    # Older torch cannot say; then the clock must.
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    if capabilities.get("architecture") == "x86_64":
        return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return bool(capabilities.get("bf16", True)) and _bfloat16_speedup() >= MIN_SPEEDUP


@cache
def _bfloat16_speedup(size: int = 512, repeats: int = 5) -> float:
    """How many times faster this CPU multiplies ``size`` x ``size`` matrices in bfloat16."""
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        matrix = torch.ones(size, size, dtype=dtype)
        matrix @ matrix  # the first product also sets up the library
        timings = []
        for _ in range(repeats):
            start = time.perf_counter()
            matrix @ matrix
            timings.append(time.perf_counter() - start)
        seconds[dtype] = min(timings)
    return seconds[torch.float32] / seconds[torch.bfloat16]


def describe_precision(
    device: torch.device, dtype: torch.dtype, weights: torch.dtype = torch.float32
) -> str:
    """One line such as ``CPU, 2 threads, bfloat16 compute over float32 weights``."""
    if device.type == "cpu":
        threads = torch.get_num_threads()
        place = f"CPU, {threads} thread{'s' if threads != 1 else ''}"
    elif device.type == "cuda":
        place = f"CUDA ({torch.cuda.get_device_name(device)})"
    else:
        place = "Apple GPU (MPS)"
    compute, stored = (str(kind).removeprefix("torch.") for kind in (dtype, weights))
    return f"{place}, {compute}" + (f" compute over {stored} weights" if dtype != weights else "")
