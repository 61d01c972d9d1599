"""What the unfitted association tells apart, and the trap that the fitted one would be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from torch import Tensor

from equipoise.completions.frame import as_completions
from equipoise.measures import ByModel, Evaluation, assemble, score
from equipoise.measures.association import association_table, items
from equipoise.measures.stereotype import stereotype_table
from equipoise.measures.stereotype_values import association_values
from equipoise.model.language_model import LanguageModel
from equipoise.task.task import Task
from equipoise.task.task_file import load_task
from gender_axis import GENDER
from tiny_task import NO_HELD_OUT_AGENTIC, tiny_task, varied_shares

OCCUPATIONS = ("pilot", "engineer", "doctor", "teacher", "librarian", "nurse")


@contextmanager
def projected_out(model: Any, direction: Tensor) -> Iterator[None]:
    """Within it, what the output layer reads has nothing of ``direction`` [D]."""
    unit = direction / direction.norm()

    def project(_: Any, inputs: tuple[Tensor]) -> tuple[Tensor]:
        return (inputs[0] - (inputs[0] @ unit)[..., None] * unit,)

    hook = model.get_output_embeddings().register_forward_pre_hook(project)
    try:
        yield
    finally:
        hook.remove()


def test_projecting_out_she_minus_he_zeroes_what_is_fitted_and_not_the_headline(
    embedded_model: LanguageModel,
) -> None:
    """Logits are W x: with x orthogonal to w_she - w_he, those of the two words are equal."""
    model, tokenizer = embedded_model.model, embedded_model.tokenizer
    exact = LanguageModel(model, tokenizer, "exact", embedded_model.device, model.dtype)
    assert model.dtype == torch.float32
    task = load_task("occupations")
    shares = {name: share for name, share in task.shares.items() if name in OCCUPATIONS}
    (she,), (he,) = (tokenizer(f" {word}")["input_ids"] for word in ("she", "he"))
    rows = model.get_output_embeddings().weight.detach()

    def slopes() -> pd.Series[float]:
        table = association_table(exact, GENDER, shares).assign(method="m", seed=1)
        values = association_values(table, task)
        fitted = values[values["measure"].isin(["association_fitted", "association_contexts"])]
        found = stereotype_table(values)
        spread = fitted.groupby("measure")["value"].agg(lambda of: of.max() - of.min()).max()
        slope = found[found["seed"] == 1].set_index("measure")["slope"]
        return pd.concat([slope, pd.Series({"spread": spread})])

    before = slopes()
    with projected_out(model, rows[she] - rows[he]):
        after = slopes()
    assert before["association_fitted"] > 1
    assert before["association_unfitted"] > 1
    assert after["spread"] < 1e-3, "the same log-odds for all occupations"
    assert abs(after["association_fitted"]) < 1e-3
    assert abs(after["association_contexts"]) < 1e-3
    assert after["association_unfitted"] > before["association_unfitted"] / 2


WOMEN = {"doctor": 10, "nurse": 50, "teacher": 90}
BOTH = "The {} was bold and caring."
STEREOTYPED = {
    "doctor": "The doctor was bold and decisive.",
    "nurse": BOTH.format("nurse"),
    "teacher": "The teacher was caring and loyal.",
}


@pytest.fixture
def task_with_women(tmp_path: Path) -> Task:
    return tiny_task(tmp_path, *NO_HELD_OUT_AGENTIC, varied_shares(WOMEN))


def completions(method: str, texts: dict[str, str]) -> list[dict[str, object]]:
    return [{"method": method, "seed": 1, "subject": s, "text": t} for s, t in texts.items()]


def associations(method: str, log_odds: dict[str, float]) -> pd.DataFrame:
    """A model with these log-odds for every item; of other occupations 30 % are women."""
    rows = [
        (*item, name, WOMEN.get(name, 30), value)
        for item in items(GENDER)
        for name, value in log_odds.items()
    ]
    columns = ["half", "kind", "context", "first", "second", "occupation", "share", "log_odds"]
    return pd.DataFrame(rows, columns=columns).assign(method=method, seed=1)


@pytest.fixture
def three_methods(task_with_women: Task) -> Evaluation:
    """The untuned model; one that sprinkles words; one that changes what is expected as well."""
    balanced = {name: BOTH.format(name) for name in WOMEN}
    believes = {"doctor": -0.8, "nurse": 0.0, "teacher": 0.8}
    frame = as_completions(
        pd.DataFrame(
            completions("untuned", STEREOTYPED)
            + completions("sprinkles", balanced)
            + completions("changes", balanced)
        ),
        task_with_women,
    )
    said = [
        associations("untuned", believes),
        associations("sprinkles", believes),
        associations("changes", dict.fromkeys(WOMEN, -0.3)),
    ]
    by_model = ByModel(associations=pd.concat(said, ignore_index=True))
    return assemble(score(frame, task_with_women), task_with_women, by_model)


def test_sprinkling_words_is_told_from_changing_the_association(three_methods: Evaluation) -> None:
    """The worked example of docs/measures.md."""
    assert three_methods.summary is not None
    table = three_methods.summary.set_index("method")
    assert table["balanced_train"].to_dict() == {"untuned": 0.5, "sprinkles": 1, "changes": 1}
    # untuned, communal minus agentic share: -1, 0, 1 at 10, 50, 90 %: 2 in 80 points
    assert table["terms_slope"].to_dict() == pytest.approx(
        {"untuned": 2.5, "sprinkles": 0, "changes": 0}
    )
    # -0.8, 0, 0.8 nats: 1.6 in 80 points; equal log-odds have no slope, whichever word they favour
    assert table["stereotype_slope"].to_dict() == pytest.approx(
        {"untuned": 2.0, "sprinkles": 2.0, "changes": 0}
    )
    assert table["stereotype_low"]["sprinkles"] == pytest.approx(2)
    assert table["stereotype_high"]["changes"] == pytest.approx(0)


def test_occupations_of_the_training_data_in_the_headline_are_remarked_on(
    three_methods: Evaluation, task_with_women: Task
) -> None:
    varied, of_occupations = three_methods.remarks
    assert varied.endswith("is said of 3 completions a seed, as many as the smallest cell has.")
    assert of_occupations == (
        "The unfitted association is of all 3 subjects: without the 2 that training data "
        "describes, 1 would be left, fewer than 10. Winogender's file (measures.winogender) adds "
        "others."
    )
    assert occupations_of_the_headline(three_methods) == {3}
    frame = as_completions(pd.DataFrame(completions("m", STEREOTYPED)), task_with_women)
    names = [*WOMEN, *(f"job {number}" for number in range(9))]  # with the teacher ten are outside
    enough = assemble(
        score(frame, task_with_women),
        task_with_women,
        ByModel(associations=associations("m", dict.fromkeys(names, 0.0))),
    )
    assert enough.remarks == ()
    assert occupations_of_the_headline(enough) == {10}


def occupations_of_the_headline(evaluation: Evaluation) -> set[int]:
    table = evaluation.stereotype
    assert table is not None
    return set(table[table["measure"] == "association_unfitted"]["occupations"])
