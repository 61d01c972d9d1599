"""What a policy delivers, held against the definition of the completions frame."""

from __future__ import annotations

import pandas as pd

from equipoise.completions.frame import COLUMNS, CUT, as_completions
from equipoise.methods.method import Delivery
from equipoise.task.task import Task
from equipoise.testing.law import require
from equipoise.testing.trial import LABEL, MethodTrial


def check_delivery(delivery: Delivery, trial: MethodTrial, seed: int) -> None:
    """What was delivered is well formed, and no more than was wanted; short only if draws show."""
    frame, task = delivery.completions, trial.the_task
    _check_frame(frame, task, seed)
    counts = frame["subject"].value_counts()
    each = [int(counts.get(subject.name, 0)) for subject in task.subjects]
    require(max(each) <= trial.n, f"{max(each)} completions of a subject, {trial.n} were wanted")
    if delivery.draws is None:
        require(min(each) == trial.n, "fewer completions than wanted, and no draws to say why")
        return
    draws = delivery.draws
    wanted = [*COLUMNS, "accepted", "delivered"]
    require([name for name in draws if name != CUT] == wanted, "draws lack columns")
    answered = draws[draws["text"] != ""]  # an endpoint may say nothing
    _check_frame(answered.drop(columns=["accepted", "delivered"]), task, seed)
    require(not draws.loc[draws["text"] == "", "accepted"].any(), "a draw without text is accepted")
    delivered = draws.loc[draws["delivered"], "text"].tolist()
    require(delivered == frame["text"].tolist(), "draws and completions disagree")


def _check_frame(frame: pd.DataFrame, task: Task, seed: int) -> None:
    columns = [name for name in frame if name != CUT]
    require(columns == list(COLUMNS), f"the frame's columns are {[*frame.columns]}")
    if frame.empty:
        return
    require(set(frame["method"]) == {LABEL}, "the frame does not have the label as its method")
    require(set(frame["seed"]) == {seed}, "the frame does not have its seed")
    require(not frame.duplicated(["subject", "run"]).any(), "two completions have one run number")
    for subject, text in zip(frame["subject"], frame["text"], strict=True):
        begins = text.startswith(task.response_prefix(subject))
        require(begins, f"{text[:60]!r} does not begin with the response prefix")
    again = as_completions(frame, task)
    require(again.equals(frame.reset_index(drop=True)), "read again, the frame is another one")


def as_texts(delivery: Delivery) -> list[str]:
    """Its frames as CSV."""
    frames = [delivery.completions, *([] if delivery.draws is None else [delivery.draws])]
    return [frame.to_csv(index=False) for frame in frames]
