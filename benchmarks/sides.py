"""Run the sides of a comparison as processes of their own, one after the other.

A side prints one JSON object as its last line. Peak memory is the operating system's own figure
for the whole process, taken by the process itself just before it ends.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

QUICK = "--quick"
"""On the command line: fewer samples and updates, so that all takes some five minutes."""


def run_side(file: str, side: str, *arguments: str) -> dict[str, Any]:
    """What ``python FILE --side SIDE ARGUMENTS`` measured."""
    command = [sys.executable, file, "--side", side, *arguments]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if missing := re.search(r"^ModuleNotFoundError: (.*)$", done.stderr, re.MULTILINE):
        skip(f"side '{side}': {missing[1]}")
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def report(result: Mapping[str, Any]) -> None:
    """Print a side's result, with the peak resident memory of this process in GB."""
    print(json.dumps({**result, "peak_gb": round(peak_gb(), 2)}))


def peak_gb() -> float:
    """Peak resident memory of this process so far, in GB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def main(file: str, sides: Mapping[str, Callable[[], None]], compare: Callable[[], None]) -> None:
    """Run one side if ``--side`` names it, else the comparison."""
    if "--side" in sys.argv:
        sides[sys.argv[sys.argv.index("--side") + 1]]()
    else:
        begin(file)
        compare()


def begin(file: str) -> None:
    """Say which benchmark begins, on which processor, and whether it is cut short."""
    from equipoise.runs.environment import environment

    machine = environment()
    cut = ", quick: its figures are rough" if QUICK in sys.argv else ""
    print(f"== {Path(file).stem} ({machine['processor']}, {machine['cores']} cores{cut})")


def skip(why: str) -> NoReturn:
    """End without a figure, which is no failure."""
    print(f"skipped: {why}")
    sys.exit(0)


def number(flag: str, default: int, quick: int | None = None) -> int:
    """The whole number after ``flag`` on the command line; ``quick`` is a default of `QUICK`."""
    if flag in sys.argv:
        return int(sys.argv[sys.argv.index(flag) + 1])
    return default if quick is None or QUICK not in sys.argv else quick


def text(flag: str, default: str) -> str:
    """The word after ``flag`` on the command line."""
    return sys.argv[sys.argv.index(flag) + 1] if flag in sys.argv else default
