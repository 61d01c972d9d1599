"""How fast a machine computes and moves memory: found by a check, or said by the user."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from equipoise.model.precision import pick_compute_dtype

USUAL_INTENSITY = 150
"""Products that a device of 16-bit arithmetic computes while it moves a byte, CPU or GPU."""

COPIED_BYTES = 2**26
"""Of the copy that is timed: more than caches hold."""

FEW_ROWS = 64
"""Completions that are drawn side by side, in the middle of a cell: products of so few rows reach
a third of the speed of large ones where tiles are large (Intel AMX)."""


@dataclass(frozen=True)
class Rates:
    """What a machine does in a second.

    Attributes:
        flops: Operations in products of large matrices, in the type that it computes in.
        drawing_flops: Likewise where one matrix has few rows, as in drawing.
        bandwidth: Bytes that it reads or writes.
    """

    flops: float
    drawing_flops: float
    bandwidth: float

    @classmethod
    def said(cls, tflops: float) -> Rates:
        """Those of a device of which only its arithmetic is known, in 10¹² operations a second."""
        flops = tflops * 1e12
        return cls(flops, flops, flops / USUAL_INTENSITY)

    @classmethod
    def measured(cls, device: torch.device, dtype: str | None, size: int = 1024) -> Rates:
        """Those of this machine, with as many threads as this process has; a fraction of a second.

        Products are in the type that a model would compute in, so bfloat16 is never emulated.

        Args:
            device: Where models run.
            dtype: The type that the user wants; None for the device's own.
            size: Rows and columns of the matrices.
        """
        compute = pick_compute_dtype(device, dtype)
        matrix = torch.ones(size, size, dtype=compute, device=device)
        source = torch.ones(COPIED_BYTES // 4, dtype=torch.float32, device=device)
        target = torch.empty_like(source)
        rows = matrix[:FEW_ROWS]
        product = fastest(lambda: float((matrix @ matrix)[0, 0]))
        few = fastest(lambda: float((rows @ matrix)[0, 0]))
        copy = fastest(lambda: float(target.copy_(source)[0]))
        return cls(2 * size**3 / product, 2 * len(rows) * size**2 / few, 2 * COPIED_BYTES / copy)


def fastest(work: Callable[[], object], repeats: int = 5, spread: float = 0.15) -> float:
    """Seconds of the fastest of some runs, after one that sets the library up.

    On a busy machine a thread may be put off for longer than five short products take, and all of
    them look a hundred times as slow. So runs go on for a while.

    Args:
        work: Is run.
        repeats: At least so many times.
        spread: Until so many seconds have passed.
    """
    work()
    best, begun, done = float("inf"), time.perf_counter(), 0
    while done < repeats or time.perf_counter() < begun + spread:
        started = time.perf_counter()
        work()
        best, done = min(best, time.perf_counter() - started), done + 1
    return best
