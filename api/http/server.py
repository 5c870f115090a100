"""uvicorn's configuration: bounded connections, and room for them."""

import contextlib
import resource

from fastapi import FastAPI

from api.http.protocol import BoundedProtocol, ServerConfig
from api.http.traffic import Deadlines
from api.settings import Settings

FINISH_SECONDS = 25
"""After the server stopped to listen, how long open requests may take."""
OTHER_FILES = 256
"""Files that a process has open beside its connections: databases, logs, sockets to Redis."""


def server_config(app: FastAPI | str, settings: Settings) -> ServerConfig:
    """The configuration; `app` may name the function that makes the app in each worker. This process and its workers
    may open as many files as there may be connections."""
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
    config.deadlines = Deadlines(
        head=settings.http_head_seconds,
        body=settings.http_body_seconds,
        idle=settings.http_idle_seconds,
        write=settings.http_write_seconds,
        connections=settings.http_connections,
    )
    return config


def _allow_files(needed: int) -> None:
    """Each connection is an open file, of which many systems allow 1,024 unless more are asked for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
