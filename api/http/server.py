"""uvicorn's configuration: the limit on connections, and enough open files for them."""

import contextlib
import resource

from fastapi import FastAPI
from uvicorn.config import Config

from api.http.deadlines import Deadlines
from api.http.protocol import BoundedProtocol
from api.settings import Settings

FINISH_SECONDS = 25
"""Seconds that open requests may take after the server stops listening."""
OTHER_FILES = 256
"""Open files of a process besides its connections: databases, logs, sockets to Redis."""


class ServerConfig(Config):
    """uvicorn's configuration, the deadlines of its connections, and the proxies that it trusts. It reaches workers by
    pickle."""

    deadlines = Deadlines()
    proxies: tuple[str, ...] = ()


def server_config(app: FastAPI | str, settings: Settings) -> ServerConfig:
    """The configuration; `app` may name the function that creates the app in each worker. Raises the limit on open
    files of this process and its workers to fit the connections."""
    _allow_files(settings.http_connections + OTHER_FILES)
    config = ServerConfig(
        app,
        factory=isinstance(app, str),
        workers=settings.web_concurrency,
        http=BoundedProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=FINISH_SECONDS,
    )
    config.proxies = settings.trusted_proxies
    config.deadlines = Deadlines(
        head=settings.http_head_seconds,
        body=settings.http_body_seconds,
        idle=settings.http_idle_seconds,
        write=settings.http_write_seconds,
        connections=settings.http_connections,
    )
    return config


def _allow_files(needed: int) -> None:
    """Raise the limit on open files: each connection is one, and many systems allow only 1,024 by default."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
