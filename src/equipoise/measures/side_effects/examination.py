"""The examination of one model: what it answers, and what follows from its answers."""

from __future__ import annotations

import pandas as pd

from equipoise.measures.side_effects.leakage import leakage_items
from equipoise.measures.side_effects.stories import story_items
from equipoise.task.task import Task


def answer_items(answers: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Items of everything that is read off a model's answers; no model is asked.

    Args:
        answers: What `draw_answers` drew.
        task: Gives terms, and the words and shares of its axis.
    """
    parts = [leakage_items(answers, task), story_items(answers, task)]
    return pd.concat(parts, ignore_index=True)
