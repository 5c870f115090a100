"""A PgBouncer of the test's own in transaction mode, in front of a PostgreSQL."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.local_servers import START_SECONDS, ServiceMissing, free_port, unprivileged
from tests.support.postgres import postgres_answers

SETTINGS = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 200
logfile = {folder}/log
ignore_startup_parameters = extra_float_digits
"""


def pgbouncer_binary(environ: Mapping[str, str]) -> str:
    """The path of PgBouncer; Debian keeps it where only root looks. Raises ServiceMissing."""
    path = os.pathsep.join((environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
    found = shutil.which("pgbouncer", path=path)
    if found is None:
        raise ServiceMissing("No PgBouncer: install the package pgbouncer (it need not run).")
    return found


@contextmanager
def pgbouncer(server_url: str, connections: int = 3) -> Iterator[str]:
    """The URL of the same database, through a pooler that shares a few connections among all clients."""
    parts = urlsplit(server_url)
    binary, port = pgbouncer_binary(os.environ), free_port()
    with tempfile.TemporaryDirectory(prefix="buddy-pgbouncer-", ignore_cleanup_errors=True) as folder:
        settings = Path(folder, "settings.ini")
        settings.write_text(
            SETTINGS.replace("* =", f"* = user={parts.username}").format(
                host=parts.hostname, port=parts.port, own=port, connections=connections, folder=folder
            )
        )
        account = unprivileged(folder)
        command = [binary, "-q", str(settings)]
        server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **account)
        url = f"postgresql://{parts.username}@127.0.0.1:{port}{parts.path}"
        try:
            deadline = time.monotonic() + START_SECONDS
            while not postgres_answers(url):
                if server.poll() is not None or time.monotonic() > deadline:
                    log = Path(folder, "log")
                    said = log.read_text()[-2000:] if log.exists() else ""
                    raise ServiceMissing(f"PgBouncer is installed but does not start:\n{said}")
                time.sleep(0.05)
            yield url
        finally:
            server.terminate()
            server.wait(START_SECONDS)
