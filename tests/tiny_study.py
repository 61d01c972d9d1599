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
    side_effects: bool = False,
    without_listed: int = 0,
) -> Path:
    """Write ``study.toml`` and ``small.toml`` to ``folder``, with pieces of them replaced.

    Models are examined only where ``side_effects`` says so, and sampled without the listed terms
    only where ``without_listed`` does, as that takes longer than the rest.
    """
    write_task(folder, *task)
    path = folder / "study.toml"
    text = varied(STUDY, ("MODEL", str(model)), *replacements)
    asked = [] if side_effects else ["side_effects = false"]
    text = _measuring(text, [*asked, f"without_listed = {without_listed}"])
    path.write_text(text, encoding="utf-8")
    return path


def _measuring(text: str, asked: Sequence[str]) -> str:
    """A study file with these lines in its own table of measures if it has one, or in a new one."""
    lines = "".join(f"{line}\n" for line in asked)
    if "[measures]\n" in text:
        return text.replace("[measures]\n", f"[measures]\n{lines}")
    return text if "measures" in text else f"{text}\n[measures]\n{lines}"
