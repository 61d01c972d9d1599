"""What cannot be answered, in OpenAI's form of an error."""

from __future__ import annotations

from typing import Any


class RefusalError(Exception):
    """A request gets this error in place of an answer.

    Args:
        message: What is wrong and what to do about it, a sentence or two.
        status: Of HTTP; clients of the protocol try again after 429 and from 500 on.
        param: The field of the request that is at fault.
        code: What kind of thing it is, for programs.
        retry_after: Seconds after which to try again.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        param: str | None = None,
        code: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.status, self.param, self.code = message, status, param, code
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the response."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}

    @property
    def body(self) -> dict[str, Any]:
        """The error as the protocol has it."""
        kind = {429: "rate_limit_error"}.get(self.status)
        if kind is None:
            kind = "server_error" if self.status >= 500 else "invalid_request_error"
        return {
            "error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}
        }


def unsupported(field: str, why: str) -> RefusalError:
    """A field that asks for something this server does not do."""
    return RefusalError(f"'{field}' is not supported: {why}", param=field, code="unsupported")
