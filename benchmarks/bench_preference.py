"""DPO of the 135M model: prefix trees against TRL's DPOTrainer, and its peak memory.

300 free pairs, one epoch, effective batch 16, bf16, the same pairs, learning rate and schedule. TRL
keeps its defaults otherwise, with the reference's log-probabilities computed beforehand, as ours
are; both times include that. Goal: at least 4 times faster, and a peak of at most 4.5 GB.

    python benchmarks/bench_preference.py [--steps N]
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from sides import main, number, report, run_side

MODEL, SEED, N_PER_SUBJECT, LEARNING_RATE, BETA = "smollm2-135m-instruct", 42, 20, 5e-5, 0.1
UPDATES = 19


def data() -> tuple[Any, Any]:
    """The model, and the 300 pairs as texts."""
    from equipoise import load_model, load_task
    from equipoise.task.preference import PreferencePairGenerator
    from equipoise.task.preference_file import text_pairs

    task, lm = load_task("occupations"), load_model(MODEL)
    pairs = PreferencePairGenerator(task, SEED, "free", 0.2).generate(N_PER_SUBJECT)
    return lm, text_pairs(pairs, task, "neutral")


def ours() -> None:
    """Equipoise's trainer."""
    from equipoise.training.preference import PreferenceObjective, pair_examples, with_reference
    from equipoise.training.train import train
    from equipoise.training.training_settings import TrainingSettings

    lm, pairs = data()
    settings = TrainingSettings(
        learning_rate=LEARNING_RATE,
        batch_size=16,
        grad_accum_steps=1,
        max_steps=number("--steps", UPDATES),
    )
    started = time.perf_counter()
    examples = with_reference(lm, pair_examples(lm, pairs))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        record = train(
            lm,
            examples,
            [],
            settings,
            SEED,
            objective=PreferenceObjective(BETA),
            checkpoints=root / "checkpoints",
            logs=root / "logs",
        )
    seconds = time.perf_counter() - started
    rows = [row for row in record.history if "margin" in row]
    report({"seconds": seconds, "loss": rows[-1]["loss"], "margin": rows[-1]["margin"]})


def trl() -> None:
    """TRL's DPOTrainer on the same pairs."""
    import torch
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    lm, pairs = data()
    rows = [
        {
            "prompt": [{"role": "user", "content": pair.prompt}],
            "chosen": [{"role": "assistant", "content": pair.chosen}],
            "rejected": [{"role": "assistant", "content": pair.rejected}],
        }
        for pair in pairs
    ]
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        trainer = DPOTrainer(
            model=lm.model,
            processing_class=lm.tokenizer,
            train_dataset=Dataset.from_list(rows),
            args=DPOConfig(
                output_dir=folder,
                seed=SEED,
                data_seed=SEED,
                beta=BETA,
                precompute_ref_log_probs=True,
                gradient_accumulation_steps=2,  # of its default of 8 pairs
                num_train_epochs=1,
                max_steps=number("--steps", UPDATES),
                learning_rate=LEARNING_RATE,
                warmup_steps=0.1,
                weight_decay=0.01,
                bf16=lm.dtype == torch.bfloat16,
                use_cpu=lm.device.type == "cpu",
                logging_steps=1,
                save_strategy="no",
                report_to=[],
                disable_tqdm=True,
            ),
        )
        trainer.train()
        seconds = time.perf_counter() - started
    last = next(row for row in trainer.state.log_history[::-1] if "loss" in row)
    report({"seconds": seconds, "loss": last["loss"], "margin": last["rewards/margins"]})


def compare() -> None:
    """Run both and print the ratio."""
    steps = ["--steps", str(number("--steps", UPDATES, 4))]
    tree, peer = run_side(__file__, "ours", *steps), run_side(__file__, "trl", *steps)
    for name, side in (("Equipoise", tree), ("TRL DPOTrainer", peer)):
        print(
            f"{name:15} {side['seconds']:7.1f} s   last loss {side['loss']:.4f}   "
            f"margin {side['margin']:.2f}   peak {side['peak_gb']:.2f} GB"
        )
    print(
        f"ratio {peer['seconds'] / tree['seconds']:.1f} (goal 4), "
        f"peak {tree['peak_gb']:.2f} GB (goal 4.5)"
    )


if __name__ == "__main__":
    main(__file__, {"ours": ours, "trl": trl}, compare)
