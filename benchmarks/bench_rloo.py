"""An iteration of RLOO with the 135M model: our decoder and prefix trees against TRL's RLOOTrainer.

15 prompts x 8 completions of at most 40 tokens, constraint reward, KL penalty, one update, bf16,
40 completions computed at a time. The first iteration warms both up; the median of the others
counts. Ours stops a completion at the end of its first sentence, TRL's at the end of the turn, so
seconds for each token drawn are shown too. Goal: at least 4 times faster.

    python benchmarks/bench_rloo.py [--iterations N]
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from sides import main, number, report, run_side

MODEL, SEED, COMPLETIONS, LONGEST, BETA, LEARNING_RATE = (
    "smollm2-135m-instruct",
    42,
    8,
    40,
    0.05,
    2e-5,
)
ITERATIONS = 4


def summary(times: list[float], lengths: list[float], n_prompts: int) -> dict[str, float]:
    """Median seconds of an iteration after the first, and its tokens."""
    seconds = [after - before for before, after in itertools.pairwise(times)]
    tokens = statistics.median(lengths[1:]) * COMPLETIONS * n_prompts
    return {"seconds": statistics.median(seconds), "tokens": tokens}


class _Clock:
    """Listens to the training, and writes down when each iteration is over."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def report(self, stage: str, done: int, total: int) -> None:
        """See ``Listener.report``."""
        if stage == "training" and done:
            self.times.append(time.perf_counter())

    def say(self, line: str) -> None:
        """See ``Listener.say``."""


def ours() -> None:
    """Equipoise's method, without its saving of weights."""
    from equipoise import load_model, load_task
    from equipoise.methods.method import Policy
    from equipoise.methods.rlhf.rewards import ConstraintReward
    from equipoise.methods.rlhf.rollouts import Rollouts
    from equipoise.progress import listening
    from equipoise.training.checkpoint import CheckpointClock
    from equipoise.training.policy_gradient import PolicyObjective
    from equipoise.training.train import train
    from equipoise.training.training_settings import TrainingSettings

    task, lm = load_task("occupations"), load_model(MODEL)
    subjects = [subject.name for subject in task.train]
    rollouts = Rollouts(
        lm,
        task,
        subjects,
        lm.prompts(Policy(lm, task).questions(subjects)),
        ConstraintReward(task),
        COMPLETIONS,
        LONGEST,
        BETA,
        100.0,
        SEED,
        40,
        CheckpointClock(60),
    )
    settings = TrainingSettings(
        learning_rate=LEARNING_RATE, batch_size=40, max_steps=number("--iterations", ITERATIONS)
    )
    clock = _Clock()
    with tempfile.TemporaryDirectory() as folder, listening(clock):
        record = train(
            lm,
            list(range(len(subjects))),
            [],
            settings,
            SEED,
            objective=PolicyObjective(rollouts),
            update_size=len(subjects),
            clock=CheckpointClock(60),
            checkpoints=Path(folder) / "checkpoints",
            logs=Path(folder) / "logs",
        )
    lengths = [row["length"] for row in record.history if "length" in row]
    report(summary(clock.times, lengths, len(subjects)))


def trl() -> None:
    """TRL's RLOOTrainer with the same reward."""
    import torch
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import RLOOConfig, RLOOTrainer

    from equipoise import load_model, load_task
    from equipoise.model.embedded import fetch
    from equipoise.model.registry import local_folder

    task, lm = load_task("occupations"), load_model(MODEL)
    # It loads the reference by this name.
    lm.model.config._name_or_path = str(local_folder(MODEL) or fetch(MODEL))
    times: list[float] = []

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            times.append(time.perf_counter())

    def reward(completions: list[Any], **kwargs: Any) -> list[float]:
        return [task.constraint.share_satisfied(turns[0]["content"]) for turns in completions]

    rows = [{"prompt": [{"role": "user", "content": task.prompt(s.name)}]} for s in task.train]
    with tempfile.TemporaryDirectory() as folder:
        trainer = RLOOTrainer(
            model=lm.model,
            processing_class=lm.tokenizer,
            reward_funcs=reward,
            train_dataset=Dataset.from_list(rows),
            args=RLOOConfig(
                output_dir=folder,
                seed=SEED,
                per_device_train_batch_size=40,
                gradient_accumulation_steps=3,
                num_generations=COMPLETIONS,
                max_completion_length=LONGEST,
                beta=BETA,
                max_steps=number("--iterations", ITERATIONS),
                learning_rate=LEARNING_RATE,
                bf16=lm.dtype == torch.bfloat16,
                use_cpu=lm.device.type == "cpu",
                logging_steps=1,
                save_strategy="no",
                report_to=[],
                disable_tqdm=True,
            ),
            callbacks=[Clock()],
        )
        trainer.train()
    lengths = [
        row["completions/mean_length"]
        for row in trainer.state.log_history
        if "completions/mean_length" in row
    ]
    report(summary(times, lengths, len(task.train)))


def compare() -> None:
    """Run both and print the ratio."""
    iterations = ["--iterations", str(number("--iterations", ITERATIONS, 1))]
    tree, peer = (run_side(__file__, side, *iterations) for side in ("ours", "trl"))
    for name, side in (("Equipoise", tree), ("TRL RLOOTrainer", peer)):
        print(
            f"{name:15} {side['seconds']:7.2f} s an iteration, {side['tokens']:6.0f} tokens, "
            f"{1000 * side['seconds'] / side['tokens']:.2f} ms a token   "
            f"peak {side['peak_gb']:.2f} GB"
        )
    a_token = (peer["seconds"] / peer["tokens"]) / (tree["seconds"] / tree["tokens"])
    print(f"ratio {peer['seconds'] / tree['seconds']:.1f} (goal 4), {a_token:.1f} a token")


if __name__ == "__main__":
    main(__file__, {"ours": ours, "trl": trl}, compare)
