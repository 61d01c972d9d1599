"""A real server of the OpenAI protocol on a tiny model, and a proxy that makes it misbehave."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SERVE = "import sys; from transformers.cli.transformers import main; sys.exit(main())"


LISTENS = re.compile(r"Uvicorn running on (http://127\.0\.0\.1:\d+)")
"""What the server says once it answers."""


@contextlib.contextmanager
def serving(model: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """``transformers serve`` on a copy of ``model`` that samples; its address and model's name."""
    copy = folder / "served"
    shutil.copytree(model, copy)
    config = copy / "generation_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "do_sample": True}))
    log = folder / "serve.log"
    arguments = ["serve", str(copy), "--port", "0", "--host", "127.0.0.1", "--device", "cpu"]
    with log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, *arguments], stdout=stream, stderr=stream
        )
    try:
        yield f"{_address(process, log)}/v1", f"openai:{copy}"
    finally:
        process.terminate()
        process.wait(30)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where the server listens, once it does, at a port that the system gave it."""
    for _ in range(1200):
        if found := LISTENS.search(log.read_text()):
            return found[1]
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(f"the server did not start: {log.read_text()}")


Fault = Callable[[int], tuple[int, dict[str, str], bytes] | None]
"""For the number of a request (from 0): what to answer in the server's place, or None."""


@dataclass
class Proxy:
    """Hands requests on to a server, unless ``fault`` answers them.

    Attributes:
        url: Its own address.
        fault: See ``Fault``.
        bodies: What was asked, request by request.
        headers: Its headers, likewise.
        times: When, in seconds.
        answered: How many requests the server itself has answered.
    """

    url: str
    fault: Fault = lambda number: None
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    answered: int = 0


@contextlib.contextmanager
def proxy_of(server: str) -> Iterator[Proxy]:
    """A proxy in front of ``server``."""
    host = server.split("/")[2]
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            with lock:
                number = len(proxy.bodies)
                proxy.bodies.append(json.loads(raw))
                proxy.headers.append({k.lower(): v for k, v in self.headers.items()})
                proxy.times.append(time.monotonic())
            status, headers, body = proxy.fault(number) or self._pass_on(raw)
            with contextlib.suppress(OSError):  # the client may have been killed
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def _pass_on(self, raw: bytes) -> tuple[int, dict[str, str], bytes]:
            connection = http.client.HTTPConnection(host, timeout=60)
            connection.request("POST", self.path, raw, {"content-type": "application/json"})
            response = connection.getresponse()
            body = response.read()
            connection.close()
            with lock:
                proxy.answered += 1
            return response.status, {}, body

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    proxy = Proxy(f"http://127.0.0.1:{listener.server_port}/v1")
    thread = threading.Thread(target=listener.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
