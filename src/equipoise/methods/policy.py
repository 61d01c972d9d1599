"""A policy: a model under a method's control, that completions are drawn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from equipoise.completions.frame import CUT, as_completions
from equipoise.completions.sentence_remarks import written_cut
from equipoise.decoding.sampler import sample
from equipoise.decoding.stopping import EndOfTurn
from equipoise.model.draws import Draw, OnDrawn, Question, Sampling
from equipoise.model.protocol import Model
from equipoise.progress import counting
from equipoise.task.lexicon import TermMatcher
from equipoise.task.task import Task

Wording = Callable[[Question], Question]
"""What is asked in place of a question."""


@dataclass(frozen=True)
class Delivery:
    """What a policy delivered.

    Attributes:
        completions: The completions frame.
        draws: Where not all that was drawn was delivered: a completions frame of all draws, with
            the columns ``accepted`` and ``delivered``.
    """

    completions: pd.DataFrame
    draws: pd.DataFrame | None = None


@dataclass(frozen=True)
class Policy:
    """A model under a method's control: something that completions are drawn from.

    Attributes:
        lm: The model; weights that are at hand are in its compute type.
        task: Whose subjects are described.
        prompt: Kind of the task's prompt that the model is asked with.
        training_texts: Sentences it was trained on; empty for untrained methods.
        wording: What is asked in place of that prompt, or of any other question.
        given: Further texts that it was shown or fitted on, as against training texts never to be
            written.
        knows_constraint: The task's constraint itself was used to make it or is used when it draws:
            compiled, as a filter, as a reward, or told to the model.
        task_only: Why its control reaches no question but the task's; None where it reaches all.
    """

    lm: Model
    task: Task
    prompt: str = "neutral"
    training_texts: tuple[str, ...] = ()
    wording: Wording | None = None
    given: tuple[str, ...] = ()
    knows_constraint: bool = False
    task_only: str | None = None

    @property
    def told(self) -> frozenset[str]:
        """The scored terms that it was given: all of them where it knows the constraint.

        Else those in what it was trained on, shown, and asked about any of the task's subjects.
        """
        scored = self.task.constraint.scored
        if self.knows_constraint:
            return frozenset(scored)
        asked = self.questions([subject.name for subject in self.task.subjects])
        spoken = {turn["content"] for question in asked for turn in question.turns}
        matcher = TermMatcher(scored)
        texts = {*spoken, *self.training_texts, *self.given}
        return frozenset(term for text in texts for term in matcher.terms_in(text))

    def draw(
        self,
        subjects: Sequence[str],
        n: int,
        sampling: Sampling,
        seed: int,
        on_drawn: OnDrawn | None = None,
    ) -> list[list[Draw]]:
        """``n`` completions of each of ``subjects``."""
        return self.sample(subjects, [n] * len(subjects), sampling, seed, on_drawn)

    def sample(
        self,
        subjects: Sequence[str],
        counts: Sequence[int],
        sampling: Sampling,
        seed: int,
        on_drawn: OnDrawn | None = None,
    ) -> list[list[Draw]]:
        """``counts[i]`` completions of ``subjects[i]``, for every i.

        See ``model.protocol.Model.draw``.
        """
        return self.answers(self.questions(subjects), counts, sampling, seed, on_drawn)

    def answers(
        self,
        questions: Sequence[Question],
        counts: Sequence[int],
        sampling: Sampling,
        seed: int,
        on_drawn: OnDrawn | None = None,
    ) -> list[list[Draw]]:
        """``counts[i]`` answers to ``questions[i]``, for every i."""
        return self.lm.draw(questions, counts, sampling, seed, on_drawn, decoder=sample)

    def turns(
        self,
        questions: Sequence[Question],
        counts: Sequence[int],
        sampling: Sampling,
        seed: int,
        on_drawn: OnDrawn | None = None,
    ) -> list[list[Draw]]:
        """The same, but each answer goes on after its first sentence to the end of the turn."""
        whole = partial(sample, end=EndOfTurn)
        return self.lm.draw(questions, counts, sampling, seed, on_drawn, decoder=whole)

    def reply(self, question: Question, n: int, sampling: Sampling, seed: int) -> list[Draw]:
        """``n`` answers, or fewer, to a question that is none of the task's.

        The method controls them as far as it reaches beyond the task's prompts, and not at all
        where `out_of_reach` says so. Answers are whole turns; what is judged is their first
        sentence, which need not speak of a subject.

        Args:
            question: Without prefix and subject.
            n: Answers that are wanted; a policy that rejects draws may give fewer.
            sampling: How they are drawn.
            seed: Of the random numbers.
        """
        on_drawn = counting("answering", n)
        return self.turns([self.worded(question)], [n], sampling, seed, on_drawn)[0]

    @property
    def out_of_reach(self) -> str | None:
        """Why `reply` would not be under the method's control; None where it is.

        A policy that draws in a way of its own must say how it replies, or it does not.
        """
        own, plain = type(self), Policy
        if own is not plain and own.reply is plain.reply and own.turns is plain.turns:
            return "it draws in a way of its own, made for those"
        return self.task_only

    @property
    def plain(self) -> bool:
        """Whether a text goes on as its model alone continues it.

        Then the model's probabilities are the policy's: nothing is put before the text, and nobody
        chooses among draws or shifts what is drawn from.
        """
        return type(self) is Policy and self.wording is None and self.task_only is None

    @property
    def longest_reply(self) -> int | None:
        """Most tokens that `reply` can draw; None where it is told by ``sampling`` alone."""
        return None

    def questions(self, subjects: Sequence[str]) -> list[Question]:
        """What the model is asked about each of ``subjects``, and how its answer begins."""
        return [self.worded(ask(self.task, subject, self.prompt)) for subject in subjects]

    def worded(self, question: Question) -> Question:
        """What is asked in place of ``question``."""
        return question if self.wording is None else self.wording(question)

    def deliver(
        self,
        label: str,
        subjects: Sequence[str],
        n: int,
        sampling: Sampling,
        seed: int,
    ) -> Delivery:
        """``n`` completions of each of ``subjects``, with ``label`` as their method.

        A policy that rejects draws may deliver fewer, and so does one whose model gives answers
        that say nothing.
        """
        on_drawn = counting("sampling", n * len(subjects))
        on_drawn(0)
        draws = self.draw(subjects, n, sampling, seed, on_drawn)
        if all(draw.answered and not draw.earlier for of_subject in draws for draw in of_subject):
            return Delivery(self.frame(label, subjects, draws, seed))
        accepted = [[draw.answered for draw in of_subject] for of_subject in draws]
        return self.delivery(label, subjects, draws, accepted, n, seed)

    def delivery(
        self,
        label: str,
        subjects: Sequence[str],
        draws: Sequence[Sequence[Draw]],
        accepted: Sequence[Sequence[bool]],
        n: int,
        seed: int,
    ) -> Delivery:
        """The first ``n`` of the ``accepted`` draws of each of ``subjects``, and all draws.

        Answers that a draw took the place of stand before it, and are not accepted.
        """
        every: list[list[Draw]] = [[] for _ in subjects]
        flags: list[list[bool]] = [[] for _ in subjects]
        for index, of_subject in enumerate(draws):
            for draw, taken in zip(of_subject, accepted[index], strict=True):
                every[index] += [*draw.earlier, draw]
                flags[index] += [False] * len(draw.earlier) + [taken]
        frame = self.frame(label, subjects, every, seed)
        marks = [np.array(of_subject, dtype=bool) for of_subject in flags]
        frame["accepted"] = np.concatenate(marks)
        frame["delivered"] = np.concatenate([m & (np.cumsum(m) <= n) for m in marks])
        completions = frame[frame["delivered"]].drop(columns=["accepted", "delivered"])
        if CUT in completions and not any(completions[CUT]):  # only of others was anything cut
            completions = completions.drop(columns=CUT)
        return Delivery(completions.reset_index(drop=True), frame)

    def frame(
        self, label: str, subjects: Sequence[str], draws: Sequence[Sequence[Draw]], seed: int
    ) -> pd.DataFrame:
        """The ``draws`` of each of ``subjects`` as a completions frame."""
        rows = [
            {
                "subject": subject,
                "run": run,
                # No CSV reader takes a NUL, which models do draw; text editors show it like this.
                "text": draw.behind(self.task.response_prefix(subject)).replace("\0", "\ufffd"),
                "tokens": draw.tokens,
                CUT: written_cut(draw.cut),
            }
            for subject, of_subject in zip(subjects, draws, strict=True)
            for run, draw in enumerate(of_subject)
        ]
        found = pd.DataFrame(rows, columns=["subject", "run", "text", "tokens", CUT])
        found = found.astype({"tokens": "Int64"})  # some servers count none
        return as_completions(found, self.task, method=label, seed=seed)


def ask(task: Task, subject: str, kind: str) -> Question:
    """The task's prompt of a ``kind`` about ``subject``, and how the answer begins."""
    return Question(task.prompt(subject, kind), task.response_prefix(subject), subject)
