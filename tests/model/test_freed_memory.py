"""What the process does with freed memory: it is used again, or given back when that is asked."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import resource
import torch
from equipoise.model.freed_memory import give_freed_memory_back, keep_freed_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def held():
    return int(open("/proc/self/statm").read().split()[1])

def again():
    before = faults()
    for _ in range(10):
        torch.ones(8 << 20)  # 32 MiB
    return faults() - before

again()
plain = again()
keep_freed_memory()
again()
kept, with_it = again(), held()
give_freed_memory_back()
print(plain, kept, with_it - held())
"""
PAGES = (32 << 20) // 4096


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc is asked")
def test_freed_memory_is_used_again_and_can_be_given_back() -> None:
    """Page faults of ten tensors: all of their pages each time, or none; then they are free."""
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=120
    )
    plain, kept, given_back = map(int, ran.stdout.split())
    if plain < 5 * PAGES:
        pytest.skip("the C library of this system keeps large blocks anyway")
    assert kept < PAGES
    assert given_back > PAGES / 2
