"""What control costs while drawing: steering, experts, and Ctrl-G's particles.

The embedded model draws ``--n`` completions of each of 4 occupations in each way, one process, one
after the other, twice; the faster time counts. Steered and shifted logits are those of the model
itself but for a shift too small to be seen (the expert and the anti-expert are the model too), so
that all draw the same texts. Of particles, the seconds of a completion relative to one particle,
and the log-probability a token that the untuned model gives to what is delivered.
Goals: steering at most 5 % slower, experts at most 3.3 times, 4 particles at most 4.5 times.

    python benchmarks/bench_control.py [--n N] [--particles 1,4,16]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any

from ctrlg_fluency import per_token
from sides import QUICK, begin, number, text

SUBJECTS = ("doctor", "nurse", "plumber", "teacher")
NOT_SEEN = 1e-6
"""A strength and a weight so small that the same tokens are drawn."""


def timed(draw: Callable[[], Any], repeats: int = 2) -> tuple[float, Any]:
    """Seconds of the fastest of ``repeats`` calls, and what the last one drew."""
    seconds, drawn = [], None
    for _ in range(repeats):
        started = time.perf_counter()
        drawn = draw()
        seconds.append(time.perf_counter() - started)
    return min(seconds), drawn


def main() -> None:
    """Print a line for each way."""
    from equipoise import load_model, load_task
    from equipoise.decoding import Sampling
    from equipoise.methods.ctrlg.method import CtrlG, CtrlGSettings
    from equipoise.methods.experts import ExpertSteering
    from equipoise.methods.method import Policy, Workspace
    from equipoise.methods.steer import Steer, SteerSettings

    begin(__file__)
    task, n = load_task("occupations"), number("--n", 60, 10)
    lm = load_model("smollm2-135m-instruct")
    lm.use_compute_type()
    settings = ExpertSteering.settings_model(expert=lm.name, anti_expert=lm.name, alpha=NOT_SEEN)

    def drawn(policy: Policy) -> tuple[float, list[str], int]:
        seconds, draws = timed(lambda: policy.draw(SUBJECTS, n, Sampling(), 42))
        flat = [draw for of_subject in draws for draw in of_subject]
        return seconds, [draw.text for draw in flat], sum(draw.tokens or 0 for draw in flat)

    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder), Path(folder) / "model")
        Policy(lm, task).draw(SUBJECTS, 1, Sampling(), 0)  # a warm-up
        plain, texts, tokens = drawn(Policy(lm, task))
        print(f"plain            {plain:6.1f} s   {tokens / plain:6.0f} tokens/s")
        steered = load_model("smollm2-135m-instruct")
        steering = Steer(SteerSettings(strength=NOT_SEEN))
        ways = {
            "steer": steering.fit(steered, task, 7, workspace),
            "experts": ExpertSteering(settings).fit(lm, task, 7, workspace),
        }
        for name, policy in ways.items():
            seconds, found, tokens = drawn(policy)
            same = sum(a == b for a, b in zip(texts, found, strict=True))
            print(
                f"{name:15}  {seconds:6.1f} s   {tokens / seconds:6.0f} tokens/s   "
                f"{seconds / plain:.2f} times plain; {same} of {len(texts)} texts the same"
            )
        del ways, steered
        one = 0.0
        default = "1,4" if QUICK in sys.argv else "1,4,16"
        for particles in map(int, text("--particles", default).split(",")):
            guide = CtrlGSettings(hidden_states=128, n_samples=1000, particles=particles)
            seconds, found, _ = drawn(CtrlG(guide).fit(lm, task, 7, workspace))
            one = one or seconds
            print(
                f"ctrlg, {particles:2} drawn  {seconds:6.1f} s   {seconds / one:.2f} times one; "
                f"{likelihood(lm, task, found):.2f} nats a token"
            )


def likelihood(lm: Any, task: Any, texts: list[str]) -> float:
    """Mean over sentences of the log-probability a token, after the neutral prompt."""
    import pandas as pd

    subjects = [one for one in SUBJECTS for _ in range(len(texts) // len(SUBJECTS))]
    sentences = [f"{task.response_prefix(s)}{t}" for s, t in zip(subjects, texts, strict=True)]
    return mean(per_token(pd.DataFrame({"subject": subjects, "text": sentences}), lm, task))


if __name__ == "__main__":
    main()
