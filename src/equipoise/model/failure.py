"""What goes wrong with a server of the OpenAI protocol, in one line that says what to change."""

from __future__ import annotations

import re

from equipoise.errors import EquipoiseError
from equipoise.model.endpoint import (
    KEY_VARIABLE,
    LEAVABLE,
    LIMIT_NAMES,
    EndpointSettings,
)
from equipoise.model.response import error_in

KEPT = "What was answered is kept: run the same command again to go on."


def failure(name: str, settings: EndpointSettings, error: Exception) -> EquipoiseError:
    """``error`` of the official client, without the key.

    Args:
        name: The model, ``openai:NAME``.
        settings: How it was asked.
        error: What the client raised.
    """
    reason = " ".join(_reason(settings, error).split())[:300].rstrip(".")
    return EquipoiseError(
        f"{name} at {settings.address}: {reason}", hint=_hint(settings, error, reason)
    )


def _reason(settings: EndpointSettings, error: Exception) -> str:
    """What the server or the client says."""
    import openai

    if isinstance(error, openai.APIStatusError):
        said = error_in(settings.without_key(error.response.text))
        return f"status {error.status_code}: {said}"
    return settings.without_key(str(error))


def _hint(settings: EndpointSettings, error: Exception, reason: str) -> str:
    import openai

    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return (
            f"Set {KEY_VARIABLE} in the environment. It is sent to addresses that you name "
            "with --base-url or OPENAI_BASE_URL, not to one that only a study file names."
        )
    if isinstance(error, openai.NotFoundError):
        return (
            "Check the model's name and base_url, which ends in /v1 with most servers. Some "
            'servers know only one of api = "chat" and "completions".'
        )
    if isinstance(error, openai.RateLimitError):
        asked = error.response.headers.get("retry-after", "")
        wait = f" The server asks to wait {asked} seconds." if asked.isdecimal() else ""
        return f"{KEPT}{wait} Set requests_per_minute, or a lower concurrency."
    if isinstance(error, openai.BadRequestError | openai.UnprocessableEntityError):
        return _of_refused(settings, reason, getattr(error, "param", None))
    if isinstance(error, openai.APITimeoutError):
        return f"{KEPT} Raise timeout_seconds if the server needs longer."
    return KEPT


def _of_refused(settings: EndpointSettings, reason: str, parameter: str | None) -> str:
    """What to change where the server refuses a request, by the parameter that it names."""
    named = [parameter] if parameter in LEAVABLE else re.findall(r"\w+", reason)
    if {*named} & {*LIMIT_NAMES} - settings.left_out:
        without = f'set leave_out = ["{settings.limit}"] under [endpoint]'
        if settings.api == "completions":
            return f"Lower max_new_tokens, or {without}."
        other = next(one for one in LIMIT_NAMES if one != settings.limit)
        return f'Set limit_name = "{other}", lower max_new_tokens, or {without}.'
    refused = next((one for one in named if one in LEAVABLE), None)
    if refused and refused not in settings.leave_out:
        left_out = ", ".join(f'"{one}"' for one in sorted({*settings.leave_out, refused}))
        return (
            f"Set leave_out = [{left_out}] under [endpoint]: the server then takes its own, which "
            "the results say."
        )
    return "A setting of [endpoint], limit_name or leave_out perhaps, does not suit this server."
