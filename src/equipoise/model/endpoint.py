"""Models that answer over the network: their names, and a study file's ``[endpoint]`` table."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import Field

from equipoise.errors import EquipoiseError
from equipoise.settings import Settings
from equipoise.wording.numbers import listing

SCHEME = "openai:"
"""How the name of a model begins that speaks the OpenAI protocol; what follows is its own name."""

URL_VARIABLE, KEY_VARIABLE = "OPENAI_BASE_URL", "OPENAI_API_KEY"
"""Environment variables with the address and the key, as the protocol's clients call them."""

HEADERS_VARIABLE = "OPENAI_CUSTOM_HEADERS"
"""Headers that the client adds to every request; they may hold secrets too."""

DEFAULT_URL = "https://api.openai.com/v1"
MAX_NAME_LENGTH = 200

LimitName = Literal["max_completion_tokens", "max_tokens"]
LIMIT_NAMES: tuple[LimitName, ...] = get_args(LimitName)
"""What servers call the most tokens of an answer."""

Leavable = Literal["temperature", "top_p", "seed", "max_tokens", "max_completion_tokens"]
LEAVABLE: tuple[Leavable, ...] = get_args(Leavable)
"""Parameters of a request that some servers refuse."""


class EndpointSettings(Settings):
    """The ``[endpoint]`` table.

    Attributes:
        base_url: Address up to and with ``/v1``; by default the environment's OPENAI_BASE_URL, else
            OpenAI's own.
        api: ``chat`` asks with a user's turn; the answer is put after the response prefix unless it
            begins with it. ``completions`` lets the model continue prompt and prefix as plain text.
        limit_name: What the server calls the most tokens of a chat answer.
        leave_out: Parameters that the server refuses and is not sent: ``temperature``, ``top_p``,
            ``seed`` and the most tokens, by whichever name. It takes its own, as results then say.
        concurrency: Requests that wait for an answer at a time.
        requests_per_minute: Most requests begun in a minute; by default as many as the server
            takes.
        retries: Times that a request is repeated when the server is busy or fails, each after a
            longer wait, or after the one that the server asks for.
        timeout_seconds: Longest wait for one answer.
        price_in: Price of a million tokens of prompts, in any currency; by default not counted.
        price_out: Price of a million tokens of answers, likewise.
    """

    base_url: str | None = None
    api: Literal["chat", "completions"] = "chat"
    limit_name: LimitName = "max_completion_tokens"
    leave_out: Annotated[tuple[Leavable, ...], Field(strict=False)] = ()
    concurrency: Annotated[int, Field(ge=1, le=256)] = 4
    requests_per_minute: Annotated[int | None, Field(ge=1)] = None
    retries: Annotated[int, Field(ge=0, le=20)] = 6
    timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 120.0
    price_in: Annotated[float | None, Field(ge=0)] = None
    price_out: Annotated[float | None, Field(ge=0)] = None

    @property
    def address(self) -> str:
        """The address that is asked, without a slash at its end."""
        return (self.base_url or os.environ.get(URL_VARIABLE) or DEFAULT_URL).rstrip("/")

    @property
    def limit(self) -> LimitName:
        """What the most tokens of an answer are called; text completions have one name for it."""
        return self.limit_name if self.api == "chat" else "max_tokens"

    @property
    def left_out(self) -> frozenset[str]:
        """The parameters that are not sent, the limit of tokens by both its names."""
        names: set[str] = {*self.leave_out}
        return frozenset(names | {*LIMIT_NAMES} if names & {*LIMIT_NAMES} else names)

    @property
    def description(self) -> str:
        """Where and how a model is asked, in one line."""
        without = f", without {listing(list(self.leave_out))}" if self.leave_out else ""
        return f"{self.address} ({self.api}{without})"

    @property
    def remarks(self) -> list[str]:
        """What a reader of the results should know of it, one sentence each; often nothing."""
        if not self.leave_out:
            return []
        names = listing(list(self.leave_out))
        return [f"The server was not sent {names} (leave_out): it took its own, whatever is set."]

    @property
    def is_named(self) -> bool:
        """Whether the address is the user's own choice, or OpenAI's.

        The user names one in the environment, or by ``--base-url``, which sets it there. A study
        file may be somebody else's: an address that stands only there is told no secret.
        """
        named = (os.environ.get(URL_VARIABLE) or DEFAULT_URL).rstrip("/")
        return self.address in (named, DEFAULT_URL)

    @property
    def key(self) -> str | None:
        """The key from the environment; None where there is none, or it must not be sent."""
        return os.environ.get(KEY_VARIABLE) if self.is_named else None

    def without_key(self, text: str) -> str:
        """``text``, in which a server may have repeated the key, without it."""
        return text.replace(self.key, "***") if self.key else text


def is_endpoint(name: str | Path) -> bool:
    """Whether a model's name is that of an endpoint, ``openai:NAME``."""
    return str(name).startswith(SCHEME)


def check_endpoint(
    name: str,
    settings: EndpointSettings,
    *,
    top_k: int,
    file: str | Path | None = None,
    field: str | None = None,
    table: str = "endpoint.",
) -> None:
    """Refuse, before anything is sent, what no endpoint can do.

    Args:
        name: The model, ``openai:NAME``.
        settings: How it is asked.
        top_k: That of the sampling.
        file: Where all this was written, for the error.
        field: The setting that names the model, for the error.
        table: What stands before a setting's name in an error.

    Raises:
        EquipoiseError: The client is not installed, the name or the address is none, there is no
            key for OpenAI's own, only one of two prices is given, or ``top_k`` is set, which the
            protocol does not know.
    """
    if find_spec("openai") is None:
        raise EquipoiseError(
            f"model '{name[:60]}' needs the client 'openai', which is not installed",
            file=file,
            field=field,
            hint="Install it: pip install 'equipoise[openai]'",
        )
    own = name.removeprefix(SCHEME)
    if not own.strip() or not own.isprintable() or len(own) > MAX_NAME_LENGTH:
        raise EquipoiseError(
            f"{own[:40]!r} names no model of an endpoint",
            file=file,
            field=field,
            hint="Write openai:NAME, with the name that the server knows.",
        )
    _check_address(settings.address, file, f"{table}base_url")
    if settings.address == DEFAULT_URL and not settings.key:
        raise EquipoiseError(
            f"{KEY_VARIABLE} is not set in the environment",
            file=file,
            field=field,
            hint="Set it there (keys are read from nowhere else), or name a server of your own "
            "with base_url.",
        )
    if os.environ.get(HEADERS_VARIABLE) and not settings.is_named:
        raise EquipoiseError(
            f"{HEADERS_VARIABLE} of the environment would be sent to {settings.address}, which "
            "only the study file names",
            file=file,
            field=f"{table}base_url",
            hint="Unset it, or name the address with --base-url.",
        )
    if (settings.price_in is None) != (settings.price_out is None):
        raise EquipoiseError(
            "one of price_in and price_out is missing",
            file=file,
            field=f"{table}price_in",
            hint="Give both, or neither.",
        )
    if top_k:
        raise EquipoiseError(
            f"the OpenAI protocol knows no top_k ({top_k})",
            file=file,
            field="sampling.top_k" if table == "endpoint." else "--top-k",
            hint="Leave it at 0.",
        )


def _check_address(address: str, file: str | Path | None, field: str) -> None:
    problem = None
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        problem = "is no address"
    else:
        if parts.scheme not in ("http", "https") or not parts.hostname:
            problem = "is no address of a server"
        elif parts.username is not None or parts.password is not None:
            # The address is written to results, which others read.
            raise EquipoiseError(
                "the address holds a name or password",
                file=file,
                field=field,
                hint=f"Keys are read from {KEY_VARIABLE} in the environment only.",
            )
        elif parts.path.endswith(("/chat/completions", "/completions", "/models")):
            problem = "goes too far: what is asked for is added to it"
        elif parts.query or parts.fragment or not address.isprintable() or " " in address:
            problem = "has more than scheme, host, port and path"
    if problem:
        raise EquipoiseError(
            f"{address[:80]!r} {problem}",
            file=file,
            field=field,
            hint="Write such as http://localhost:8000/v1",
        )


def endpoint_refusal(name: str | Path) -> str | None:
    """Why an endpoint cannot stand where weights are needed; None for other models."""
    if not is_endpoint(name):
        return None
    return f"model '{name}' is an endpoint, whose weights are not at hand"


WEIGHTLESS = (
    "Endpoints serve methods that only ask, such as prompting and filtering, and 'generate'."
)
"""What to tell the user of a method that needs weights."""
