"""An export in a process of its own, `python -m api.kakei.exports.process`.

So the service answers other requests while a large study is read, and does not import the writers' libraries. The
process reads a job (JSON) from its standard input and prints the result (a line of JSON). It reads no settings and no
`.env`: the job names the database, and an export needs no other secret, because pseudonyms are stored.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from api.clock import utc_now
from api.console import explained, run_with_database
from api.database_url import PostgresUrl, SqliteUrl
from api.db.failures import is_away
from api.kakei.exports.request import BadRequest, ExportRequest, ReleaseUnknown
from data.disclosure import TooSmall

LOOK_SECONDS = 0.5
"""Seconds between two checks whether a waiting client is still connected."""
END_SECONDS = 5.0
"""Seconds that the process may take to end after SIGTERM."""
OF_THE_SYSTEM = frozenset(
    {"PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR"}
)
FAMILIES_OF_THE_SYSTEM = ("LC_", "PYTHON")
"""Variables that Python and its libraries read."""
OF_LIBPQ = "PG"
"""Variables of a PostgreSQL client. One may hold the database's password."""


@dataclass(frozen=True)
class Job:
    """What to export, from which database, to which file."""

    database: SqliteUrl | PostgresUrl
    request: ExportRequest
    out: Path


@dataclass(frozen=True)
class Made:
    """The file is written, and the release is in the ledger."""

    name: str
    digest: str


class RefusalCode(StrEnum):
    """Why there is no export."""

    BAD_REQUEST = "bad_request"
    RELEASE_UNKNOWN = "release_unknown"
    TOO_SMALL = "too_small"
    WRITERS_MISSING = "writers_missing"
    FAILED = "failed"


@dataclass(frozen=True)
class Refused:
    """No file is written. `field` is the option that is wrong, None if it is not the request's fault."""

    code: RefusalCode
    detail: str
    field: str | None = None


async def run(job: Job, is_cancelled: Callable[[], Awaitable[bool]]) -> Made | Refused:
    """Do the job in a new process. Raises CancelledError and ends the process if `is_cancelled` becomes true."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # the traceback of an error may hold participants' data
        env=environment(job.database),
    )
    try:
        work = asyncio.ensure_future(process.communicate(TypeAdapter(Job).dump_json(job)))
        while not (await asyncio.wait({work}, timeout=LOOK_SECONDS))[0]:
            if await is_cancelled():
                raise asyncio.CancelledError
        printed, _ = work.result()
    finally:
        if process.returncode is None:
            await asyncio.shield(_end(process))
    try:
        return TypeAdapter[Made | Refused](Made | Refused).validate_json(printed)
    except ValidationError:
        return Refused(RefusalCode.FAILED, f"the process ended with {process.returncode}")


def environment(database: SqliteUrl | PostgresUrl) -> dict[str, str]:
    """The variables of the process: those of the system and, for PostgreSQL, of its clients. No setting of ours."""
    families = (*FAMILIES_OF_THE_SYSTEM, *([OF_LIBPQ] if isinstance(database, PostgresUrl) else []))
    return {name: value for name, value in os.environ.items() if name in OF_THE_SYSTEM or name.startswith(families)}


def main() -> int:
    """Do the job of the standard input, print the result, and return the exit code."""
    from api.kakei.exports.actions import export  # noqa: PLC0415 - the service does not need its libraries

    job = TypeAdapter(Job).validate_json(sys.stdin.buffer.read())
    result: Made | Refused
    try:
        done = run_with_database(job.database, lambda database: export(database, job.request, job.out, utc_now()))
        result = Made(done.name, done.digest)
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM
    except Exception as error:
        result = refusal(error)
        if result.code is RefusalCode.FAILED:
            _print(result)
            raise
    _print(result)
    return 0 if isinstance(result, Made) else 1


def refusal(error: Exception) -> Refused:
    """The error as the service reports it: an unexpected one by its type alone, since its message may hold
    participants' data."""
    match error:
        case BadRequest():
            code = RefusalCode.RELEASE_UNKNOWN if isinstance(error, ReleaseUnknown) else RefusalCode.BAD_REQUEST
            return Refused(code, error.message, error.field)
        case TooSmall():
            return Refused(RefusalCode.TOO_SMALL, str(error))
        case ImportError():
            return Refused(RefusalCode.WRITERS_MISSING, f"{error.name} is not installed")
    line = explained(error) if isinstance(error, OSError) or is_away(error) else None
    return Refused(RefusalCode.FAILED, line or type(error).__name__)


def _print(result: Made | Refused) -> None:
    print(TypeAdapter(type(result)).dump_json(result).decode(), flush=True)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask the process to end its query and remove its files, and kill it if it does not."""
    for end in (process.terminate, process.kill):
        with contextlib.suppress(ProcessLookupError):
            end()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), END_SECONDS)
            return


if __name__ == "__main__":
    sys.exit(main())
