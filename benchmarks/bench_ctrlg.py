"""Ctrl-G on the 135M model and the task's whole constraint: compiling, a step, whole decodings.

A step is compared with the dense computation of the original formulation, which multiplies rows,
states, hidden states and tokens (B x S x H x V); it is run for some of the states and scaled up.
Whole decodings are compared with the project's own unconstrained decoding of as many tokens.
Goals: compiling in 10 s and 1 GB; a step 10 times faster than dense, equal to 1e-5; decoding in
at most 1.5 times the time; distilling (H 512, sampling included) in 5 minutes.

    python benchmarks/bench_ctrlg.py [--hidden H] [--batch B] [--n N]
"""

from __future__ import annotations

import time
from typing import Any

from sides import main, number, peak_gb, report, run_side

SUBJECTS = ("doctor", "nurse", "plumber", "teacher")


def setting() -> tuple[Any, Any, Any]:
    """Task, model in its compute type, and its vocabulary."""
    from equipoise import load_model, load_task
    from equipoise.methods.ctrlg.vocabulary import Vocabulary

    task, lm = load_task("occupations"), load_model("smollm2-135m-instruct")
    lm.use_compute_type()
    return task, lm, Vocabulary.of_model(lm)


def compiling() -> None:
    """Seconds and gigabytes that compiling takes, with no model in memory that would hide them."""
    from transformers import AutoTokenizer

    from equipoise import load_task
    from equipoise.methods.ctrlg.automaton import compile_constraint
    from equipoise.methods.ctrlg.vocabulary import Vocabulary
    from equipoise.model.embedded import fetch

    task = load_task("occupations")
    tokenizer = AutoTokenizer.from_pretrained(fetch("smollm2-135m-instruct"))
    vocabulary = Vocabulary.of(tokenizer, len(tokenizer), [tokenizer.eos_token_id])
    prefixes = [task.response_prefix(subject.name) for subject in task.subjects]
    before, started = peak_gb(), time.perf_counter()
    automaton = compile_constraint(task.constraint, vocabulary, prefixes, max_tokens=64)
    report(
        {
            "seconds": time.perf_counter() - started,
            "gigabytes": peak_gb() - before,
            "states": len(automaton.table),
            "classes": automaton.table.shape[1],
        }
    )


def step() -> None:
    """One decoding step: ours, the dense formulation on some states, and their difference."""
    import torch

    from equipoise.methods.ctrlg.automaton import compile_constraint
    from equipoise.methods.ctrlg.hmm import from_counts
    from equipoise.methods.ctrlg.lookahead import Lookahead

    task, _, vocabulary = setting()
    prefixes = [task.response_prefix(subject) for subject in SUBJECTS]
    automaton = compile_constraint(task.constraint, vocabulary, prefixes, max_tokens=12)
    hidden, batch, n_tokens = number("--hidden", 512), number("--batch", 64), len(vocabulary.pieces)
    generator = torch.Generator().manual_seed(0)
    initial = torch.rand(hidden, generator=generator) ** 8
    pairs = torch.rand(hidden, hidden, generator=generator) ** 8
    emitted = torch.rand(hidden, n_tokens, generator=generator) ** 8
    hmm = from_counts(initial, pairs, emitted, 1e-3)
    lookahead = Lookahead(hmm, automaton, 12)
    alive = (lookahead.scales[11] > float("-inf")).nonzero()[:, 0]
    alive = alive[alive > 1]
    states = alive[torch.randint(len(alive), (batch,), generator=generator)]
    messages = torch.rand(batch, hidden, generator=generator)
    remaining = torch.full((batch,), 12)
    ours = _best(lambda: lookahead.log_weights(messages, states, remaining))

    classes = torch.from_numpy(automaton.classes).long()
    table = torch.from_numpy(automaton.table).long()
    few = 8  # states of the automaton; the original sums over all of them

    def dense(some: Any) -> Any:
        """Numerators [B, V]: over ``some`` states, masked by where each token leads."""
        total = torch.zeros(batch, n_tokens)
        for state in some.tolist():
            value = lookahead.values[11, state] * lookahead.scales[11, state].exp()
            leads = table[states][:, classes] == state
            total += ((messages * value) @ hmm.emission) * leads
        return total

    part = _best(lambda: dense(alive[:few]), repeats=2)
    row = 0
    reached = torch.unique(table[states[row]])
    num = torch.zeros(1, n_tokens)
    for state in reached.tolist():
        value = lookahead.values[11, state].double() * lookahead.scales[11, state].double().exp()
        leads = table[states[row]][classes] == state
        num += ((messages[:1].double() * value) @ hmm.emission.double()).float() * leads
    exact = (num / (messages[:1] @ hmm.emission))[0, lookahead.tokens].log()
    found = lookahead.log_weights(messages[:1], states[:1], remaining[:1])[0]
    possible = exact > float("-inf")
    gap = (found - exact)[possible]
    report(
        {
            "ours": ours,
            "dense": part / few * len(automaton.table),
            "states": len(automaton.table),
            "error": float((gap - gap.median()).abs().max()),
        }
    )


def decoding() -> None:
    """250 completions for each of 4 occupations, with and without control."""
    import tempfile
    from pathlib import Path

    from equipoise.decoding import Sampling
    from equipoise.methods.ctrlg.method import CtrlG, CtrlGSettings
    from equipoise.methods.method import Policy, Workspace

    task, lm, _ = setting()
    n = number("--n", 250)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        started = time.perf_counter()
        settings = CtrlGSettings(hidden_states=number("--hidden", 512))
        guided = CtrlG(settings).fit(lm, task, 0, Workspace(root, root))
        fitting = time.perf_counter() - started
    seconds, tokens = [], []
    for policy in (Policy(lm, task), guided):
        policy.draw(SUBJECTS, 2, Sampling(), 0)
        started = time.perf_counter()
        draws = policy.draw(SUBJECTS, n, Sampling(), 42)
        seconds.append(time.perf_counter() - started)
        tokens.append(sum(draw.tokens or 0 for of_subject in draws for draw in of_subject))
    report({"fitting": fitting, "seconds": seconds, "tokens": tokens})


def growth() -> None:
    """What more terms and longer ranges of words cost: seconds, states, a step of 64 rows.

    Terms are the first so many words of the vocabulary that are one token behind a space.
    """
    import torch

    from equipoise.methods.ctrlg.automaton import compile_constraint
    from equipoise.methods.ctrlg.hmm import from_counts
    from equipoise.methods.ctrlg.lookahead import Lookahead
    from equipoise.task.constraint import Constraint
    from equipoise.task.lexicon import Lexicon

    task, _, vocabulary = setting()
    prefixes = [task.response_prefix(subject) for subject in SUBJECTS]
    n_tokens, hidden, batch = len(vocabulary.pieces), 64, 64
    seen = torch.zeros(hidden, n_tokens)
    generator = torch.Generator().manual_seed(0)
    seen[:, torch.randperm(n_tokens, generator=generator)[:8000]] = 1
    emitted = seen * torch.rand(hidden, n_tokens, generator=generator) ** 8
    pairs = torch.rand(hidden, hidden, generator=generator)
    hmm = from_counts(torch.ones(hidden), pairs, emitted, 1e-3)
    plain = [p[1:] for p in vocabulary.pieces if p and p[0] == " " and p[1:].islower()]
    words = [w for w in plain if w.isascii() and w.isalpha() and len(w) > 4]
    rows = []
    for n_terms, most in ((10, 15), (50, 15), (200, 15), (20, 25), (20, 50), (20, 100)):
        half = n_terms // 2
        sets = {
            "agentic": Lexicon("agentic", tuple(words[:half])),
            "communal": Lexicon("communal", tuple(words[half:n_terms])),
        }
        constraint = Constraint(sets, all_of=("{agentic}", "{communal}"), words=(8, most))
        longest = 4 * most
        started = time.perf_counter()
        automaton = compile_constraint(constraint, vocabulary, prefixes, max_tokens=longest)
        compiled = time.perf_counter()
        lookahead = Lookahead(hmm, automaton, longest)
        made = time.perf_counter()
        alive = (lookahead.scales[-1] > float("-inf")).nonzero()[2:, 0]
        states = alive[torch.randint(len(alive), (batch,), generator=generator)]
        messages = torch.rand(batch, hidden, generator=generator)
        remaining = torch.full((batch,), longest)
        step = _best(lambda: lookahead.log_weights(messages, states, remaining))  # noqa: B023
        rows.append(
            {
                "terms": n_terms,
                "words": most,
                "states": len(automaton.table),
                "classes": automaton.table.shape[1],
                "compile": compiled - started,
                "tables": made - compiled,
                "step": step,
            }
        )
    report({"rows": rows})


def compare() -> None:
    """Run all parts and print the ratios."""
    hidden = ["--hidden", str(number("--hidden", 512, 128))]
    print("terms  words up to  states  classes  compiling  tables (H 64)  a step (64 rows)")
    for row in run_side(__file__, "growth")["rows"]:
        print(
            f"{row['terms']:5}  {row['words']:11}  {row['states']:6,}  {row['classes']:7}"
            f"  {row['compile']:7.1f} s  {row['tables']:11.1f} s  {1000 * row['step']:13.0f} ms"
        )
    made = run_side(__file__, "compiling")
    print(
        f"compiling   {made['seconds']:.1f} s (goal 10), {made['gigabytes']:.2f} GB on top of "
        f"the libraries (goal 1; {made['peak_gb']:.2f} GB in all), {made['states']:,} states, "
        f"{made['classes']} classes"
    )
    one = run_side(__file__, "step", *hidden, "--batch", str(number("--batch", 64)))
    print(
        f"a step      {one['ours']:.3f} s, dense {one['dense']:.0f} s: ratio "
        f"{one['dense'] / one['ours']:,.0f} (goal 10), largest difference {one['error']:.0e}"
    )
    whole = run_side(__file__, "decoding", *hidden, "--n", str(number("--n", 250, 30)))
    plain, guided = (s / t for s, t in zip(whole["seconds"], whole["tokens"], strict=True))
    print(
        f"decoding    {whole['tokens'][1]:,} tokens in {whole['seconds'][1]:.1f} s, unconstrained "
        f"{whole['tokens'][0]:,} in {whole['seconds'][0]:.1f} s: {guided / plain:.2f} times the "
        f"time a token (goal at most 1.5)"
    )
    print(
        f"fitting     {whole['fitting']:.0f} s with H {hidden[1]} (goal 300 s for distilling); "
        "a few seconds if its HMM is in the cache"
    )


def _best(work: Any, repeats: int = 5) -> float:
    work()
    timings = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        timings.append(time.perf_counter() - started)
    return min(timings)


if __name__ == "__main__":
    sides = {"compiling": compiling, "step": step, "decoding": decoding, "growth": growth}
    main(__file__, sides, compare)
