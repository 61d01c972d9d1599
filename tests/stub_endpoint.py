"""A made-up server of the OpenAI protocol on loopback, which answers whatever a test wants."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

NAME = "openai:stub"


class Reply(NamedTuple):
    """What the server says.

    Attributes:
        body: Its body; what is no bytes is written as JSON.
        status: Its status.
        content_type: What its header says that it is.
        headers: Further ones.
    """

    body: Any
    status: int = 200
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


Answers = Callable[[dict[str, Any]], Reply]
"""For the body of a request: what the server says."""


@dataclass
class Stub:
    """The server, while it runs.

    Attributes:
        url: Its address.
        bodies: What was asked.
    """

    url: str
    bodies: list[dict[str, Any]] = field(default_factory=list)


def asked_about(body: dict[str, Any]) -> str:
    """The subject of a request, as the prefix at the end of its prompt has it."""
    prompt = body["prompt"] if "prompt" in body else body["messages"][-1]["content"]
    return str(re.findall(r"The (\w+) was", prompt)[-1])


def chat(content: Any, *, reason: str | None = "stop", **message: Any) -> dict[str, Any]:
    """A chat completion, as the protocol has it."""
    whole = {"role": "assistant", "content": content, **message}
    return {
        "id": "x",
        "object": "chat.completion",
        "choices": [{"index": 0, "finish_reason": reason, "message": whole}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 6, "total_tokens": 26},
    }


def completion(text: Any, reason: str | None = "stop") -> dict[str, Any]:
    """A text completion, likewise."""
    choice = {"index": 0, "finish_reason": reason, "text": text, "logprobs": None}
    return {"object": "text_completion", "choices": [choice], "usage": chat("")["usage"]}


@contextlib.contextmanager
def stub_of(answers: Answers) -> Iterator[Stub]:
    """A server that says what ``answers`` gives."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with lock:
                stub.bodies.append(body)
            reply = answers(body)
            said = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("content-type", reply.content_type)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    stub = Stub(f"http://127.0.0.1:{listener.server_port}/v1")
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield stub
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
