"""Do more words in training make a model balance in words it was never given?

SFT as in the quickstart (57 updates of 16 at 5e-4, 300 sentences), with 5, 10, 20 and 60 words a
side in its sentences: the protocol's ten, then words of one half of the task's wide lexicon. The
other half is in no training sentence, the same for all. Each model is asked about train subjects
alone: once freely, and once with every word that it was taught, and the protocol's, forbidden; what
it then says is judged by the half it never saw. Not a timing; it goes into
docs/results/sft.md.

    python benchmarks/training_words.py --words 5 --seed 7 >> results/training_words.csv
    python benchmarks/training_words.py --draw docs/figures/training_words.svg

Writes a line of ``words,seed,completions,balanced,forbidden,wide,in_range`` without a header:
completions drawn each way and how many were balanced in the words taught; how many words were
forbidden, and of the completions without them how many were balanced in the half never taught and
how many had 8 to 15 words. 0 words are the untuned model, told nothing.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sides import number, text

if TYPE_CHECKING:
    from equipoise.task.lexicon import Lexicon
    from equipoise.task.task import Task

ORDER = 7
"""Seed of the order in which words are taught and of the halves; no reported study uses it."""

NO_ADJECTIVES = {"leader", "leadership", "self-starter", "caregiver"}
"""Words of the wide lexicon that fit no slot of a template; they stay in the half not taught."""

RESULTS = Path(__file__).parent.parent / "results" / "training_words.csv"
COLUMNS = ["words", "seed", "completions", "balanced", "forbidden", "wide", "in_range"]


def spelling(word: str) -> str:
    """What variants of a word have in common: "hard-working", "hardworking"."""
    return word.replace("-", "").replace("eable", "able")


def halves(lexicon: Lexicon) -> tuple[list[str], list[str]]:
    """The wide lexicon as words that may be taught and words that never are.

    Variants of a word, and words of which one begins the other, stay together.
    """
    kept = [word for word in lexicon.wide if word in NO_ADJECTIVES]
    groups: list[list[str]] = []
    for word in sorted(set(lexicon.wide) - NO_ADJECTIVES, key=spelling):
        if groups and spelling(word).startswith(spelling(groups[-1][0])):
            groups[-1].append(word)
        else:
            groups.append([word])
    random.Random(ORDER).shuffle(groups)  # noqa: S311 (reproducible, not secret)
    middle = len(groups) // 2
    taught = [group[0] for group in groups[:middle]]
    return taught, kept + [word for group in groups[middle:] for word in group]


def taught_task(task: Task, words: int) -> Task:
    """``task`` with ``words`` listed words a side, and the half never taught as wide lexicon."""
    lexicons = {}
    for name, lexicon in task.lexicons.items():
        more, never = halves(lexicon)
        order = random.Random(ORDER)  # noqa: S311 (reproducible, not secret)
        listed = order.sample(lexicon.listed, len(lexicon.listed))
        if words > len(listed) + len(more):
            sys.exit(f"--words {words}: there are {len(listed) + len(more)} {name} ones")
        lexicons[name] = replace(lexicon, listed=tuple([*listed, *more][:words]), wide=tuple(never))
    return replace(task, lexicons=lexicons, constraint=replace(task.constraint, lexicons=lexicons))


def forbidding_task(task: Task, taught: Task) -> Task:
    """The task whose listed words are those taught and the protocol's."""
    lexicons = {
        name: replace(lexicon, listed=tuple({**dict.fromkeys(lexicon.listed),
                                             **dict.fromkeys(taught.lexicons[name].listed)}),
                      wide=taught.lexicons[name].wide)
        for name, lexicon in task.lexicons.items()
    }  # fmt: skip
    return replace(task, lexicons=lexicons, constraint=replace(task.constraint, lexicons=lexicons))


def measure(words: int, seed: int, each: int) -> Iterable[object]:
    """One line of the file."""
    from equipoise import load_model, load_task
    from equipoise.measures.without_listed import forbidden_terms, without_listed_table
    from equipoise.methods.method import Policy, Workspace
    from equipoise.methods.sft import SFT, SFTSettings
    from equipoise.model.draws import Question, Sampling

    task, sampling = load_task("occupations"), Sampling()
    lm = load_model("smollm2-135m-instruct")
    taught = taught_task(task, words or len(task.lexicons["agentic"].listed))
    subjects = [subject.name for subject in task.train]
    with tempfile.TemporaryDirectory() as folder:
        policy = Policy(lm, taught)
        if words:
            settings = SFTSettings(learning_rate=5e-4, batch_size=16, grad_accum_steps=1)
            workspace = Workspace(Path(folder), Path(folder) / "model")
            policy = SFT(settings).fit(lm, taught, seed, workspace)
        lm.use_compute_type()
        frame = policy.deliver("", subjects, each, sampling, seed).completions
    balanced = sum(taught.constraint.check(one).balanced for one in frame["text"])
    without = forbidding_task(task, taught)
    questions = [Question(task.prompt(one), task.response_prefix(one), one) for one in subjects]
    table = without_listed_table(lm, without, questions, each, sampling)
    prefixes = [question.prefix for question in questions]
    forbidden = len(forbidden_terms(without, prefixes))
    flags = (int(table["wide"].sum()), int(table["in_range"].sum()))
    return words, seed, len(frame), balanced, forbidden, *flags


def draw(out: Path) -> None:
    """Draw the file as a figure: a point for each seed, a line through their means."""
    import matplotlib as mpl
    import pandas as pd

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "equipoise", "svg.fonttype": "none", "font.size": 9})
    import matplotlib.pyplot as plt

    found = pd.read_csv(RESULTS, names=COLUMNS)
    figure, axis = plt.subplots(figsize=(6, 3.4), layout="constrained")
    lines = (
        ("balanced", "balanced, in the words taught", "#0072b2", "o-"),
        ("wide", "balanced in words never taught, the others taken away", "#d55e00", "s--"),
        ("in_range", "8 to 15 words, the others taken away", "#666666", "^:"),
    )
    labels = sorted(found["words"].unique())
    for name, title, colour, style in lines:
        share = 100 * found[name] / found["completions"]
        means = share.groupby(found["words"]).mean()
        axis.plot(range(len(labels)), means[labels], style, color=colour, label=title)
        axis.plot(found["words"].map(labels.index), share, style[0], color=colour, alpha=0.4)
    axis.set_xticks(range(len(labels)), [str(n) if n else "0 (untuned)" for n in labels])
    axis.set(xlabel="words a side in training", ylabel="completions, %", ylim=(-3, 103))
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False)
    figure.savefig(out, metadata={"Date": None})


if __name__ == "__main__":
    if "--draw" in sys.argv:
        draw(Path(text("--draw", "")))
    else:
        print(*measure(number("--words", 10), number("--seed", 7), number("--n", 10)), sep=",")
