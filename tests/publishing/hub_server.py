"""A stand-in for the Hub on this machine: what an upload asks of it, and what it was given."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

TOKEN = "hf_StandInToken0123456789"  # noqa: S105 - of nobody


@dataclass
class Hub:
    """Repositories by name, and every request.

    Attributes:
        address: Where it listens.
        files: Path -> content, of each repository.
        private: Whether a repository is.
        asked: Method and path of each request, in order.
        unknown: Requests that no handler knows.
        refuse: Status that every request is answered with, if not 0; its message tells the token.
    """

    address: str = ""
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    private: dict[str, bool] = field(default_factory=dict)
    large: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    refuse: int = 0


@contextmanager
def running_hub() -> Iterator[Hub]:
    """A hub that listens while the context is open."""
    hub = Hub()

    class Handler(_Handler):
        pass

    Handler.hub = hub
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = urlsplit(self.path).path
        self.hub.asked.append((self.command, path))
        body = self._body()
        if self.hub.refuse:
            said = {"error": f"refused; you sent {self.headers.get('Authorization')}"}
            return self._send(self.hub.refuse, said)
        if path.startswith("/large/"):  # stands for storage elsewhere, which asks for no token
            self.hub.large[path.removeprefix("/large/")] = body
            return self._send(200, {})
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._send(401, {"error": "Invalid credentials in Authorization header"})
        return self._known(path, body)

    def _known(self, path: str, body: bytes) -> None:
        parts = path.strip("/").split("/")
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path == "/api/validate-yaml":
            return self._send(200, {"errors": [], "warnings": []})
        if path.endswith(".git/info/lfs/objects/batch"):
            return self._batch(json.loads(body))
        if parts[:2] == ["api", "models"] and len(parts) > 4:
            repo, what = "/".join(parts[2:4]), parts[4]
            if repo not in self.hub.files:
                return self._send(404, {"error": "Repository not found"})
            if what == "tree":
                return self._send(200, [
                    {"type": "file", "path": name, "size": len(content), "oid": "0" * 40}
                    for name, content in self.hub.files[repo].items()
                ])  # fmt: skip
            if what == "preupload":
                return self._send(
                    200, {"files": [self._mode(f) for f in json.loads(body)["files"]]}
                )
            if what == "commit":
                return self._commit(repo, body)
        self.hub.unknown.append(f"{self.command} {path}")
        return self._send(404, {"error": "no such thing"})

    def _create(self, asked: dict[str, Any]) -> None:
        repo = f"{asked.get('organization')}/{asked['name']}"
        url = f"{self.hub.address}/{repo}"
        if repo in self.hub.files:
            return self._send(409, {"error": "You already created this model repo", "url": url})
        self.hub.files[repo] = {".gitattributes": b""}
        self.hub.private[repo] = asked.get("visibility") == "private"
        return self._send(200, {"url": url, "name": repo, "id": "1"})

    def _mode(self, file: dict[str, Any]) -> dict[str, Any]:
        large = file["path"].endswith(".safetensors")
        return {
            "path": file["path"], "uploadMode": "lfs" if large else "regular",
            "shouldIgnore": False, "oid": None,
        }  # fmt: skip

    def _batch(self, asked: dict[str, Any]) -> None:
        objects = [
            {**one, "actions": {"upload": {"href": f"{self.hub.address}/large/{one['oid']}"}}}
            for one in asked["objects"]
        ]
        self._send(200, {"transfer": "basic", "objects": objects})

    def _commit(self, repo: str, body: bytes) -> None:
        for line in body.decode().splitlines():
            operation = json.loads(line)
            value = operation["value"]
            if operation["key"] == "file":
                self.hub.files[repo][value["path"]] = base64.b64decode(value["content"])
            elif operation["key"] == "lfsFile":
                self.hub.files[repo][value["path"]] = self.hub.large[value["oid"]]
        url = f"{self.hub.address}/{repo}/commit/{'a' * 40}"
        self._send(200, {"success": True, "commitOid": "a" * 40, "commitUrl": url})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def _send(self, status: int, value: Any) -> None:
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
