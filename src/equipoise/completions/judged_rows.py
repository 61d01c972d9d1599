"""The judged sentence of each row of a table, and what is kept of how it was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from equipoise.completions.judged_sentence import Judged, judge
from equipoise.completions.prefix import prefix_pattern
from equipoise.completions.prompts import continues
from equipoise.completions.sentence_remarks import read_cut, written_cut
from equipoise.task.task import Task

Prefix = Literal["as-is", "add"]


def response_prefix(task: Task, subject: str) -> str:
    """``The doctor was``; also for subjects the task does not have."""
    return str(task.prefix).replace("{subject}", subject)


def own_words(task: Task, subject: str, text: str) -> int:
    """Words of a text beyond the response prefix."""
    text = text.lstrip()
    match = prefix_pattern(response_prefix(task, subject)).match(text)
    return len(text[match.end() if match else 0 :].split())


def judge_rows(
    texts: Sequence[str],
    subjects: Sequence[str],
    contexts: Sequence[str],
    task: Task,
    prefix: Prefix,
) -> list[Judged]:
    """The judged sentence of each of ``texts``.

    Args:
        texts: What somebody wrote about each of ``subjects``.
        subjects: Who is described.
        contexts: What was asked each time, in logs that say it; a text that continues the prefix
            there gets it in any case.
        task: Gives the prefix.
        prefix: ``add`` puts the prefix before all texts that are without.
    """
    judged = []
    for row, (text, subject) in enumerate(zip(texts, subjects, strict=True)):
        begins = response_prefix(task, subject)
        add = prefix == "add" or (bool(contexts) and continues(text, contexts[row], begins))
        judged.append(judge(text, begins, subject, add=add))
    return judged


def cut_column(before: Sequence[str] | None, judged: Sequence[Judged]) -> list[str]:
    """For each row the kinds of what was taken away, as a column holds them.

    Args:
        before: The column of a table whose sentences were judged already.
        judged: The sentences.
    """
    earlier = [read_cut(value) for value in before or [""] * len(judged)]
    if None in earlier:
        earlier = [()] * len(judged)  # a stranger's column, which means something else
    return [
        written_cut(dict.fromkeys((*(kinds or ()), *sentence.cut)))
        for kinds, sentence in zip(earlier, judged, strict=True)
    ]
