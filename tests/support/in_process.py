"""The app in the test's own process, on a real database: no socket, and no process to start.

All apps of a test session run in one event loop in a thread of its own. Each has an address, `http://127.0.0.1` with a
port below 1024, where no server of the tests listens; a client with `Transport` reaches an app by its address as it
reaches a server. Tests of sockets, signals, logs, workers and crashes start a process instead: `tests.support.serving`.
"""

import asyncio
import atexit
import contextlib
import itertools
import os
import sys
import tempfile
import threading
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from typing import Any, TextIO, cast
from unittest import mock

import httpx
import uvloop
from fastapi import FastAPI
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from api.app import create_app
from api.clock import Clock
from api.settings import Settings

PATIENCE_SECONDS = 60.0
CLIENT_ADDRESS = ("127.0.0.1", 50_000)


@contextlib.contextmanager
def app_with(environment: Mapping[str, str], clock: Clock) -> Iterator[str]:
    """The URL of an app that runs with these settings alone, until the end. Its database is migrated already."""
    with mock.patch.dict(os.environ, dict(environment), clear=True):
        settings = Settings(_env_file=None)
    with mock.patch.object(sys, "stderr", _log()):  # where logging is configured to write
        app = create_app(settings, clock)
    port = next(_ports)
    started, stop = asyncio.Event(), asyncio.Event()
    life = _in_loop(_live(app, started, stop))
    _in_loop(_first(started, life)).result(PATIENCE_SECONDS)
    proxied: Any = ProxyHeadersMiddleware(cast(Any, app), list(settings.trusted_proxies))  # as uvicorn adds it
    _apps[port] = httpx.ASGITransport(proxied, raise_app_exceptions=False, client=CLIENT_ADDRESS)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        del _apps[port]
        _loop().call_soon_threadsafe(stop.set)
        life.result(PATIENCE_SECONDS)


def app_at(url: str) -> ASGIApp:
    """The app with this address, as a server would call it."""
    app: ASGIApp = _apps[httpx.URL(url).port or 0].app
    return app


def run[T](work: Coroutine[Any, Any, T]) -> T:
    """What the work returns, in the event loop of the apps."""
    return _in_loop(work).result(PATIENCE_SECONDS)


def log_file() -> Path:
    """What all apps of this process have logged: they share its logging."""
    return Path(_log().name)


class Transport(httpx.BaseTransport):
    """Hands a request to the app that has its address, and any other request to the network."""

    def __init__(self, network: httpx.HTTPTransport) -> None:
        self._network = network

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        app = _apps.get(request.url.port or 0)
        if app is None:
            return self._network.handle_request(request)
        request.read()
        answer = _in_loop(_answer(app, request))
        try:
            return answer.result(request.extensions.get("timeout", {}).get("read"))
        except TimeoutError as error:
            answer.cancel()
            raise httpx.ReadTimeout("the app did not answer in time", request=request) from error

    def close(self) -> None:
        self._network.close()


_apps: dict[int, httpx.ASGITransport] = {}
"""The running apps by their port."""
_ports = itertools.count(1)


@cache
def _log() -> TextIO:
    descriptor, path = tempfile.mkstemp(prefix="buddy-apps-", suffix=".log")
    os.close(descriptor)
    opened = Path(path).open("a", encoding="utf-8")  # noqa: SIM115 - apps log until the end
    atexit.register(opened.close)
    atexit.register(Path(path).unlink)
    return opened


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="apps", daemon=True)
    thread.start()
    atexit.register(thread.join)
    atexit.register(loop.call_soon_threadsafe, loop.stop)  # called before the one above
    return loop


def _in_loop[T](work: Coroutine[Any, Any, T]) -> "Future[T]":
    return asyncio.run_coroutine_threadsafe(work, _loop())


async def _live(app: FastAPI, started: asyncio.Event, stop: asyncio.Event) -> None:
    async with app.router.lifespan_context(app):
        started.set()
        await stop.wait()


async def _first(started: asyncio.Event, life: "Future[None]") -> None:
    """Wait until the app has started. Raises what kept it from starting."""
    ended = asyncio.wrap_future(life)
    ended.add_done_callback(lambda _: started.set())
    await started.wait()
    if ended.done():
        ended.result()


async def _answer(app: httpx.ASGITransport, request: httpx.Request) -> httpx.Response:
    answer = await app.handle_async_request(request)
    return httpx.Response(
        answer.status_code, headers=answer.headers, content=b"".join([part async for part in answer.aiter_raw()])
    )
