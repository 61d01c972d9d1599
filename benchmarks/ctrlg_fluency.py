"""How natural controlled completions are: Ctrl-G with larger and larger HMMs, filtering, SFT.

For each, 250 completions of each of 4 occupations: distinct (agentic, communal) pairs out of 100,
entropy of the listed terms, unique sentences, and the median log-probability per token of the
sentence under the untuned model with the neutral prompt. Not a timing; it goes into docs/ctrlg.md.

    python benchmarks/ctrlg_fluency.py [--n N]
"""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any

from sides import number

SUBJECTS = ("doctor", "nurse", "plumber", "teacher")
HIDDEN = (1, 16, 64, 256, 512)


def main() -> None:
    """Print a row for each way of drawing."""
    from equipoise import load_model, load_task
    from equipoise.decoding import Sampling
    from equipoise.methods.method import Policy, Workspace

    task, lm = load_task("occupations"), load_model("smollm2-135m-instruct")
    lm.use_compute_type()
    n = number("--n", 250)
    print("way                       satisfied   pairs  entropy  unique  median log p a token")
    for name, method in ways():
        with tempfile.TemporaryDirectory() as folder:
            workspace = Workspace(Path(folder), Path(folder))
            policy = Policy(lm, task)
            if method:
                changed = method.changes_weights
                fitted = load_model("smollm2-135m-instruct") if changed else lm
                policy = method.fit(fitted, task, 42, workspace)
            frame = policy.deliver(name, list(SUBJECTS), n, Sampling(), 42).completions
            print(row(name, frame, lm, task), flush=True)


def ways() -> list[tuple[str, Any]]:
    """What is compared: a name and a method, None for the untuned model by itself."""
    from equipoise.methods.ctrlg.method import CtrlG, CtrlGSettings
    from equipoise.methods.filter import Filter, FilterSettings
    from equipoise.methods.sft import SFT, SFTSettings

    beam = CtrlGSettings(hidden_states=256, decoding="beam")
    quickstart = SFTSettings(learning_rate=1e-4, batch_size=4, grad_accum_steps=1)
    return [
        ("untuned model", None),
        *((f"Ctrl-G, H = {h}", CtrlG(CtrlGSettings(hidden_states=h))) for h in HIDDEN),
        ("Ctrl-G, H = 256, beams", CtrlG(beam)),
        ("SFT", SFT(quickstart)),
        ("filter, balanced prompt", Filter(FilterSettings(prompt="balanced"))),
    ]


def row(name: str, frame: Any, lm: Any, task: Any) -> str:
    """The measures of one frame of completions, as a line."""
    import numpy as np

    verdicts = [task.constraint.check(text) for text in frame["text"]]
    pairs = {
        pair for v in verdicts for pair in itertools.product(v.hits["agentic"], v.hits["communal"])
    }
    terms = [term for v in verdicts for found in v.hits.values() for term in found]
    shares = np.unique(terms, return_counts=True)[1] / max(1, len(terms))
    satisfied = np.mean(
        [v.satisfied and done for v, done in zip(verdicts, frame["finished"], strict=True)]
    )
    entropy = -(shares * np.log2(shares)).sum()
    return (
        f"{name:24} {100 * satisfied:8.2f} %  {len(pairs):5}  {entropy:7.2f}"
        f"  {frame['text'].nunique():6}  {np.median(per_token(frame, lm, task)):8.3f}"
        f"   ({len(frame)} completions)"
    )


def per_token(frame: Any, lm: Any, task: Any) -> list[float]:
    """Mean log-probability in nats of a token of each sentence, after the neutral prompt."""
    from equipoise.model.scoring import log_probabilities

    sequences = [
        lm.answer(task.prompt(subject), task.response_prefix(subject), text)
        for subject, text in zip(frame["subject"], frame["text"], strict=True)
    ]
    totals = log_probabilities(lm, sequences).tolist()
    return [total / (len(s.tokens) - s.start) for total, s in zip(totals, sequences, strict=True)]


if __name__ == "__main__":
    main()
