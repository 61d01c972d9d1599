"""Generate-and-filter: what is accepted, what of it is delivered, and a study that gets nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from equipoise import EquipoiseError, Study
from equipoise.completions.frame import COLUMNS
from equipoise.methods.method import Delivery, Policy, Workspace
from equipoise.methods.registry import build_method
from equipoise.model.draws import Draw, Prompt, Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.task.task import Task
from heard import Heard
from tiny_study import STUDY, write_study

ALL_OF = 'all_of = ["{agentic}", "{communal}"]'
NONE_OF = (ALL_OF, ALL_OF + '\nnone_of = ["nice"]')
AGENTIC = '["f", "s", "h", "co", "of", "and", "with", "car", "confident", "English"]'
COMMUNAL = '["t", "x", "p", "in", "dec", "self", "supp", "friendly", "supportive", "independent"]'
EASY = (  # pieces of words that the untrained tiny model often draws
    ('["bold", "ambitious", "self-reliant"]', AGENTIC),
    ('["kind", "honest", "good with people"]', COMMUNAL),
    ("words = [6, 11]", "words = [5, 9]"),
    (ALL_OF, ALL_OF + '\nnone_of = ["every"]'),
)
SUBJECTS = ("doctor", "pilot", "nurse")
METHODS = STUDY[STUDY.index("[methods.prompt]") :]
GOOD, POOR, BAD = " bold and kind to all.", " bold to all colleagues there.", " tall."

MakePolicy = Callable[..., Policy]


@pytest.fixture
def make_policy(tiny_lm: LanguageModel, tmp_path: Path) -> MakePolicy:
    """Makes the filter's policy on a task, with settings of the method."""

    def make(task: Task, **settings: object) -> Policy:
        method = build_method("filter", settings)
        method.check(task)
        return method.fit(tiny_lm, task, 1, Workspace(tmp_path / "w", tmp_path / "w" / "model"))

    return make


class Script:
    """Stands for the sampler: hands out each subject's texts in turn, a token a character."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **texts: Sequence[str]) -> None:
        self.left = {f"The {subject} was": list(found) for subject, found in texts.items()}
        self.rounds: list[list[int]] = []
        self.seeds: list[int] = []
        monkeypatch.setattr("equipoise.methods.policy.sample", self.sample)

    def sample(
        self,
        lm: object,
        prompts: Sequence[Prompt],
        counts: Sequence[int],
        _: Sampling,
        seed: int,
        on_drawn: object,
    ) -> list[list[Draw]]:
        self.seeds.append(seed)
        self.rounds.append(list(counts))
        draws = []
        for prompt, count in zip(prompts, counts, strict=True):
            left = self.left[prompt.prefix]
            texts, left[:count] = left[:count], []
            assert len(texts) == count, "more draws than expected"
            draws.append([Draw(text, len(text), True) for text in texts])
        return draws


def deliver(
    policy: Policy, n: int, subjects: Sequence[str] = ("doctor",), seed: int = 1
) -> Delivery:
    return policy.deliver("f", list(subjects), n, Sampling(max_new_tokens=12), seed)


def all_draws(delivery: Delivery) -> pd.DataFrame:
    assert delivery.draws is not None
    return delivery.draws


JUDGED = [  # continuation of "The doctor was", whether accept = all takes it, whether any does
    (" bold and kind.", True, True),  # 6 words
    (" BOLD and Kind with some colleagues", True, True),
    (" self-reliant, good with people", True, True),
    (" bold, kind.", False, True),  # 5 words
    (" bold and kind" + " very" * 6, False, True),  # 12 words
    (" bold to each of his colleagues.", False, True),
    (" bold. And kind to all of them.", False, True),  # only the first sentence counts
    (" tall. But bold and kind to all.", False, False),
    (" bolder and kinder than all colleagues.", False, False),
    (" active and takes charge of the team.", False, False),  # held-out terms
    (" bold and kind and nice to all.", False, False),  # forbidden
    (" tall and thin and had a hat.", False, False),
    ("", False, False),
]


@pytest.mark.parametrize("accept", ["all", "any"])
def test_accepts_what_one_would_accept_by_hand(
    accept: str,
    make_task: Callable[..., Task],
    make_policy: MakePolicy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Script(monkeypatch, doctor=[text for text, *_ in JUDGED])
    policy = make_policy(make_task(NONE_OF), accept=accept, max_draws=len(JUDGED))
    draws = all_draws(deliver(policy, len(JUDGED)))
    expected = [everything if accept == "all" else some for _, everything, some in JUDGED]
    assert dict(zip(draws["text"], draws["accepted"], strict=True)) == dict(
        zip(draws["text"], expected, strict=True)
    )


@pytest.mark.parametrize("accept", ["all", "any"])
def test_accepts_what_the_checker_explains_as_good(
    accept: str, make_task: Callable[..., Task], make_policy: MakePolicy
) -> None:
    task = make_task(*EASY)
    draws = all_draws(deliver(make_policy(task, accept=accept, max_draws=150), 150, SUBJECTS))
    expected = []
    for text in draws["text"]:
        explanation = task.constraint.explain(text)
        agentic, communal, not_every, _ = [clause.passed for clause in explanation.clauses]
        some = (agentic or communal) and not_every
        expected.append(explanation.satisfied if accept == "all" else some)
    assert draws["accepted"].tolist() == expected
    assert len(draws) == 450
    assert 20 < sum(expected) < 400  # the test means something


def test_the_first_accepted_draws_are_delivered(
    make_task: Callable[..., Task],
    make_policy: MakePolicy,
    monkeypatch: pytest.MonkeyPatch,
    heard: Heard,
) -> None:
    numbered = [f" bold and kind to {i} people." for i in range(9)]
    script = Script(
        monkeypatch,
        doctor=[BAD, *numbered],  # 1 of 2, so of the next ceil(1 / (2/4)) = 2 one is expected
        pilot=numbered,  # 2 of 2
        nurse=[*[BAD, POOR] * 4, BAD, *numbered],  # 0 of 2: 2 / (1/4) = 8; 1 of 10: 1 / (2/12)
    )
    policy = make_policy(make_task(), max_draws=18)
    delivery = policy.deliver("f", SUBJECTS, 2, Sampling(), 5)
    assert script.rounds == [[2, 2, 2], [2, 0, 8], [0, 0, 6]]
    assert len(set(script.seeds)) == 3  # each round has its own
    found = delivery.completions
    assert found["text"].tolist() == [
        "The doctor was bold and kind to 0 people.",
        "The doctor was bold and kind to 1 people.",
        "The pilot was bold and kind to 0 people.",
        "The pilot was bold and kind to 1 people.",
        "The nurse was bold and kind to 0 people.",
        "The nurse was bold and kind to 1 people.",
    ]
    assert found["run"].tolist() == [1, 2, 0, 1, 9, 10]  # their numbers among the draws
    assert list(found.columns) == list(COLUMNS)
    assert set(zip(found["method"], found["seed"], strict=True)) == {("f", 5)}
    draws = all_draws(delivery)
    doctor = draws[draws["subject"] == "doctor"]
    assert doctor["accepted"].tolist() == [False, True, True, True]
    assert doctor["delivered"].tolist() == [False, True, True, False]
    assert_frame_equal(draws.loc[draws["delivered"], list(COLUMNS)].reset_index(drop=True), found)
    assert heard.told[0] == ("filtering", 0, 6)
    assert heard.told[-1] == ("filtering", 6, 6)


def test_never_more_draws_and_never_padded(
    make_task: Callable[..., Task], make_policy: MakePolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Script(monkeypatch, doctor=[BAD] * 7, pilot=[GOOD] * 4, nurse=[BAD, GOOD] * 3 + [BAD])
    delivery = deliver(make_policy(make_task(), max_draws=7), 4, SUBJECTS)
    draws = all_draws(delivery)
    assert draws["subject"].value_counts().to_dict() == {"doctor": 7, "nurse": 7, "pilot": 4}
    assert not script.left["The doctor was"]
    assert delivery.completions["subject"].tolist() == ["pilot"] * 4 + ["nurse"] * 3


@pytest.mark.parametrize(("max_draws", "n"), [(1, 1), (1, 5), (3, 5), (30, 4)])
def test_max_draws_with_a_model(
    max_draws: int, n: int, make_task: Callable[..., Task], make_policy: MakePolicy
) -> None:
    delivery = deliver(make_policy(make_task(*EASY), max_draws=max_draws), n, SUBJECTS)
    draws = all_draws(delivery)
    for _, part in draws.groupby("subject"):
        assert part["run"].tolist() == list(range(len(part)))
        assert part["delivered"].sum() == min(n, part["accepted"].sum())
        assert len(part) == max_draws or (part["delivered"].sum() == n and len(part) < max_draws)
    assert len(delivery.completions) == draws["delivered"].sum()


def test_the_seed_decides(make_task: Callable[..., Task], make_policy: MakePolicy) -> None:
    policy = make_policy(make_task(*EASY), max_draws=60)
    first, again, other = (deliver(policy, 4, SUBJECTS, seed) for seed in (1, 1, 2))
    assert_frame_equal(first.completions, again.completions)
    assert_frame_equal(all_draws(first), all_draws(again))
    assert 4 < len(first.completions) <= 12
    assert not set(first.completions["text"]) & set(other.completions["text"])
    # No round repeats another: the same text comes twice only where it is short.
    drawn = pd.concat([all_draws(first), all_draws(other)]).query("tokens == 12")
    assert len(drawn) > 150
    assert not drawn["text"].duplicated().any()


def study(folder: Path, model: Path, methods: str, *task: tuple[str, str]) -> Study:
    return Study.from_toml(write_study(folder / "files", model, (METHODS, methods), task=task))


def test_a_study_in_which_the_filter_finds_some(tmp_path: Path, tiny_model_folder: Path) -> None:
    methods = "[methods.prompt]\n[methods.filter]\nmax_draws = 200\n"
    result = study(tmp_path, tiny_model_folder, methods, *EASY).run(tmp_path / "run", quiet=True)
    for seed in (1, 2):
        cell = tmp_path / "run" / "cells" / "filter" / f"seed{seed}"
        tables = (cell / "draws.csv", cell / "completions.csv")
        draws, completions = (pd.read_csv(table, keep_default_na=False) for table in tables)
        kept = draws[draws["delivered"]].drop(columns=["accepted", "delivered"])
        # What was cut away may have been of draws that were not delivered.
        assert_frame_equal(kept.reset_index(drop=True)[completions.columns], completions)
        acceptance = pd.read_csv(cell / "acceptance.csv").set_index("subject")
        assert list(acceptance.index) == [*SUBJECTS, "all"]
        assert acceptance.loc["all", ["draws", "delivered"]].tolist() == [len(draws), len(kept)]
        cost = json.loads((cell / "summary.json").read_text())["cost"]
        assert (cost["wanted"], cost["delivered"], cost["draws"]) == (9, len(kept), len(draws))
        assert (cost["accepted"], cost["rejects"]) == (draws["accepted"].sum(), True)
        assert cost["accepted"] > cost["delivered"], "the last round found more than was wanted"
        assert cost["tokens"] == draws["tokens"].sum()
        assert cost["balanced_delivered"] == cost["delivered"] > 0
    table = result.evaluation.compliance.set_index(["method", "split"])
    assert table.loc[("filter", "all"), "satisfied_mean"] == 1


def test_a_study_in_which_the_filter_finds_nothing(tmp_path: Path, tiny_model_folder: Path) -> None:
    methods = "[methods.filter]\nmax_draws = 4\n[methods.prompt]\n"
    trial = study(tmp_path, tiny_model_folder, methods)
    evaluation = trial.run(tmp_path / "run", quiet=True).evaluation
    said = (
        "filter delivered 0 of 18 completions in 24 draws; "
        "acceptance.csv in its cells says for which subjects."
    )
    assert said in evaluation.remarks
    rows = [line.split() for line in str(evaluation).splitlines()]
    assert ["filter", *["0.0", "±", "0.0", "%"] * 2, "–", "6", "∞"] in rows
    prompt, *_ = [row for row in rows if row[:1] == ["prompt"]]  # in all tables
    assert float(prompt[-1]) == round(evaluation.completions["tokens"].mean(), 1)
    cell = tmp_path / "run" / "cells" / "filter" / "seed2"
    assert (cell / "completions.csv").read_text() == ",".join(COLUMNS) + "\n"
    assert len(pd.read_csv(cell / "draws.csv")) == 12
    assert pd.read_csv(cell / "acceptance.csv")["delivered"].tolist() == [0] * 4
    assert json.loads((cell / "summary.json").read_text())["rates"] == []
    cost = pd.read_csv(tmp_path / "run" / "results" / "cost.csv").set_index("method")
    assert cost.loc["filter", ["seeds", "delivered", "acceptance"]].tolist() == [2, 0, 0]
    assert cost.loc["filter", "tokens_per_delivered"] == float("inf")
    again = trial.run(tmp_path / "run", quiet=True)
    assert (again.computed, str(again.evaluation)) == ((), str(evaluation))


def test_a_study_in_which_nobody_finds_anything(tmp_path: Path, tiny_model_folder: Path) -> None:
    trial = study(tmp_path, tiny_model_folder, "[methods.filter]\nmax_draws = 1\n")
    for _ in range(2):
        with pytest.raises(EquipoiseError) as caught:
            trial.run(tmp_path / "run", quiet=True)
        assert str(caught.value) == (
            f"{tmp_path / 'run'}: no method has delivered a single completion. "
            "Raise max_draws or ask with another prompt, in another folder (--out)."
        )
    assert (tmp_path / "run" / "cells" / "filter" / "seed2" / "draws.csv").is_file()
