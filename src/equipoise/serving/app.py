"""The addresses of the server, and the server itself."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from equipoise.errors import EquipoiseError
from equipoise.progress import say
from equipoise.serving.answering import Answered, Answering, as_refusal
from equipoise.serving.asking import chat, completion
from equipoise.serving.controlled import Controlled
from equipoise.serving.desk import Desk
from equipoise.serving.fields import ChatFields, CompletionFields, read_fields
from equipoise.serving.limits import Limits
from equipoise.serving.refusal import RefusalError, unsupported
from equipoise.serving.response import Kind, Response

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

BODY_SECONDS = 30.0
"""For which a client may take to send its request."""

Said = dict[str, Any] | Iterator[str]
"""A response: one object, or events."""

Handler = Callable[["Request"], Awaitable[Said]]


@dataclass
class Service:
    """Answers requests of the OpenAI protocol with one controlled model.

    Attributes:
        controlled: The model under control.
        limits: How much may be asked.
        hosts: Names by which it may be called; a page of the web that leads a browser here by a
            name of its own is refused. None takes every name.
        created: When it began to serve, in seconds of the epoch.
    """

    controlled: Controlled
    limits: Limits = field(default_factory=Limits)
    hosts: frozenset[str] | None = None
    created: int = field(default_factory=lambda: int(time.time()))

    def __post_init__(self) -> None:
        self._answering = Answering(self.controlled, self.limits)
        self._desk = Desk(self.limits)

    def app(self) -> Starlette:
        """The ASGI application."""
        from starlette.applications import Starlette
        from starlette.exceptions import HTTPException
        from starlette.routing import Route

        @contextlib.asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            yield
            self._desk.close()

        routes = [
            Route("/v1/models", self._guarded(self._models)),
            Route("/v1/models/{name:path}", self._guarded(self._model)),
            Route("/v1/chat/completions", self._guarded(self._chat), methods=["POST"]),
            Route("/v1/completions", self._guarded(self._completions), methods=["POST"]),
        ]
        handlers = {HTTPException: _not_served}
        return Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)

    async def _models(self, request: Request) -> Said:
        return {"object": "list", "data": [self._card()]}

    async def _model(self, request: Request) -> Said:
        self._check_name(request.path_params["name"])
        return self._card()

    def _card(self) -> dict[str, Any]:
        """The served model, as the protocol lists it."""
        name = self.controlled.name
        return {"id": name, "object": "model", "created": self.created, "owned_by": "equipoise"}

    def _check_name(self, name: str) -> None:
        if name != self.controlled.name:
            raise RefusalError(
                f"There is no model '{name[:200]}' here. It is called '{self.controlled.name}'.",
                status=404,
                param="model",
                code="model_not_found",
            )

    async def _chat(self, request: Request) -> Said:
        fields = read_fields(ChatFields, await self._body(request))

        def answer() -> Answered:
            asked = chat(fields, self.controlled.sampling, self.limits)
            return self._answering.answer(asked)

        return await self._respond(request, fields, "chat.completion", answer)

    async def _completions(self, request: Request) -> Said:
        fields = read_fields(CompletionFields, await self._body(request))

        def answer() -> Answered:
            answering = self._answering
            spell = answering.spell if fields.logprobs is None else answering.read
            asked = completion(fields, self.controlled.sampling, self.limits, spell)
            return self._answering.answer(asked)

        return await self._respond(request, fields, "text_completion", answer)

    async def _respond(
        self,
        request: Request,
        fields: ChatFields | CompletionFields,
        kind: Kind,
        answer: Callable[[], Answered],
    ) -> Said:
        """The response, once the desk has computed what to ``answer``; errors come before it."""
        self._check_name(fields.model)
        options = fields.stream_options or {}
        for name in options.keys() - {"include_usage"}:
            raise unsupported(f"stream_options.{name[:40]}", "streams may include their usage")
        answered = await self._desk.compute(answer, request.is_disconnected)
        response = Response(kind, self.controlled.name, answered)
        if not fields.stream:
            return response.whole()
        return response.events(usage=options.get("include_usage", False))

    async def _body(self, request: Request) -> bytes:
        """The body of a request, no larger than it may be."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":  # a page of the web may send other kinds unasked
            raise RefusalError("Send application/json.", status=415)
        body, most = bytearray(), self.limits.body_bytes
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for part in request.stream():
                    body += part
                    if len(body) > most:
                        raise RefusalError(
                            f"The body is larger than {most:,} bytes.",
                            status=413,
                            code="body_too_large",
                        )
        except TimeoutError:
            raise RefusalError("The body did not come.", status=408) from None
        return bytes(body)

    def _guarded(self, handler: Handler) -> Callable[[Request], Awaitable[HTTPResponse]]:
        """``handler``, all of whose errors are in the protocol's form."""
        from starlette.requests import ClientDisconnect
        from starlette.responses import JSONResponse, StreamingResponse

        async def handle(request: Request) -> HTTPResponse:
            try:
                if self.hosts is not None and request.url.hostname not in self.hosts:
                    raise RefusalError("This server is not called by that name.", status=403)
                said = await handler(request)
                if isinstance(said, dict):
                    return JSONResponse(said)
                return StreamingResponse(said, media_type="text/event-stream")
            except RefusalError as error:
                refusal = error
            except EquipoiseError as error:
                refusal = as_refusal(error)
            except ClientDisconnect:
                refusal = RefusalError("The client has gone.", status=408)
            except Exception:
                logging.getLogger(__name__).exception("a request failed")
                refusal = RefusalError("The server failed. Its log says how.", status=500)
            return JSONResponse(refusal.body, refusal.status, refusal.headers)

        return handle


def _not_served(request: Request, error: Exception) -> HTTPResponse:
    from starlette.responses import JSONResponse

    refusal = RefusalError(f"{request.method} {request.url.path[:200]} is not served.")
    return JSONResponse(refusal.body, getattr(error, "status_code", 404))


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches ``host``."""
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def serve(controlled: Controlled, host: str, port: int, limits: Limits) -> None:
    """Serve until the process is told to stop.

    Args:
        controlled: What answers.
        host: The address to listen at.
        port: Its port; 0 takes a free one. The address is said once it is open.
        limits: How much may be asked.

    Raises:
        EquipoiseError: It cannot listen there.
    """
    import uvicorn

    names = frozenset({"localhost", "127.0.0.1", "::1", host}) if is_loopback(host) else None
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise EquipoiseError(
            f"it cannot listen at {host}, port {port}: {error.strerror or error}",
            hint="Choose another with --host and --port.",
        ) from error
    app = Service(controlled, limits, names).app()
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5, lifespan="on")
    shown = f"[{host}]" if ":" in host else host
    with listener:
        say(f"'{controlled.name}' at http://{shown}:{listener.getsockname()[1]}/v1")
        uvicorn.Server(config).run(sockets=[listener])
