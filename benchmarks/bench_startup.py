"""Start-up of ``equipoise --help``. Goal: 0.5 s, median of nine runs after a warm-up.

python benchmarks/bench_startup.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from sides import begin, number


def seconds(command: list[str]) -> float:
    """Wall-clock time of one run."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    """Time it beside a bare interpreter."""
    begin(__file__)
    tool = [str(Path(sys.executable).with_name("equipoise")), "--help"]
    bare = [sys.executable, "-c", "pass"]
    n, sides = number("--n", 10, 4), {"a": tool, "b": bare}
    times = {name: [seconds(side) for _ in range(n)][1:] for name, side in sides.items()}
    tool_time, bare_time = (statistics.median(times[name]) for name in ("a", "b"))
    print(
        f"equipoise --help {tool_time:.2f} s (goal 0.5), bare interpreter {bare_time:.2f} s, "
        f"ratio {tool_time / bare_time:.1f}"
    )


if __name__ == "__main__":
    main()
