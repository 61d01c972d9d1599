"""Bodies of servers that follow the OpenAI protocol, more or less, read as answers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from equipoise.errors import EquipoiseError
from equipoise.model.answer import Answer, Silence
from equipoise.model.stream import THOUGHTS, joined

_TEXT_PARTS = (None, "text", "output_text")
"""Types of those parts of an answer that are its text; others hold thoughts, images or links."""

_LIMITS = frozenset(["length", "max_tokens", "max_new_tokens", "max_output_tokens", "token_limit"])
"""How servers say that an answer is as long as it may be."""

_PAGE = re.compile(r"\s*(?:<!doctype html|<html|<head|<body|<\?xml)", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>([^<]{1,80})", re.IGNORECASE)
_SERVER_SAYS = "What was answered is kept. Do what the server says, and run the same command again."
_ADDRESS = "Check base_url: it ends in /v1 with most servers, and no login page may stand before."


def answer_in(body: str, api: str, most_tokens: int | None) -> Answer:
    """The answer in the body of a response, whatever type of content its header names.

    Args:
        body: All of it.
        api: ``chat`` or ``completions``.
        most_tokens: Tokens that an answer may have; None where the server was told no limit.

    Raises:
        EquipoiseError: There is no answer in it; the error says what is there instead.
    """
    response = _parsed(body)
    choice = _first_choice(response)
    holder = _message(choice) if api == "chat" else _continuation(choice)
    content = holder.get("content" if api == "chat" else "text")
    text = _text(content)
    usage = _mapping(response.get("usage"))
    spent = _count(usage.get("completion_tokens"))
    reason = choice.get("finish_reason")
    full = most_tokens is not None and (spent or 0) >= most_tokens
    cut = str(reason).casefold() in _LIMITS or (not reason and full)
    silence = None if text.strip() else _silence(holder, content, reason, cut=cut)
    return Answer(text, _count(usage.get("prompt_tokens")), spent, not cut, silence)


def error_in(body: str) -> str:
    """What the body of a response that is an error says, in whatever form."""
    if page := _page_title(body):
        return page
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return _shown(body) or "it says nothing"
    if not isinstance(found, Mapping):
        return _shown(body)
    said = next((found[name] for name in ("error", "detail", "message") if found.get(name)), found)
    return _of_error(said)


def _page_title(text: str) -> str | None:
    """What a web page that stands where JSON should be says of itself; None if it is no page."""
    if not _PAGE.match(text):
        return None
    found = _TITLE.search(text)
    return f"a web page ('{' '.join(found[1].split())}')" if found else "a web page"


def _parsed(body: str) -> Mapping[str, Any]:
    """The body as one response."""
    body = body.removeprefix("\ufeff")
    if page := _page_title(body):
        raise _misread(f"answers with {page} instead of JSON", _ADDRESS)
    if not body.strip():
        raise _misread("answers with nothing at all")
    if (pieces := joined(body)) is not None:
        return pieces
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        if body.lstrip()[0] in "{[":
            raise _misread("answers with JSON that breaks off or is damaged") from None
        raise _misread(f"answers with text instead of JSON: {_shown(body)!r}", _ADDRESS) from None
    if not isinstance(found, Mapping):
        raise _misread(f"answers with JSON that is no object: {_shown(body)!r}", _ADDRESS)
    return found


def _first_choice(response: Mapping[str, Any]) -> Mapping[str, Any]:
    if error := response.get("error") or (response.get("object") == "error" and response):
        raise _misread(f"answers with an error: {_of_error(error)}", _SERVER_SAYS)
    choices = response.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        said = response.get("detail") or response.get("message")
        more = f": {_of_error(said)!r}" if isinstance(said, str | list) else ""
        raise _misread(f"answers without choices{more}", _ADDRESS)
    first: Mapping[str, Any] = choices[0]
    if error := first.get("error"):
        raise _misread(f"answers with an error: {_of_error(error)}", _SERVER_SAYS)
    return first


def _message(choice: Mapping[str, Any]) -> Mapping[str, Any]:
    """The message of a chat's choice; a server that streams calls it ``delta``."""
    message = choice.get("message", choice.get("delta"))
    if not isinstance(message, Mapping):
        raise _misread(
            "answers a chat with a choice that has no message",
            'Servers that only continue text are asked with api = "completions" under [endpoint].',
        )
    return message


def _continuation(choice: Mapping[str, Any]) -> Mapping[str, Any]:
    """The choice of a text completion, which holds the text itself."""
    if "text" not in choice and "message" in choice:
        raise _misread(
            "answers a text completion as if it were a chat",
            'Ask it with api = "chat" under [endpoint].',
        )
    return choice


def _text(content: Any) -> str:
    """The text of an answer that is a string, parts, or nothing.

    Surrogates cannot be stored as UTF-8.
    """
    parts = content if isinstance(content, list) else [content]
    found = "".join(map(_of_part, parts))
    return found.encode("utf-8", "replace").decode("utf-8")


def _of_part(part: Any) -> str:
    if part is None or isinstance(part, str):
        return part or ""
    if not isinstance(part, Mapping):
        raise _misread(f"answers with content that is no text: {_shown(str(part))!r}")
    text = part.get("text")
    return text if part.get("type") in _TEXT_PARTS and isinstance(text, str) else ""


def _silence(message: Mapping[str, Any], content: Any, reason: Any, *, cut: bool) -> Silence:
    """Why there is no text, as far as the response says it."""
    parts = [part for part in content if isinstance(part, Mapping)] if content else []
    kinds = {part.get("type") for part in parts}
    if kinds & {"thinking", "reasoning"} or any(message.get(name) for name in THOUGHTS):
        return "thinking"
    if message.get("refusal") or "refusal" in kinds or reason == "content_filter":
        return "refused"
    if message.get("tool_calls") or message.get("function_call"):
        return "tools"
    return "limit" if cut else "unsaid"


def _of_error(error: Any) -> str:
    said = error.get("message") or error if isinstance(error, Mapping) else error
    return _shown(said if isinstance(said, str) else json.dumps(said))


def _shown(text: str, most: int = 200) -> str:
    return " ".join(text.split())[:most].rstrip(".")


def _misread(problem: str, hint: str = "") -> EquipoiseError:
    return EquipoiseError(
        problem, hint=hint or "Look at the server's log. Run the same command again to go on."
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _count(value: Any) -> int | None:
    """A number of tokens, as servers write it; None where that is no such number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number and 0 <= value < 2**53 else None
