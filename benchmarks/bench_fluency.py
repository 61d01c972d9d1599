"""Fluency of 1,000 completions: Equipoise's prefix trees against one sentence a row.

The untuned model's completions of 4 occupations, 250 each, each distinct one scored once after the
task's neutral prompt, in bf16. The peer is the usual way: 32 sentences a batch, one a row, padded,
all logits, a log-softmax over them. Goal: at least 3 times faster, with equal values.

    python benchmarks/bench_fluency.py [--n N] [--batch B]
"""

from __future__ import annotations

import time
from typing import Any

from sides import main, number, report, run_side

SUBJECTS = ("doctor", "nurse", "plumber", "teacher")


def completions() -> tuple[Any, Any, list[tuple[str, str]]]:
    """Task, model, and distinct subjects and sentences; the same for both sides."""
    from equipoise import load_model, load_task
    from equipoise.decoding import Sampling
    from equipoise.methods.method import Policy

    task, lm = load_task("occupations"), load_model("smollm2-135m-instruct")
    lm.use_compute_type()
    frame = Policy(lm, task).deliver("m", SUBJECTS, number("--n", 250), Sampling(), 42).completions
    pairs = frame[["subject", "text"]].drop_duplicates().itertuples(index=False, name=None)
    return task, lm, list(pairs)


def ours() -> None:
    """Prefix trees."""
    from equipoise.measures.judging import score_fluency

    task, lm, pairs = completions()
    score_fluency(lm, task, pairs[:4], "prompt")
    started = time.perf_counter()
    scores = score_fluency(lm, task, pairs, "prompt")
    seconds = time.perf_counter() - started
    report({"seconds": seconds, "values": scores["log_probability"].tolist()})


def one_a_row() -> None:
    """Padded batches of whole sequences."""
    import torch

    from equipoise.model.scoring import shared_length

    task, lm, pairs = completions()
    batch, values = number("--batch", 32), []

    def score(part: list[tuple[str, str]]) -> list[float]:
        whole = [lm.context(task.prompt(s), text) for s, text in part]
        # Where the tokenizer joins "wasn" across the prefix, both sides score from the joint on.
        prefixes = [lm.context(task.prompt(s), task.response_prefix(s)) for s, _ in part]
        starts = list(map(shared_length, prefixes, whole))
        longest = max(map(len, whole))
        ids = torch.full((len(part), longest), lm.end_of_turn)
        mask = torch.zeros_like(ids)
        for row, tokens in enumerate(whole):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            mask[row, : len(tokens)] = 1
        with torch.inference_mode():
            logits = lm.model(input_ids=ids, attention_mask=mask).logits
            found = logits[:, :-1].float().log_softmax(-1).gather(-1, ids[:, 1:, None])[..., 0]
        return [
            float(found[row, start - 1 : len(tokens) - 1].sum())
            for row, (tokens, start) in enumerate(zip(whole, starts, strict=True))
        ]

    score(pairs[:4])
    started = time.perf_counter()
    ordered = sorted(range(len(pairs)), key=lambda i: len(pairs[i][1]))  # little padding
    found = dict.fromkeys(range(len(pairs)), 0.0)
    for start in range(0, len(ordered), batch):
        part = ordered[start : start + batch]
        found |= zip(part, score([pairs[i] for i in part]), strict=True)
    seconds = time.perf_counter() - started
    values = [found[i] for i in range(len(pairs))]
    report({"seconds": seconds, "values": values})


def compare() -> None:
    """Run both and print the ratio, and how far their values are apart."""
    n, batch = str(number("--n", 250, 25)), str(number("--batch", 32))
    own = run_side(__file__, "ours", "--n", n)
    peer = run_side(__file__, "row", "--n", n, "--batch", batch)
    for name, side in (("Equipoise", own), ("one sentence a row", peer)):
        count = len(side["values"])
        print(
            f"{name:20} {side['seconds']:7.1f} s   {count:,} sentences   "
            f"{count / side['seconds']:6.0f} a second   peak {side['peak_gb']:.2f} GB"
        )
    apart = [
        abs(a - b) / max(1.0, abs(b)) for a, b in zip(own["values"], peer["values"], strict=True)
    ]
    apart.sort()
    print(
        f"ratio {peer['seconds'] / own['seconds']:.1f} (goal 3); in bf16 values differ by "
        f"{apart[len(apart) // 2]:.1%} in the middle, {apart[-1]:.1%} at most"
    )


if __name__ == "__main__":
    main(__file__, {"ours": ours, "row": one_a_row}, compare)
