"""Servers of controlled models: in a thread of this process, and as the command."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from equipoise.serving.app import Service

LISTENS = re.compile(r"http://127\.0\.0\.1:\d+/v1")


@contextlib.contextmanager
def listening(service: Service) -> Iterator[str]:
    """``service`` behind a real uvicorn in a thread of this process; its address."""
    server = uvicorn.Server(uvicorn.Config(service.app(), log_level="warning", lifespan="on"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        finally:
            server.should_exit = True
            thread.join()


@contextlib.contextmanager
def serving(log: Path, *arguments: str) -> Iterator[str]:
    """``equipoise serve`` in a process of its own; its address."""
    program = "import sys; from equipoise.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "serve", *arguments, "--port", "0"]
    with log.open("w") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
    try:
        for _ in range(1200):
            if found := LISTENS.search(log.read_text()):
                break
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        assert found, log.read_text()
        yield found[0]
    finally:
        process.terminate()
        process.wait(30)
