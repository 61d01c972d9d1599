"""A product of matrices is the same to the bit wherever its operands lie in memory."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import hashlib
import equipoise, torch

def results(rows, inner, columns):
    generator = torch.Generator().manual_seed(1)
    state = torch.randn(rows, inner, generator=generator)
    weight = torch.randn(columns, inner, generator=generator)
    found = set()
    for offset in range(32):
        moved = torch.empty(rows * inner + 32)[offset:][: rows * inner].view(rows, inner)
        beside = torch.empty(columns * inner + 32)[offset:][: columns * inner].view(columns, inner)
        product = torch.nn.functional.linear(moved.copy_(state), beside.copy_(weight))
        found.add(hashlib.sha256(product.numpy().tobytes()).hexdigest())
    return len(found)

print(*(results(*shape) for shape in ((3, 64, 64), (1, 576, 192), (7, 576, 1536))))
"""


@pytest.mark.parametrize("threads", ["1", "2"])
def test_operands_are_moved_and_the_product_stays(threads: str) -> None:
    """Without the library's reproducible mode a processor without AVX-512 gives up to four."""
    left = {name: value for name, value in os.environ.items() if name != "MKL_CBWR"}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=left | {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == ["1", "1", "1"]


def test_what_the_user_set_stays() -> None:
    code = "import os, equipoise; print(os.environ['MKL_CBWR'])"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "MKL_CBWR": "COMPATIBLE"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "COMPATIBLE\n"
