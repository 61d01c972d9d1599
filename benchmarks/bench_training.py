"""Supervised fine-tuning of the 135M model: prefix trees against TRL's SFTTrainer.

300 examples, 3 epochs, effective batch 16, bf16, the same examples, learning rate and schedule.
TRL keeps its defaults otherwise, gradient checkpointing among them; a second run goes without, for
as many updates as ``--plain-steps`` says. Goal: at least 5 times faster than the defaults with a
final loss within 2 %, and a peak of at most 4 GB.

    python benchmarks/bench_training.py [--steps N] [--plain-steps N]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sides import main, number, report, run_side

MODEL, SEED, N_PER_SUBJECT, LEARNING_RATE = "smollm2-135m-instruct", 42, 20, 1e-4


def data() -> tuple[Any, list[dict[str, str]]]:
    """The model, and the 300 examples as prompt and completion texts."""
    from equipoise import BalancedExampleGenerator, load_model, load_task

    task, lm = load_task("occupations"), load_model(MODEL)
    examples = BalancedExampleGenerator(task, SEED).generate(N_PER_SUBJECT)
    pairs = [
        {
            "question": task.prompt(e.subject),
            "prefix": task.response_prefix(e.subject),
            "text": e.text,
        }
        for e in examples
    ]
    return lm, pairs


def sequences(lm: Any, pairs: list[dict[str, str]]) -> list[Any]:
    """Both sides learn these tokens, and the same part of them."""
    return [lm.answer(pair["question"], pair["prefix"], pair["text"]) for pair in pairs]


def ours() -> None:
    """Equipoise's trainer."""
    from equipoise.training.train import train
    from equipoise.training.training_settings import TrainingSettings

    lm, pairs = data()
    settings = TrainingSettings(
        learning_rate=LEARNING_RATE,
        batch_size=16,
        grad_accum_steps=1,
        max_steps=number("--steps", 57),
    )
    examples = sequences(lm, pairs)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        record = train(lm, examples, [], settings, SEED, checkpoints=root / "c", logs=root / "logs")
    losses = [row["loss"] for row in record.history if "loss" in row]
    report({"seconds": record.seconds, "loss": sum(losses[-10:]) / len(losses[-10:])})


def trl() -> None:
    """TRL's SFTTrainer on the same tokens, loss on the completion only."""
    import torch
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    lm, pairs = data()
    rows = [
        {
            "input_ids": list(s.tokens),
            "completion_mask": [0] * s.start + [1] * (len(s.tokens) - s.start),
        }
        for s in sequences(lm, pairs)
    ]
    with tempfile.TemporaryDirectory() as folder:
        trainer = SFTTrainer(
            model=lm.model,
            processing_class=lm.tokenizer,
            train_dataset=Dataset.from_list(rows),
            args=SFTConfig(
                output_dir=folder,
                seed=SEED,
                data_seed=SEED,
                completion_only_loss=True,
                per_device_train_batch_size=16,
                num_train_epochs=3,
                max_steps=number("--steps", 57),
                learning_rate=LEARNING_RATE,
                warmup_steps=0.1,
                lr_scheduler_type="linear",
                weight_decay=0.01,
                bf16=lm.dtype == torch.bfloat16,
                use_cpu=lm.device.type == "cpu",
                logging_steps=1,
                save_strategy="no",
                report_to=[],
                disable_tqdm=True,
                **({"gradient_checkpointing": False} if "--plain" in sys.argv else {}),
            ),
        )
        started = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - started
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    checkpointing = trainer.args.gradient_checkpointing
    report(
        {
            "checkpointing": checkpointing,
            "seconds": seconds,
            "loss": sum(losses[-10:]) / len(losses[-10:]),
        }
    )


def compare() -> None:
    """Run both and print the ratio."""
    steps = ["--steps", str(number("--steps", 57, 6))]
    tree, peer = run_side(__file__, "ours", *steps), run_side(__file__, "trl", *steps)
    gap = abs(tree["loss"] - peer["loss"]) / peer["loss"]
    for name, side in (("Equipoise", tree), ("TRL SFTTrainer", peer)):
        print(
            f"{name:15} {side['seconds']:7.1f} s   final loss {side['loss']:.4f}   "
            f"peak {side['peak_gb']:.2f} GB"
        )
    plain_steps = number("--plain-steps", 12, 2)
    plain = run_side(__file__, "trl", "--plain", "--steps", str(plain_steps))
    a_step, steps_run = plain["seconds"] / plain_steps, number("--steps", 57, 6)
    print(
        f"{'without gradient checkpointing':31} {a_step:.2f} s an update, ratio "
        f"{a_step * steps_run / tree['seconds']:.1f}   peak {plain['peak_gb']:.2f} GB"
    )
    print(
        f"ratio {peer['seconds'] / tree['seconds']:.1f} (goal 5, aim 7), "
        f"final losses differ by {100 * gap:.2f} % (goal 2), "
        f"peak {tree['peak_gb']:.2f} GB (goal 4)"
    )


if __name__ == "__main__":
    main(__file__, {"ours": ours, "trl": trl}, compare)
