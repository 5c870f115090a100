"""The service that tests talk to: in their own process, or started in one of its own, as an operator would."""

import contextlib
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from api.clock import Clock, utc_now
from tests.support import forking, in_process
from tests.support.databases import migrate
from tests.support.local_servers import free_port

type Process = subprocess.Popen[bytes] | forking.Forked

BUDDY = str(Path(sys.executable).with_name("buddy"))
STARTING_SECONDS = 60
"""A bound, not a wait: several workers each import everything, on a machine that may be busy."""
EXPORT_TOKEN = "a token for tests"
METRICS_TOKEN = "a token for those who watch"
DEFAULTS = {
    "LOG_FORMAT": "json",
    "TRUSTED_PROXIES": "127.0.0.1",
    "SECRET_KEY": "a secret for tests that is long enough",
    "RESEARCH_EXPORT_TOKEN": EXPORT_TOKEN,
    "METRICS_TOKEN": METRICS_TOKEN,
}
CERTIFICATES = ssl.create_default_context()
"""Shared, since creating it is most of a client's cost."""


def new_client(**options: Any) -> httpx.Client:
    """A client that reaches servers and the apps in this process. It leaves no connection open."""
    network = httpx.HTTPTransport(verify=CERTIFICATES, limits=httpx.Limits(max_keepalive_connections=0))
    return httpx.Client(transport=in_process.Transport(network), **options)


CLIENT = new_client()
"""One for all requests without cookies."""


def request(method: str, url: str, cookies: dict[str, str] | None = None, **options: Any) -> httpx.Response:
    """One request with these cookies; those of the answer are not kept."""
    with new_client(cookies=cookies) as client:
        return client.request(method, url, **options)


@dataclass
class Service:
    """A running service."""

    url: str
    environment: dict[str, str]
    """What a command needs to see the same database."""
    log_file: Path
    log_begins: int = 0
    """Bytes of the file that are older than the service."""

    def log(self) -> str:
        """What was logged so far; also by the other apps of this process, if it is one of them."""
        return self.log_file.read_bytes()[self.log_begins :].decode()

    def metrics(self) -> str:
        """What Prometheus would read."""
        return CLIENT.get(f"{self.url}/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}).text

    def buddy(self, *arguments: str) -> str:
        """What `buddy` prints, on the same database."""
        return buddy(self.environment, *arguments)


@dataclass
class Server(Service):
    """A service in a process of its own, at a socket of its own."""

    process: Process = field(kw_only=True)


def buddy(environment: Mapping[str, str], *arguments: str) -> str:
    """What `buddy` prints in an environment; it must succeed."""
    done = forking.run(*arguments, env=os.environ | dict(environment))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextlib.contextmanager
def app(folder: Path, environment: Mapping[str, str] | None = None, clock: Clock = utc_now) -> Iterator[Service]:
    """The service in this process; its database is a new SQLite file in `folder` by default."""
    own = DEFAULTS | {"DATABASE_URL": f"sqlite:///{folder}/buddy.db"} | dict(environment or {})
    migrate(own["DATABASE_URL"])
    log_begins = in_process.log_file().stat().st_size
    with in_process.app_with(own, clock) as url:
        yield Service(url, own, in_process.log_file(), log_begins)


@contextlib.contextmanager
def service(
    folder: Path,
    environment: Mapping[str, str] | None = None,
    port: int | None = None,
    from_shell: bool = False,
    host: str = "127.0.0.1",
) -> Iterator[Server]:
    """`buddy serve` on `port`, else a free one, with `folder` as its working directory; stopped by SIGTERM, which it
    must obey unless it was killed before. Several workers always start from a shell."""
    port = port or free_port()
    log_file = folder / f"service-{port}.log"
    # Tests may say, as a proxy would, that a client has an address of its own: limits are for those who test them.
    inherited = {name: value for name, value in os.environ.items() if name not in {"COACH_MODEL_DIR", "METRICS_TOKEN"}}
    settings = inherited | DEFAULTS | dict(environment or {})
    command = ["serve", "--port", str(port), "--host", host]
    process: Process
    if from_shell or "WEB_CONCURRENCY" in settings:
        with log_file.open("ab") as log:
            process = subprocess.Popen([BUDDY, *command], cwd=folder, env=settings, stdout=log, stderr=log)
    else:
        process = forking.start(forking.CLI, command, folder, settings, log_file, log_file)
    own = DEFAULTS | {"DATABASE_URL": f"sqlite:///{folder}/var/buddy.db"} | dict(environment or {})
    running = Server(f"http://{f'[{host}]' if ':' in host else host}:{port}", own, log_file, process=process)
    try:
        _wait_until_live(running)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError("the service did not stop within 10 s of SIGTERM") from None


def _wait_until_live(running: Server) -> None:
    deadline = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if CLIENT.get(f"{running.url}/health/live", timeout=1).is_success:
                return
        if running.process.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError(f"the service did not start:\n{running.log()}")
