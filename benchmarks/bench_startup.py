"""Start-up of ``equipoise --help``. Goal: 0.5 s, median of nine runs after a warm-up.

python benchmarks/bench_startup.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path


def seconds(command: list[str]) -> float:
    """Wall-clock time of one run."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    """Time it beside a bare interpreter."""
    print("== bench_startup")
    tool = [str(Path(sys.executable).with_name("equipoise")), "--help"]
    bare = [sys.executable, "-c", "pass"]
    times = {name: [seconds(c) for _ in range(10)][1:] for name, c in (("a", tool), ("b", bare))}
    tool_time, bare_time = (statistics.median(times[name]) for name in ("a", "b"))
    print(
        f"equipoise --help {tool_time:.2f} s (goal 0.5), bare interpreter {bare_time:.2f} s, "
        f"ratio {tool_time / bare_time:.1f}"
    )


if __name__ == "__main__":
    main()
