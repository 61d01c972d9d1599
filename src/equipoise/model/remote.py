"""Drawing from an endpoint that speaks the OpenAI protocol, through its official client."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from equipoise.errors import EquipoiseError
from equipoise.model.answer import Answer, Said, said_in_chat, said_in_completion
from equipoise.model.answer_log import AnswerLog
from equipoise.model.draws import Draw, OnDrawn, Question, Sampling
from equipoise.model.endpoint import SCHEME, EndpointSettings
from equipoise.model.failure import failure
from equipoise.model.response import answer_in
from equipoise.model.spacing import drops_spaces, spaced
from equipoise.model.usage import Usage

if TYPE_CHECKING:
    from openai import OpenAI

    from equipoise.model.language_model import Decoder

NO_KEY = "none"
"""Stands where a client insists on a key and the server wants none."""


@dataclass
class Endpoint:
    """A model that answers over the network: no logits, no prefix in a chat.

    It is a ``model.protocol.Model`` without weights.

    Attributes:
        name: ``openai:NAME``.
        settings: How it is asked.
        log: Keeps its answers; those it holds already are not asked for again.
        usage: What all answers so far have cost, those from the log included.
    """

    name: str
    settings: EndpointSettings
    log: AnswerLog = field(default_factory=AnswerLog)
    usage: Usage = field(default_factory=Usage)
    _drops_spaces: bool = field(default=True, init=False, repr=False)

    def keeping(self, path: Path | None) -> Endpoint:
        """The same endpoint with nothing counted yet, which keeps its answers in ``path``."""
        return Endpoint(self.name, self.settings, AnswerLog(path))

    @property
    def precision(self) -> str:
        """Where it is, for the place where other models say in which type they compute."""
        return self.settings.description

    @property
    def weights(self) -> None:
        """See ``Model.weights``: they are with somebody else."""

    @property
    def revision(self) -> None:
        """See ``Model.revision``: nobody says which weights stand behind a name."""

    def spending(self) -> dict[str, Any]:
        """Counts of the answers so far, and their price (None without prices)."""
        return {**self.usage.counts(), "price": self.price}

    @property
    def price(self) -> float | None:
        """What the answers so far have cost; None without prices or counts of tokens."""
        settings, usage = self.settings, self.usage
        if settings.price_in is None or settings.price_out is None:
            return None
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            return None
        spent = settings.price_in * usage.prompt_tokens
        return (spent + settings.price_out * usage.completion_tokens) / 1e6

    def draw(
        self,
        questions: Sequence[Question],
        counts: Sequence[int],
        sampling: Sampling,
        seed: int,
        on_drawn: OnDrawn | None = None,
        *,
        decoder: Decoder | None = None,
    ) -> list[list[Draw]]:
        """See ``Model.draw``: each is a request with a seed of its own, which may be ignored.

        Args:
            questions: What to ask.
            counts: Answers to each.
            sampling: Temperature, nucleus and most tokens; ``batch_size`` means nothing here.
            seed: Of the seeds.
            on_drawn: Hears how far it is.
            decoder: Means nothing here: the server decodes.

        Raises:
            EquipoiseError: The server cannot be reached, refuses, or answers out of protocol.
        """
        wanted = [(index, number) for index, count in enumerate(counts) for number in range(count)]
        bodies = [self._body(questions[index], sampling, seed, number) for index, number in wanted]
        answers = self._answers(bodies, on_drawn or (lambda drawn: None))
        asked = [questions[index] for index, _ in wanted]
        draws: list[list[Draw]] = [[] for _ in questions]
        limited = self.settings.limit not in self.settings.left_out
        most_tokens = sampling.max_new_tokens if limited else None
        said_each = self._said(asked, answers)
        for (index, _), answer, said in zip(wanted, answers, said_each, strict=True):
            self.usage.add(answer, said.silence, most_tokens)
            draws[index].append(
                Draw(
                    said.text,
                    answer.completion_tokens,
                    answer.ended,
                    whole=said.whole,
                    cut=said.cut,
                    answered=said.silence is None,
                )
            )
        return draws

    def _said(self, asked: Sequence[Question], answers: Sequence[Answer]) -> list[Said]:
        """What each answer says."""
        pairs = list(zip(asked, answers, strict=True))
        if self.settings.api == "chat":
            return [said_in_chat(answer, one.prefix, one.subject) for one, answer in pairs]
        found = [
            said_in_completion(answer, one.plain + one.prefix, one.prefix) for one, answer in pairs
        ]
        texts = [answer.text for answer in answers if answer.text.strip()]
        self._drops_spaces = self._drops_spaces and drops_spaces(texts)
        if not self._drops_spaces:
            return found
        self.usage.respaced += sum(spaced(said.text) != said.text for said in found)
        return [replace(said, text=spaced(said.text)) for said in found]

    def _body(
        self, question: Question, sampling: Sampling, seed: int, number: int
    ) -> dict[str, Any]:
        """The request for completion ``number`` of ``question``, without regard to `left_out`."""
        asked: dict[str, Any]
        if self.settings.api == "chat":
            asked = {"messages": question.turns}
        else:
            asked = {"prompt": question.plain + question.prefix}
        own_seed = np.random.SeedSequence([seed, number]).generate_state(1)[0]
        return {
            "model": self.name.removeprefix(SCHEME),
            **asked,
            self.settings.limit: sampling.max_new_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": int(own_seed) >> 1,  # below 2**31: some servers know no larger ones
        }

    def _answers(self, bodies: Sequence[dict[str, Any]], on_drawn: OnDrawn) -> list[Answer]:
        """An answer to each request, from the log or from the server."""
        keys = [self._key(body) for body in bodies]
        known = {key: answer for key in keys if (answer := self.log.get(key))}
        on_drawn(sum(key in known for key in keys))
        missing = {key: body for key, body in zip(keys, bodies, strict=True) if key not in known}
        if missing:
            with self._client() as client, closing(self._ask(client, missing)) as answers:
                for key, answer in answers:
                    known[key] = answer
                    on_drawn(1)
        return [known[key] for key in keys]

    def _ask(
        self, client: OpenAI, bodies: Mapping[str, dict[str, Any]]
    ) -> Generator[tuple[str, Answer], None, None]:
        """The server's answers, as they come."""
        pool = ThreadPoolExecutor(self.settings.concurrency, thread_name_prefix="endpoint")
        pace = _Pace(self.settings.requests_per_minute)
        waiting = {
            pool.submit(self._request, client, pace, key, body): key for key, body in bodies.items()
        }
        try:
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        finally:  # answers under way are paid for: they are waited for, and kept
            pool.shutdown(wait=True, cancel_futures=True)

    def _key(self, body: dict[str, Any]) -> str:
        """Of the whole request: without its seed it would be that of its likes."""
        left_out = sorted(self.settings.left_out)
        where = [self.settings.address, self.settings.api]
        asked = json.dumps([*where, body, *left_out], sort_keys=True)
        return hashlib.sha256(asked.encode()).hexdigest()

    def _request(self, client: OpenAI, pace: _Pace, key: str, body: dict[str, Any]) -> Answer:
        """One answer, once it is kept."""
        import openai

        api, left_out = self.settings.api, self.settings.left_out
        sent = {name: value for name, value in body.items() if name not in left_out}
        of = client.chat.completions if api == "chat" else client.completions
        pace.wait()
        try:
            response = self.settings.without_key(of.with_raw_response.create(**sent).text)
        except openai.OpenAIError as error:
            raise failure(self.name, self.settings, error) from None  # its context may hold the key
        try:
            answer = answer_in(response, api, sent.get(self.settings.limit))
        except EquipoiseError as error:
            raise EquipoiseError(
                f"{self.name} at {self.settings.address} {error.problem}", hint=error.hint
            ) from None
        self.log.put(key, answer)
        return answer

    def _client(self) -> OpenAI:
        from openai import OpenAI

        key = self.settings.key
        return OpenAI(
            api_key=key or NO_KEY,
            # The environment's are told to nobody who does not get the key.
            organization=None if key else "",
            project=None if key else "",
            base_url=self.settings.address,
            timeout=self.settings.timeout_seconds,
            max_retries=self.settings.retries,
        )


class _Pace:
    """Lets no more requests begin than so many a minute, evenly spaced."""

    def __init__(self, per_minute: int | None) -> None:
        self._interval = 60 / per_minute if per_minute else 0.0
        self._lock, self._next = threading.Lock(), 0.0

    def wait(self) -> None:
        """Wait for one's turn."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._interval
        time.sleep(turn - now)
