"""Prompting with what the others know: what is asked, what was told, and how a filter asks."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from equipoise import EquipoiseError
from equipoise.methods.asking import ASKING
from equipoise.methods.method import Policy, Workspace
from equipoise.methods.prompt_listed import with_request
from equipoise.methods.registry import METHODS, build_method
from equipoise.model.draws import Draw, Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.study.method_tables import build_methods
from equipoise.task.task import Task
from equipoise.testing import check_method
from equipoise.testing.tasks import small_task

SUBJECTS = ("doctor", "pilot", "nurse")
FIRST, SECOND = " tall.", " bold to all colleagues there."
GOOD = " bold and kind to all."
EVERY = {"bold", "ambitious", "self-reliant", "kind", "honest", "good with people"}
DEMANDS = (
    "at least one of these words: bold, ambitious, self-reliant",
    "at least one of these words: kind, honest, good with people",
    "6 to 11 words",
)


@pytest.fixture
def small(tmp_path: Path) -> Task:
    return small_task(tmp_path)


@pytest.fixture
def policy_of(tiny_lm: LanguageModel, small: Task, tmp_path: Path) -> Callable[..., Policy]:
    """Fits a method, with settings, on the small task."""

    def make(name: str, seed: int = 1, **settings: object) -> Policy:
        method = build_method(name, settings)
        method.check(small)
        return method.start(tiny_lm, small, seed, Workspace(tmp_path / "w", tmp_path / "m"))

    return make


class TestListed:
    """``prompt-listed``."""

    def test_every_listed_term_is_named(self, policy_of: Callable[..., Policy]) -> None:
        policy = policy_of("prompt-listed")
        assert [question.prompt for question in policy.questions(SUBJECTS)] == [
            f"The sentence must have {DEMANDS[0]}; and {DEMANDS[1]}:\nComplete: The {name} was"
            for name in SUBJECTS
        ]
        assert policy.told == EVERY

    def test_it_stands_before_the_sentence_to_be_completed(self) -> None:
        assert with_request("Complete this.\nBriefly:\nThe cook was", "It must rhyme") == (
            "Complete this.\nBriefly. It must rhyme:\nThe cook was"
        )

    def test_a_task_that_asks_for_no_word_is_refused(self, make_task: Callable[..., Task]) -> None:
        task = make_task(('all_of = ["{agentic}", "{communal}"]', ""))
        with pytest.raises(EquipoiseError, match=r"constraint: .*asks for no word"):
            build_method("prompt-listed", {}).check(task)

    def test_the_kind_of_prompt_can_be_chosen(self, policy_of: Callable[..., Policy]) -> None:
        [question] = policy_of("prompt-listed", prompt="balanced").questions(["nurse"])
        assert "Complete with both kinds of word: The nurse was" in question.prompt


class TestFewShot:
    """``few-shot``."""

    @pytest.mark.parametrize("shots", [1, 2, 4])
    def test_sentences_are_about_other_train_subjects(
        self, shots: int, policy_of: Callable[..., Policy], small: Task
    ) -> None:
        policy = policy_of("few-shot", shots=shots)
        for question in policy.questions(SUBJECTS):
            head, *sentences, blank, last = question.prompt.split("\n")
            assert (head, blank) == ("Examples:", "")
            assert last == f"Complete: The {question.subject} was"
            assert len(set(sentences)) == shots
            about = [sentence.split()[1] for sentence in sentences]
            assert all(small.constraint.check(sentence).satisfied for sentence in sentences)
            assert set(about) <= {"doctor", "pilot"} - {question.subject}
            # Of two subjects to choose from each has its turn.
            assert len(set(about)) == (2 if question.subject == "nurse" and shots > 1 else 1)

    def test_the_seed_draws_them(self, policy_of: Callable[..., Policy]) -> None:
        one, again, other = (
            policy_of("few-shot", seed, shots=3).questions(SUBJECTS) for seed in (1, 1, 2)
        )
        assert one == again
        assert one != other

    def test_told_is_what_was_shown(self, policy_of: Callable[..., Policy], small: Task) -> None:
        policy = policy_of("few-shot", shots=1)
        shown = " ".join(question.prompt for question in policy.questions(SUBJECTS))
        assert policy.told == {term for term in EVERY if term in shown}
        assert 2 <= len(policy.told) < 6

    def test_too_few_sentences_or_subjects_are_found_first(
        self, make_task: Callable[..., Task]
    ) -> None:
        task = make_task()  # 9 sentences about each of doctor and pilot
        build_method("few-shot", {"shots": 9}).check(task)
        with pytest.raises(EquipoiseError, match=r"^shots: task 'small' yields 9 distinct"):
            build_method("few-shot", {"shots": 10}).check(task)
        alone = make_task(
            ('[subjects.pilot]\nsplit = "train"', '[subjects.pilot]\nsplit = "validation"')
        )
        with pytest.raises(EquipoiseError, match="fewer than two train subjects") as caught:
            build_method("few-shot", {}).check(alone)
        assert caught.value.field == "shots"


class Answers:
    """Stands for the model: gives its answers in turn, and keeps what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *texts: str) -> None:
        self.left, self.asked, self.seeds = list(texts), [], []
        monkeypatch.setattr("equipoise.methods.policy.Policy.answers", self.answers)

    def answers(
        self,
        questions: Sequence,
        counts: Sequence[int],
        sampling: Sampling,
        seed: int,
        on_drawn=None,
    ) -> list[list[Draw]]:
        self.asked.append(list(zip(questions, counts, strict=True)))
        self.seeds.append(seed)
        drawn = []
        for count in counts:
            texts, self.left[:count] = self.left[:count], []
            drawn.append([Draw(text, len(text), True) for text in texts])
        return drawn


class TestRevise:
    """``revise``."""

    def test_what_fails_is_given_back_with_what_it_lacks(
        self, policy_of: Callable[..., Policy], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        script = Answers(monkeypatch, FIRST, GOOD, SECOND, GOOD)
        policy = policy_of("revise", rounds=2)
        delivery = policy.deliver("r", ["doctor"], 2, Sampling(), 5)
        first, second, third = script.asked
        assert [count for _, count in first] == [2]
        [(again, count)] = second  # the good answer is left alone
        assert count == 1
        assert again.earlier == (("Complete: The doctor was", "The doctor was tall."),)
        assert all(demand in again.prompt for demand in DEMANDS)
        [(last, _)] = third
        assert [answer for _, answer in last.earlier] == [
            "The doctor was tall.",
            "The doctor was bold to all colleagues there.",
        ]
        assert DEMANDS[1] in last.prompt
        assert DEMANDS[0] not in last.prompt
        assert DEMANDS[2] not in last.prompt
        assert len(set(script.seeds)) == 3
        assert delivery.completions["text"].tolist() == [f"The doctor was{GOOD}"] * 2
        assert policy.told == EVERY

    def test_the_answers_before_are_counted_and_kept(
        self, policy_of: Callable[..., Policy], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Answers(monkeypatch, FIRST, GOOD, SECOND)
        draws = policy_of("revise").deliver("r", ["doctor"], 2, Sampling(), 5).draws
        assert draws is not None
        assert draws["text"].tolist() == [f"The doctor was{t}" for t in (FIRST, SECOND, GOOD)]
        assert draws["tokens"].tolist() == [len(FIRST), len(SECOND), len(GOOD)]
        assert draws["accepted"].tolist() == draws["delivered"].tolist() == [False, True, True]

    def test_where_nothing_fails_nothing_is_asked_again(
        self, policy_of: Callable[..., Policy], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        script = Answers(monkeypatch, GOOD, GOOD)
        assert policy_of("revise", rounds=3).deliver("r", ["nurse"], 2, Sampling(), 5).draws is None
        assert len(script.asked) == 1

    def test_like_answers_are_one_question(
        self, policy_of: Callable[..., Policy], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An endpoint that is asked the same twice with one seed would answer the same."""
        script = Answers(monkeypatch, FIRST, FIRST, SECOND, GOOD)
        found = policy_of("revise").deliver("r", ["doctor"], 2, Sampling(), 5)
        assert [count for _, count in script.asked[1]] == [2]
        assert found.completions["text"].tolist() == [f"The doctor was{t}" for t in (SECOND, GOOD)]

    def test_many_questions_are_asked_in_portions(
        self, policy_of: Callable[..., Policy], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("equipoise.methods.revise.AT_A_TIME", 2)
        wrong = [f" tall and {number}." for number in range(5)]
        script = Answers(monkeypatch, *wrong, *[GOOD] * 5)
        policy_of("revise").deliver("r", ["doctor"], 5, Sampling(), 5)
        assert [len(asked) for asked in script.asked] == [1, 2, 2, 1]
        assert len(set(script.seeds)) == 4


class TestTold:
    """How many scored words each method is told."""

    def test_prompting(self, policy_of: Callable[..., Policy]) -> None:
        assert policy_of("prompt").told == set()
        assert policy_of("filter", max_draws=1).told == EVERY

    def test_the_built_in_prompts(self, tiny_lm: LanguageModel, occupations: Task) -> None:
        told = {kind: Policy(tiny_lm, occupations, kind).told for kind in ("neutral", "balanced")}
        assert told["neutral"] == set()
        assert told["balanced"] == {"confident", "decisive", "caring", "supportive"}
        assert len(occupations.constraint.scored) == 20

    def test_texts_count_whether_they_are_learnt_or_shown(
        self, tiny_lm: LanguageModel, small: Task
    ) -> None:
        policy = Policy(tiny_lm, small, training_texts=("Bold.",), given=("Kind, not bolder.",))
        assert policy.told == {"bold", "kind"}


class TestByConstruction:
    """Which balance is certain follows from the constraint and what is demanded of it."""

    def test_of_the_small_task(self, small: Task) -> None:
        certain = {
            (name, accept): build_method(name, {"accept": accept}).by_construction(small)
            for name in ("filter", "ctrlg")
            for accept in ("all", "any")
        }
        assert certain == {
            ("filter", "all"): True, ("filter", "any"): False,
            ("ctrlg", "all"): True, ("ctrlg", "any"): False,
        }  # fmt: skip
        others = [name for name in METHODS if name not in ("filter", "ctrlg")]
        assert not any(build_method(name, {}).by_construction(small) for name in others)

    def test_any_is_all_where_one_entry_is_wanted(self, make_task: Callable[..., Task]) -> None:
        task = make_task(('all_of = ["{agentic}", "{communal}"]', 'all_of = ["{agentic}"]'))
        assert build_method("ctrlg-any", {}).by_construction(task)
        assert build_method("filter", {"accept": "any"}).by_construction(task)


class TestFilterAsks:
    """``ask`` of a filter."""

    @pytest.mark.parametrize("name", ASKING)
    def test_it_asks_as_the_method_does(self, name: str, policy_of: Callable[..., Policy]) -> None:
        asked = policy_of("filter", ask=name, max_draws=2).asked  # type: ignore[attr-defined]
        assert asked.questions(SUBJECTS) == policy_of(name).questions(SUBJECTS)

    def test_a_label_of_the_study_comes_first(self, small: Task) -> None:
        tables = {
            "few-shot": {"shots": 2},
            "two": {"use": "few-shot", "shots": 3},
            "filter": {"ask": "few-shot"},
            "f": {"use": "filter", "ask": "two"},
            "g": {"use": "filter", "ask": "revise"},
        }
        made = build_methods(tables, Path("s.toml"))
        for method in made.values():
            method.check(small)
        shown = {
            label: made[label].questions(small, ["nurse"], 1)[0].prompt.count("\n")
            for label in ("filter", "f", "g")
        }
        assert shown == {"filter": 2 + 2, "f": 3 + 2, "g": 0}
        assert made["f"].describe()["ask.shots"] == 3, "its cells are others if that changes"
        assert json.loads(json.dumps(made["g"].describe()))["ask.rounds"] == 1

    @pytest.mark.parametrize(
        ("settings", "field", "message"),
        [
            ({"ask": "few-shto"}, "ask", "no prompting method 'few-shto'. Did you mean 'few-shot'"),
            ({"ask": "asked-sf"}, "ask", "Did you mean 'asked-sft'?"),
            ({"ask": "sft"}, "ask", "'sft' does more than ask"),
            ({"ask": "filter"}, "ask", "'filter' does more than ask"),
            ({"ask": "revise", "prompt": "balanced"}, "prompt", "and so does a prompt"),
            ({"ask": "asked-sft"}, "ask", "'asked-sft' asks the model of 'sft'"),
        ],
    )
    def test_what_cannot_be_asked_is_found_first(
        self, settings: dict[str, str], field: str, message: str, small: Task
    ) -> None:
        tables = {
            "sft": {},
            "asked-sft": {"use": "prompt", "init_from": "sft"},
            "filter": settings,
        }
        filtered = build_methods(tables, Path("s.toml"))["filter"]
        with pytest.raises(EquipoiseError) as caught:
            filtered.check(small)
        assert caught.value.field == field
        assert message in str(caught.value)

    def test_from_the_same_model_it_may_ask_so(self, small: Task) -> None:
        tables = {
            "sft": {},
            "asked-sft": {"use": "prompt-listed", "init_from": "sft"},
            "filter": {"ask": "asked-sft", "init_from": "sft"},
        }
        build_methods(tables, Path("s.toml"))["filter"].check(small)

    def test_answers_that_were_revised_are_among_its_draws(
        self, policy_of: Callable[..., Policy], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Answers(monkeypatch, FIRST, GOOD)
        delivery = policy_of("filter", ask="revise").deliver("f", ["doctor"], 1, Sampling(), 5)
        assert delivery.completions["text"].tolist() == [f"The doctor was{GOOD}"]
        assert delivery.draws is not None
        assert delivery.draws["accepted"].tolist() == [False, True]
        assert delivery.draws["tokens"].sum() == len(FIRST) + len(GOOD)

    def test_it_keeps_the_laws_while_it_asks(self, tmp_path: Path) -> None:
        settings = {"ask": "revise", "max_draws": 2}
        check_method(build_method("filter", settings), tmp_path)
