"""250 completions for each of 4 occupations: Equipoise's decoder against ``model.generate``.

The same model in bf16, prompt, temperature 1.0, top-p 0.95 and at most 64 new tokens; ``generate``
is called once an occupation with ``num_return_sequences=250``. Goal: at least 6 times faster.

    python benchmarks/bench_sampling.py [--n N] [--model NAME_OR_FOLDER]
"""

from __future__ import annotations

import time
from typing import Any

from sides import main, number, report, run_side, text

SUBJECTS = ("doctor", "nurse", "plumber", "teacher")


def model() -> tuple[Any, Any]:
    """The task and the model (``--model``, by default the untuned one) in its compute type."""
    from equipoise import load_model, load_task

    lm = load_model(text("--model", "smollm2-135m-instruct"))
    lm.use_compute_type()
    return load_task("occupations"), lm


def ours() -> None:
    """Equipoise's decoder, after a warm-up of one completion."""
    from equipoise.decoding import Sampling
    from equipoise.methods.method import Policy

    task, lm = model()
    policy = Policy(lm, task)
    policy.draw(SUBJECTS, 1, Sampling(), 0)
    started = time.perf_counter()
    draws = policy.draw(SUBJECTS, number("--n", 250), Sampling(), 42)
    seconds = time.perf_counter() - started
    tokens = sum(draw.tokens or 0 for of_subject in draws for draw in of_subject)
    report({"seconds": seconds, "tokens": tokens, "dtype": str(lm.model.dtype)})


def generate() -> None:
    """``model.generate``, after a warm-up of one completion."""
    import torch

    task, lm = model()
    torch.manual_seed(42)
    options = {
        "do_sample": True,
        "temperature": 1.0,
        "top_p": 0.95,
        "top_k": 0,
        "eos_token_id": sorted(lm.stop_tokens),
        "pad_token_id": lm.end_of_turn,
    }

    def draw(subject: str, n: int, new: int) -> int:
        context = lm.context(task.prompt(subject), task.response_prefix(subject))
        ids = torch.tensor([context])
        output = lm.model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            num_return_sequences=n,
            max_new_tokens=new,
            **options,
        )
        answers = output[:, ids.shape[1] :]
        ends = (answers == lm.end_of_turn).any(-1)  # the token that ends a row counts on both sides
        return int((answers != lm.end_of_turn).sum() + ends.sum())

    draw("doctor", 1, 4)
    started = time.perf_counter()
    tokens = sum(draw(subject, number("--n", 250), 64) for subject in SUBJECTS)
    seconds = time.perf_counter() - started
    report({"seconds": seconds, "tokens": tokens, "dtype": str(lm.model.dtype)})


def compare() -> None:
    """Run both and print the ratio."""
    n = str(number("--n", 250, 25))
    same = ["--n", n, "--model", text("--model", "smollm2-135m-instruct")]
    own, peer = run_side(__file__, "ours", *same), run_side(__file__, "generate", *same)
    for name, side in (("Equipoise", own), ("model.generate", peer)):
        print(
            f"{name:15} {side['seconds']:7.1f} s   {side['tokens']:7,} tokens   "
            f"{side['tokens'] / side['seconds']:6.0f} tokens/s   {side['dtype']}   "
            f"peak {side['peak_gb']:.2f} GB"
        )
    per_token = own["tokens"] / own["seconds"] / (peer["tokens"] / peer["seconds"])
    print(
        f"ratio {peer['seconds'] / own['seconds']:.1f} (goal 6, aim 12) for {n} completions of "
        f"each; {per_token:.1f} a token, as Equipoise stops at the end of the first sentence"
    )


if __name__ == "__main__":
    main(__file__, {"ours": ours, "generate": generate}, compare)
