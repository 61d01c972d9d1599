"""What the served policy answers: the task's prompts as the study would, others as it can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from equipoise.decoding.sampler import sample
from equipoise.decoding.stopping import EndOfSentence, EndOfTurn
from equipoise.errors import EquipoiseError
from equipoise.model.draws import Prompt, Question, Sampling
from equipoise.serving.asking import Asked
from equipoise.serving.controlled import Controlled
from equipoise.serving.limits import Limits
from equipoise.serving.refusal import RefusalError, unsupported
from equipoise.serving.scores import Scores, scores_of


class Answer(NamedTuple):
    """One answer.

    Attributes:
        text: Of the assistant's turn, or what a prompt goes on with; behind that prompt, if it is
            repeated.
        tokens: That were drawn.
        cut: It was not over when no more tokens might be drawn.
        scores: Of its tokens, if they were asked for.
    """

    text: str
    tokens: int
    cut: bool
    scores: Scores | None = None


NOTHING = Answer("", 0, True)
"""Where nothing was to be drawn."""


class Answered(NamedTuple):
    """The answers to a request.

    Attributes:
        answers: ``n`` of each prompt, prompt by prompt.
        prompt_tokens: Of all prompts, what the method puts before them included.
    """

    answers: tuple[Answer, ...]
    prompt_tokens: int


@dataclass(frozen=True)
class Answering:
    """Answers requests with a policy.

    Attributes:
        controlled: The model under control.
        limits: Of the server.
    """

    controlled: Controlled
    limits: Limits

    def answer(self, asked: Asked) -> Answered:
        """All answers to a request; several prompts get what each would get by itself.

        Raises:
            RefusalError: A prompt is too long, its answers cannot be controlled or have no
                log-probabilities, or fewer were delivered than were asked for.
            EquipoiseError: The model cannot be asked that.
        """
        if asked.logprobs is not None and not self.controlled.policy.plain:
            raise unsupported(
                "logprobs",
                f"'{self.controlled.name}' does not leave everything to its model, so that "
                "the model's probabilities are not those of its answers",
            )
        answers: list[Answer] = []
        prompt_tokens = 0
        sent = asked.tokens or (None,) * len(asked.questions)
        for question, tokens in zip(asked.questions, sent, strict=True):
            context = self._context(question, None if asked.logprobs is None else tokens)
            prompt_tokens += len(context)
            if asked.logprobs is not None:
                found = self._scored(question, context, asked, asked.logprobs)
            elif asked.draw:
                found = self._answers(question, asked.n, asked.sampling, asked.seed)
            else:
                found = [NOTHING] * asked.n
            if len(found) < asked.n:
                raise RefusalError(
                    f"The method delivered {len(found)} of {asked.n} answers: the others were "
                    "rejected, or said nothing.",
                    status=422,
                    code="not_delivered",
                )
            before = question.prompt if asked.echo else ""
            answers += [_stopped(answer, asked.stop, before) for answer in found]
        return Answered(tuple(answers), prompt_tokens)

    def _scored(
        self, question: Question, context: tuple[int, ...], asked: Asked, top: int
    ) -> list[Answer]:
        """Answers of the model alone with the scores of their tokens; the same as without.

        Markdown stays in them, which judging takes away: the tokens are those of the text.
        """
        lm, policy = self.controlled.lm, self.controlled.policy
        repeated = question.prompt if asked.echo else None
        if not asked.draw:
            return [NOTHING._replace(scores=scores_of(lm, context, (), top, repeated))] * asked.n
        subject = self._subjects.get(question)
        prefix = "" if subject is None else policy.task.response_prefix(subject)
        end = EndOfTurn if subject is None else EndOfSentence
        prompts = [Prompt(context, prefix)]
        [draws] = sample(lm, prompts, [asked.n], asked.sampling, asked.seed, end=end)
        return [
            Answer(
                draw.text, len(draw.ids), not draw.ended,
                scores_of(lm, context, draw.ids, top, repeated),
            )
            for draw in draws
        ]  # fmt: skip

    def read(self, tokens: Sequence[int]) -> str:
        """The text of ``tokens`` that are read as they are, however the tokenizer would spell it.

        Raises:
            RefusalError: The model has no such token.
        """
        lm = self.controlled.lm
        if not all(0 <= token < min(len(lm.tokenizer), lm.encoder.rows) for token in tokens):
            raise RefusalError("The model has no such token.", param="prompt")
        return str(lm.tokenizer.decode(tokens, clean_up_tokenization_spaces=False))

    def spell(self, tokens: Sequence[int]) -> str:
        """The text of ``tokens``.

        Raises:
            RefusalError: The tokenizer would spell it otherwise, or has no such token.
        """
        lm = self.controlled.lm
        if all(0 <= token < len(lm.tokenizer) for token in tokens):
            text = str(lm.tokenizer.decode(tokens, clean_up_tokenization_spaces=False))
            if lm.tokenizer(text, add_special_tokens=False)["input_ids"] == list(tokens):
                return text
        raise RefusalError(
            "These tokens are not those that the model's tokenizer spells their text with. Send "
            "the text.",
            param="prompt",
        )

    def _answers(self, question: Question, n: int, sampling: Sampling, seed: int) -> list[Answer]:
        policy = self.controlled.policy
        if policy.longest_reply is not None:
            longest = min(sampling.max_new_tokens, policy.longest_reply)
            sampling = sampling.model_copy(update={"max_new_tokens": longest})
        subject = self._subjects.get(question)
        if subject is not None:
            return self._as_in_the_study(question, subject, n, sampling, seed)
        if policy.out_of_reach is not None:
            raise RefusalError(
                f"'{self.controlled.name}' controls the task's own prompts alone: "
                f"{policy.out_of_reach}.",
                status=422,
                code="not_controlled",
            )
        draws = policy.reply(question, n, sampling, seed)
        return [
            Answer(draw.text, draw.tokens or 0, not draw.ended) for draw in draws if draw.answered
        ]

    def _as_in_the_study(
        self, question: Question, subject: str, n: int, sampling: Sampling, seed: int
    ) -> list[Answer]:
        """What the cell would deliver about a subject; a bare prompt holds the prefix already."""
        policy = self.controlled.policy
        frame = policy.deliver("served", [subject], n, sampling, seed).completions
        prefix = policy.task.response_prefix(subject) if question.bare else ""
        return [
            Answer(text.removeprefix(prefix), int(tokens), self._is_cut(finished, tokens, sampling))
            for text, tokens, finished in zip(
                frame["text"], frame["tokens"], frame["finished"], strict=True
            )
        ]

    @staticmethod
    def _is_cut(finished: bool, tokens: int, sampling: Sampling) -> bool:
        return not finished and tokens >= sampling.max_new_tokens

    @cached_property
    def _subjects(self) -> dict[Question, str]:
        """What the study asks, by which it is recognised: as a turn, and as all that is read.

        The task's prompt stands for what the method asks in its place.
        """
        policy, encoder = self.controlled.policy, self.controlled.lm.encoder
        found = {}
        for subject in policy.task.subjects:
            [asked] = policy.questions([subject.name])
            rendered = encoder.text(asked.prompt, asked.prefix, asked.earlier)
            for prompt in (policy.task.prompt(subject.name, policy.prompt), asked.prompt):
                found[Question(prompt, "")] = subject.name
            found[Question(rendered, "", bare=True)] = subject.name
        return found

    def _context(self, question: Question, tokens: tuple[int, ...] | None) -> tuple[int, ...]:
        """Tokens that answers to ``question`` continue; ``tokens``, where they are given.

        Raises:
            RefusalError: They are too many.
        """
        if tokens is None:
            [prompt] = self.controlled.lm.prompts([self.controlled.policy.worded(question)])
            tokens = prompt.context
        if not tokens:
            raise RefusalError("There is nothing to continue.", param="prompt")
        if len(tokens) > self.limits.prompt_tokens:
            raise RefusalError(
                f"{len(tokens)} tokens are more than the {self.limits.prompt_tokens} of a prompt.",
                code="context_length_exceeded",
            )
        return tokens


def _stopped(answer: Answer, stops: Sequence[str], before: str) -> Answer:
    """``answer``, cut before the first of ``stops``, behind the text that stands ``before`` it."""
    ends = [end for stop in stops if (end := answer.text.find(stop)) >= 0]
    if ends:
        answer = answer._replace(text=answer.text[: min(ends)], cut=False)
    return answer._replace(text=before + answer.text)


def as_refusal(error: EquipoiseError) -> RefusalError:
    """What a model or method cannot do, in answer to a request."""
    return RefusalError(str(error), param=error.field)
