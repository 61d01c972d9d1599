"""The fields of requests: those that are read, and those that are refused by name.

Nothing is ignored in silence. A field that asks for something this server does not do is refused
unless its value asks for nothing, such as ``"store": false``.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeVar

from pydantic import Field

from equipoise.errors import EquipoiseError, nearest
from equipoise.serving.refusal import RefusalError, unsupported
from equipoise.settings import Settings, parse

MOST_STOPS = 16

MOST_LOGPROBS = 20
"""Likeliest tokens that are told at each place."""

_NO_CHAT = "/v1/completions gives log-probabilities, of methods that leave all to their model"
_TOOLS = "this server calls no tools"
_PENALTIES = "the study drew without penalties"
_TEXT = "answers are plain text"
REFUSED: dict[str, tuple[tuple[object, ...], str]] = {
    "logprobs": ((None, False), _NO_CHAT),
    "top_logprobs": ((None, 0), _NO_CHAT),
    "echo": ((None, False), "/v1/completions repeats its prompt"),
    "suffix": ((None, ""), "a prompt is continued at its end alone"),
    "best_of": ((None, 1), "ask for n answers, or serve the method best-of"),
    "logit_bias": ((None, {}), "the method alone decides on tokens"),
    "frequency_penalty": ((None, 0, 0.0), _PENALTIES),
    "presence_penalty": ((None, 0, 0.0), _PENALTIES),
    "repetition_penalty": ((None, 1, 1.0), _PENALTIES),
    "tools": ((None, []), _TOOLS),
    "tool_choice": ((None, "none", "auto"), _TOOLS),
    "parallel_tool_calls": ((None, False, True), _TOOLS),
    "functions": ((None, []), _TOOLS),
    "function_call": ((None, "none", "auto"), _TOOLS),
    "response_format": ((None, {"type": "text"}), _TEXT),
    "modalities": ((None, ["text"]), _TEXT),
    "audio": ((None,), _TEXT),
    "prediction": ((None,), "answers are drawn from the model alone"),
    "reasoning_effort": ((None,), "answers are drawn without reasoning"),
    "verbosity": ((None,), "the method alone decides on answers"),
    "web_search_options": ((None,), "nothing is looked up"),
    "store": ((None, False), "nothing is kept"),
    "metadata": ((None, {}), "nothing is kept"),
    "service_tier": ((None, "auto", "default"), "there is one"),
}
"""Field -> the values that ask for nothing, and why others are refused."""


class _Fields(Settings):
    """What both kinds of request may say.

    Attributes:
        model: The served name.
        temperature: As in ``Sampling``; None is the study's.
        top_p: Likewise.
        top_k: Likewise; no field of OpenAI's, but other servers have it.
        max_tokens: Most tokens of an answer.
        n: Answers of each prompt.
        seed: Fixes what is drawn; None draws anew each time.
        stop: An answer is cut before the first of these.
        stream: Answer in events.
        stream_options: ``include_usage``.
        user: Who asks; read by nobody.
    """

    model: str
    temperature: Annotated[float, Field(ge=0, le=100)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=0)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    n: Annotated[int, Field(ge=1)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    stop: str | list[str] | None = None
    stream: bool | None = None
    stream_options: dict[str, bool] | None = None
    user: str | None = None

    @property
    def stops(self) -> tuple[str, ...]:
        """The stop sequences.

        Raises:
            RefusalError: There are too many, or one is empty.
        """
        stops = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        if len(stops) > MOST_STOPS or not all(stops):
            why = f"it takes up to {MOST_STOPS} sequences, none of them empty"
            raise RefusalError(f"'stop' is wrong: {why}", param="stop")
        return stops


class ChatFields(_Fields):
    """A request to ``/v1/chat/completions``.

    Attributes:
        messages: The conversation; its last turn is the user's.
        max_completion_tokens: The newer name of ``max_tokens``.
    """

    messages: list[Any]
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None


class CompletionFields(_Fields):
    """A request to ``/v1/completions``.

    Attributes:
        prompt: A text, texts, tokens, or several lists of tokens.
        max_tokens: As in every request; 0 draws nothing, for a prompt that is only repeated.
        logprobs: Give the log-probability of each token, and of as many likeliest ones.
        echo: Repeat the prompt before its answer.
    """

    prompt: str | list[Any]
    max_tokens: Annotated[int, Field(ge=0)] | None = None
    logprobs: Annotated[int, Field(ge=0, le=MOST_LOGPROBS)] | None = None
    echo: bool | None = None


FieldsT = TypeVar("FieldsT", bound=_Fields)


def read_fields(cls: type[FieldsT], body: bytes) -> FieldsT:
    """The request that is in ``body``.

    Raises:
        RefusalError: It is no JSON object, or a field is unknown, wrong or refused.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusalError("The body is no JSON that can be read.") from None
    if not isinstance(found, dict):
        raise RefusalError("The body is no JSON object.")
    for name in REFUSED.keys() & found.keys() - cls.model_fields.keys():
        nothing, why = REFUSED[name]
        if _written(found.pop(name)) not in map(_written, nothing):
            raise unsupported(name, why)
    for name in found.keys() - cls.model_fields.keys():
        known = nearest(name, cls.model_fields)
        raise RefusalError(f"There is no field '{name[:80]}'. {known}", param=name[:80])
    try:
        return parse(cls, found)
    except EquipoiseError as error:
        raise RefusalError(str(error), param=error.field) from None


def _written(value: object) -> str:
    """``value`` such that 0 is not False."""
    return json.dumps(value, sort_keys=True)
