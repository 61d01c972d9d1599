"""How large a request may be, how many wait, and for how long."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from equipoise.settings import Settings

Count = Annotated[int, Field(ge=1)]


class Limits(Settings):
    """Limits of a server.

    Attributes:
        body_bytes: Of a request.
        prompt_tokens: Of what one answer continues, whatever the method puts before it included;
            memory grows with its square.
        answer_tokens: Most ``max_tokens``.
        answers: Most answers of a request: its prompts times ``n``.
        waiting: Requests that wait for their turn; one more gets 429.
        seconds: From a request's arrival to its answer; then it gets 504 and its work stops.
    """

    body_bytes: Count = 1_000_000
    prompt_tokens: Count = 4096
    answer_tokens: Count = 1024
    answers: Count = 128
    waiting: Annotated[int, Field(ge=0)] = 64
    seconds: Annotated[float, Field(gt=0)] = 600.0
