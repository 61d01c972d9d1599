"""A study file, on `tiny_task`, small enough to be run in a second, on a tiny model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tiny_task import Replacement, varied, write_task

STUDY = """
[study]
name = "tiny"
task = "small.toml"
model = "MODEL"
seeds = [1, 2]
samples_per_subject = 3

[sampling]
max_new_tokens = 12

[methods.prompt]

[methods.prompt-balanced]

[methods.sft]
n_per_subject = 8
batch_size = 2
grad_accum_steps = 2
epochs = 2

[methods.sft-fast]
use = "sft"
n_per_subject = 8
learning_rate = 1e-2
max_steps = 2
"""


def write_study(
    folder: Path,
    model: Path | str,
    *replacements: Replacement,
    task: Sequence[Replacement] = (),
) -> Path:
    """Write ``study.toml`` and ``small.toml`` to ``folder``, with pieces of them replaced."""
    write_task(folder, *task)
    path = folder / "study.toml"
    path.write_text(varied(STUDY, ("MODEL", str(model)), *replacements), encoding="utf-8")
    return path
