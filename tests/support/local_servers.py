"""What postgres.py, redis.py, chromium.py and other servers of the tests share.

A server is searched in this order: the address in TEST_DATABASE_URL or TEST_REDIS_URL; else the usual local port; else
a server of our own, started from the machine's binaries in a temporary folder. An address that was given but does not
answer is an error, never a reason to look elsewhere.
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NoReturn

import pytest

COMPOSE = "docker compose --profile test up -d postgres redis"
CONNECT_SECONDS = 5.0  # a local server answers in milliseconds; this is for a machine under load
START_SECONDS = 30.0


class ServiceMissing(Exception):
    """No such service here; the message says how to have one."""


def unavailable(missing: ServiceMissing, environ: Mapping[str, str]) -> NoReturn:
    """Skip the test, or fail it under CI=true: there, everything was meant to be installed."""
    if environ.get("CI") == "true":
        pytest.fail(str(missing), pytrace=False)
    pytest.skip(str(missing))


def unprivileged(folder: str) -> dict[str, Any]:
    """Arguments for subprocess.run: PostgreSQL refuses to run as root, so root hands the folder to an ordinary user."""
    if os.geteuid() != 0:
        return {}
    import pwd  # not on Windows, where there is no root either

    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            account = pwd.getpwnam(name)
            os.chown(folder, account.pw_uid, account.pw_gid)
            return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    raise ServiceMissing("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(CONNECT_SECONDS)
        return probe.connect_ex(("127.0.0.1", port)) == 0
