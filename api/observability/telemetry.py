"""The id and the records of every request. Routes are named by their template, never by path."""

import re
import secrets
import time
from collections.abc import Iterable

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.observability.request_records import RequestRecords

REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
UNMATCHED = "(unmatched)"
CLIENT_WENT_AWAY = 499
"""Not an HTTP status; nginx and its logs use it for clients that closed the request."""


class TelemetryMiddleware:
    """Outermost ASGI middleware: gives the request an id, returns it in the answer, logs and measures.

    It removes a trailing slash from the path, since a redirect would lose the body.
    """

    def __init__(self, app: ASGIApp, records: RequestRecords) -> None:
        self.app = app
        self.records = records

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = request_id_of(scope["headers"])
        scope["request_id"] = request_id
        path = scope["path"]
        if len(path) > 1 and path.endswith("/"):
            scope["path"] = path.rstrip("/") or "/"
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except ClientDisconnect:  # the client disconnected while it sent its request; there is no one to answer
            status = CLIENT_WENT_AWAY
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", UNMATCHED)
            if route != UNMATCHED:
                route = scope.get("root_path", "") + route  # where a sub-app is mounted
            method = scope["method"] if route != UNMATCHED else "*"
            self.records.add(method, route, status, seconds, request_id)


def request_id_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The first valid id in the headers, else a new one."""
    for name, value in headers:
        if name == b"x-request-id" and REQUEST_ID.fullmatch(value):
            return value.decode()
    return secrets.token_hex(16)
