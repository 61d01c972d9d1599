"""A real server of the OpenAI protocol on a tiny model, and a proxy that makes it misbehave."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
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


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def serving(model: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """``transformers serve`` on a copy of ``model`` that samples; its address and model's name."""
    copy = folder / "served"
    shutil.copytree(model, copy)
    config = copy / "generation_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "do_sample": True}))
    port, log = free_port(), folder / "serve.log"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    arguments = ["serve", str(copy), "--port", str(port), "--host", "127.0.0.1", "--device", "cpu"]
    with log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, *arguments], stdout=stream, stderr=stream, env=environment
        )
    try:
        _wait_for(port, process, log)
        yield f"http://127.0.0.1:{port}/v1", f"openai:{copy}"
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            with contextlib.closing(connection):
                connection.request("GET", "/health")
                if connection.getresponse().status == 200:
                    return
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
    proxy = Proxy(f"http://127.0.0.1:{free_port()}/v1")
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

    listener = ThreadingHTTPServer(("127.0.0.1", int(proxy.url.split(":")[2][:-3])), Handler)
    listener.daemon_threads = True
    thread = threading.Thread(target=listener.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
