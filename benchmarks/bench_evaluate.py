"""One million completions measured, without a judge. Goal: under 60 s and 2 GB.

Two methods with two seeds each, 12,500 completions of each of the task's 20 occupations. The
first method's are training-like sentences, many of them twice; the other's are as long, and nearly
all distinct.

    python benchmarks/bench_evaluate.py [--n N]
"""

from __future__ import annotations

import csv
import random
import tempfile
import time
from pathlib import Path

from sides import main, number, report, run_side, text


def write(path: Path, n: int) -> int:
    """Write the completions, ``n`` of each occupation, seed and method; how many they are."""
    from equipoise import BalancedExampleGenerator, load_task

    task, rng = load_task("occupations"), random.Random(1)  # noqa: S311 - data
    generator = BalancedExampleGenerator(task, seed=1)
    splits = ("train", "validation")
    sentences = {
        subject.name: [e.text for e in generator.generate_about(subject.name, max(1, n // 2))]
        for split in splits
        for subject in (task.train if split == "train" else task.validation)
    }
    words = sorted({w for texts in sentences.values() for t in texts[:100] for w in t[:-1].split()})
    count = 0
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["method", "seed", "subject", "text"])
        for seed in (1, 2):
            for subject, texts in sentences.items():
                for number_ in range(n):
                    free = " ".join(rng.choices(words, k=rng.randint(5, 12)))
                    writer.writerow(["a", seed, subject, texts[number_ % len(texts)]])
                    writer.writerow(["b", seed, subject, f"The {subject} was {free}."])
                    count += 2
    return count


def ours() -> None:
    """``equipoise.evaluate`` on the file."""
    import equipoise

    started = time.perf_counter()
    found = equipoise.evaluate(text("--file", ""))
    seconds = time.perf_counter() - started
    report({"seconds": seconds, "completions": len(found.completions)})


def compare() -> None:
    """Make the file, measure it in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "completions.csv"
        count = write(path, number("--n", 12_500, 1_250))
        side = run_side(__file__, "ours", "--file", str(path))
    print(
        f"{count:,} completions in {side['seconds']:.1f} s (goal 60), "
        f"peak {side['peak_gb']:.2f} GB (goal 2)"
    )


if __name__ == "__main__":
    main(__file__, {"ours": ours}, compare)
