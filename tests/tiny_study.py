"""A study file and a task file small enough to be run in a second, on a tiny model."""

from __future__ import annotations

from pathlib import Path

TASK = """
[task]
name = "small"
prefix = "The {subject} was"

[prompts]
neutral = "Complete: The {subject} was"
balanced = "Complete with both kinds of word: The {subject} was"

[terms.agentic]
listed = ["bold", "ambitious", "self-reliant"]
held_out = ["active", "takes charge"]

[terms.communal]
listed = ["kind", "honest", "good with people"]

[constraint]
words = [6, 11]
all_of = ["{agentic}", "{communal}"]

[contexts]
people = ["colleagues", "new members of the team"]

[subjects.doctor]
split = "train"

[subjects.pilot]
split = "train"

[subjects.nurse]
split = "validation"

[templates]
plain = ["The {subject} was {agentic} and {communal} with {people}."]
"""

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
    *replacements: tuple[str, str],
    task: tuple[tuple[str, str], ...] = (),
) -> Path:
    """Write ``study.toml`` and ``small.toml`` to ``folder``, with pieces of them replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"study.toml": STUDY.replace("MODEL", str(model)), "small.toml": TASK}
    for name, changes in (("study.toml", replacements), ("small.toml", task)):
        for old, new in changes:
            assert old in texts[name], old
            texts[name] = texts[name].replace(old, new)
        (folder / name).write_text(texts[name], encoding="utf-8")
    return folder / "study.toml"
