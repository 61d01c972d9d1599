"""500,000 distinct training sentences: generated, validated, written. Goal: 60 s and 1 GB.

python benchmarks/bench_examples.py [--n N]
"""

from __future__ import annotations

import math
import tempfile
import time
from pathlib import Path

from sides import main, number, report, run_side


def ours() -> None:
    """``equipoise data``'s own path."""
    from equipoise import BalancedExampleGenerator, load_task
    from equipoise.task.dataset import write_examples

    started = time.perf_counter()
    task = load_task("occupations")
    n = math.ceil(number("--n", 500_000) / len(task.train))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "examples.csv"
        written = write_examples(path, BalancedExampleGenerator(task, 42).generate(n))
        seconds = time.perf_counter() - started
        lines = path.read_text(encoding="utf-8").splitlines()
    distinct = len({line.split(",", 4)[4] for line in lines[1:]})
    report({"seconds": seconds, "written": written, "distinct": distinct})


def compare() -> None:
    """Run it and print the figures."""
    side = run_side(__file__, "ours", "--n", str(number("--n", 500_000, 50_000)))
    print(
        f"{side['written']:,} sentences, {side['distinct']:,} distinct, "
        f"{side['seconds']:.1f} s (goal 60), peak {side['peak_gb']:.2f} GB (goal 1; reading the "
        "file back to count included)"
    )


if __name__ == "__main__":
    main(__file__, {"ours": ours}, compare)
