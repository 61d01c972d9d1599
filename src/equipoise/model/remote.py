"""Drawing from an endpoint that speaks the OpenAI protocol, through its official client."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from equipoise.errors import EquipoiseError
from equipoise.model.answer import (
    Answer,
    Said,
    of_chat,
    of_completion,
    said_in_chat,
    said_in_completion,
)
from equipoise.model.answer_log import AnswerLog
from equipoise.model.draws import Draw, OnDrawn, Question, Sampling
from equipoise.model.endpoint import KEY_VARIABLE, SCHEME, EndpointSettings

if TYPE_CHECKING:
    from openai import OpenAI

    from equipoise.model.language_model import Decoder

NO_KEY = "none"
"""Stands where a client insists on a key and the server wants none."""


@dataclass
class Usage:
    """What answers have cost: requests answered, and tokens as the server counts them."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def add(self, answer: Answer) -> None:
        """Count one answer."""
        self.requests += 1
        self.prompt_tokens += answer.prompt_tokens
        self.completion_tokens += answer.completion_tokens


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

    def keeping(self, path: Path | None) -> Endpoint:
        """The same endpoint with nothing counted yet, which keeps its answers in ``path``."""
        return Endpoint(self.name, self.settings, AnswerLog(path))

    @property
    def precision(self) -> str:
        """Where it is, for the place where other models say in which type they compute."""
        return f"{self.settings.address} ({self.settings.api})"

    @property
    def weights(self) -> None:
        """See ``Model.weights``: they are with somebody else."""

    @property
    def revision(self) -> None:
        """See ``Model.revision``: nobody says which weights stand behind a name."""

    def spending(self) -> dict[str, Any]:
        """Requests, tokens of prompts and price (None without prices) of the answers so far."""
        usage = self.usage
        return {
            "requests": usage.requests,
            "prompt_tokens": usage.prompt_tokens,
            "price": self.price,
        }

    @property
    def price(self) -> float | None:
        """What the answers so far have cost, in the currency of the prices; None without prices."""
        price_in, price_out = self.settings.price_in, self.settings.price_out
        if price_in is None or price_out is None:
            return None
        spent = price_in * self.usage.prompt_tokens + price_out * self.usage.completion_tokens
        return spent / 1e6

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
        draws: list[list[Draw]] = [[] for _ in questions]
        for (index, _), answer in zip(wanted, answers, strict=True):
            self.usage.add(answer)
            said = self._said(answer.text, questions[index])
            tokens = answer.completion_tokens
            draws[index].append(
                Draw(said.text, tokens, answer.ended, whole=said.whole, cut=said.cut)
            )
        return draws

    def _body(
        self, question: Question, sampling: Sampling, seed: int, number: int
    ) -> dict[str, Any]:
        """The request for completion ``number`` of ``question``."""
        asked: dict[str, Any]
        if self.settings.api == "chat":
            asked = {"messages": question.turns}
            limit = self.settings.limit_name
        else:
            asked = {"prompt": question.plain + question.prefix}
            limit = "max_tokens"
        own_seed = np.random.SeedSequence([seed, number]).generate_state(1)[0]
        return {
            "model": self.name.removeprefix(SCHEME),
            **asked,
            limit: sampling.max_new_tokens,
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
        asked = json.dumps([self.settings.address, self.settings.api, body], sort_keys=True)
        return hashlib.sha256(asked.encode()).hexdigest()

    def _request(self, client: OpenAI, pace: _Pace, key: str, body: dict[str, Any]) -> Answer:
        """One answer, once it is kept."""
        import openai

        pace.wait()
        try:
            if self.settings.api == "chat":
                answer = of_chat(client.chat.completions.create(**body))
            else:
                answer = of_completion(client.completions.create(**body))
        except openai.OpenAIError as error:
            raise self._failure(error) from None  # its context may hold the key
        except (AttributeError, IndexError, TypeError, ValueError):
            raise EquipoiseError(
                f"{self.settings.address} answers something else than the OpenAI protocol says",
                hint="Check base_url; it ends in /v1 with most servers.",
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

    def _failure(self, error: Exception) -> EquipoiseError:
        """What went wrong, in one line that never holds the key."""
        import openai

        reason = " ".join(str(error).split())
        if key := self.settings.key:
            reason = reason.replace(key, "***")
        reason = reason[:300].rstrip(".")
        hint = "What was answered is kept: run the same command again to go on."
        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            hint = (
                f"Set {KEY_VARIABLE} in the environment. It is sent to addresses that you name "
                "with --base-url or OPENAI_BASE_URL, not to one that only a study file names."
            )
        elif isinstance(error, openai.NotFoundError):
            hint = "Check the model's name and base_url, which ends in /v1 with most servers."
        elif isinstance(error, openai.RateLimitError):
            hint += " Set requests_per_minute, or a lower concurrency."
        elif isinstance(error, openai.BadRequestError | openai.UnprocessableEntityError):
            hint = "A setting of [endpoint], limit_name perhaps, does not suit this server."
        return EquipoiseError(f"{self.name} at {self.settings.address}: {reason}", hint=hint)

    def _said(self, text: str, question: Question) -> Said:
        if self.settings.api == "completions":
            return said_in_completion(text, question.prefix)
        return said_in_chat(text, question.prefix, question.subject)


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
