"""What a model says when the words it was given are taken away.

A model that was taught ten words a side writes those, whatever else it learnt, so a score on other
words has no headroom. Here it is sampled with the listed terms forbidden, and words that begin with
one ("boldly"), in whatever tokens; what it says instead is judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd

from equipoise.decoding.sampler import sample
from equipoise.measures.judgement import has_held_out_score, has_wide_score
from equipoise.methods.ctrlg.forbidding import Forbidding, forbidding
from equipoise.methods.ctrlg.vocabulary import Vocabulary
from equipoise.methods.policy import Policy
from equipoise.model.draws import Question, Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.progress import counting
from equipoise.task.lexicon import STAR, TermMatcher, is_stem
from equipoise.task.task import Task

SEED = 0
"""Of what is drawn, in every cell: cells of the same model that are asked the same say the same."""


def without_listed_table(
    lm: LanguageModel, task: Task, questions: Sequence[Question], n: int, sampling: Sampling
) -> pd.DataFrame:
    """``n`` completions of each of ``questions`` without any listed term, judged.

    Columns: ``subject``, ``split``, ``text`` (the judged sentence), and of ``unseen.FLAGS`` what
    the task can judge, 0 or 1: within the word range, balanced in the held-out terms alone, in the
    wide lexicon alone.

    Args:
        lm: The model as its method left it, weights in its compute type.
        task: Its listed terms are forbidden.
        questions: What the method asks it.
        n: Completions of each, at least 1.
        sampling: How they are drawn.
    """
    prefixes = [question.prefix for question in questions]
    taken = forbidden_terms(task, prefixes)
    automaton = forbidding(taken, Vocabulary.of_model(lm), prefixes)
    control = Forbidding(automaton, prefixes, sampling.max_new_tokens)
    counts, total = [n] * len(questions), n * len(questions)
    decoder = partial(sample, control=control)
    on_drawn = counting("without listed terms", total)
    draws = lm.draw(questions, counts, sampling, SEED, on_drawn, decoder=decoder)
    names = [question.subject for question in questions]
    frame = Policy(lm, task).frame("", names, draws, SEED)[["subject", "split", "text"]]
    check = task.constraint.check
    flags = {"in_range": [check(text).in_range for text in frame["text"]]}
    if has_held_out_score(task):
        flags["held_out"] = [check(text, "held_out").balanced for text in frame["text"]]
    if has_wide_score(task):
        flags["wide"] = [check(text, "wide").balanced for text in frame["text"]]
    return frame.assign(**flags).astype(dict.fromkeys(flags, "int64"))


def forbidden_terms(task: Task, prefixes: Sequence[str]) -> list[str]:
    """The scored terms as stems, but for those that a word of a prefix begins with.

    "kind" stays a word where a kindergarten teacher is described.
    """
    found = []
    for term in task.constraint.scored:
        stem = term if is_stem(term) else term + STAR
        in_prefix = any(map(TermMatcher([stem]).find, prefixes))
        found.append(term if in_prefix else stem)
    return found
