"""The export over HTTP: runs the shell command in its own process.

So the service answers other requests while a large study is read, and does not import the writers' libraries. A client
that disconnects affects only that process.
"""

import asyncio
import contextlib
import fcntl
import importlib.util
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import structlog
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse

from api.db.failures import RETRY_SECONDS
from api.http import problems
from api.http.bearer import is_token
from api.http.head import is_head
from api.http.openapi import problem_responses
from api.http.problems import FieldError, ProblemOccurred
from api.http.types import Words
from api.kakei.consent.schemas import StudyVersion
from api.kakei.exports.commands import MARK
from api.settings import Settings
from data.formats import PACKAGED, Format

SPOOL = Path("var/exports")
"""The folder of exports until they are sent; on disk, because /tmp may be in memory."""
PART_BYTES = 1 << 18
LOOK_SECONDS = 0.5
"""Seconds between two checks whether a waiting client is still connected."""
END_SECONDS = 5.0
"""Seconds that a command may take to end after SIGTERM."""
MEDIA = {"json": "application/json", "ndjson": "application/x-ndjson"}
WRITERS = {"csv": "pyarrow", "parquet": "pyarrow", "sav": "pyreadstat", "dta": "pyreadstat"}
OF_THE_SYSTEM = frozenset(
    {"PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR"}
)
FAMILIES_OF_THE_SYSTEM = ("LC_", "PYTHON", "PG")
"""Variables that Python, its libraries and libpq read."""

router = APIRouter(prefix="/api/admin/research", tags=["research"])
log = structlog.get_logger("api.exports")


async def _researcher(
    request: Request,
    x_research_export_token: Annotated[Words | None, Header(description="`RESEARCH_EXPORT_TOKEN`")] = None,
) -> None:
    expected = request.app.state.settings.research_export_token
    if expected is None:
        raise ProblemOccurred(problems.EXPORT_NOT_CONFIGURED, "RESEARCH_EXPORT_TOKEN is not set.")
    if not is_token(x_research_export_token, expected):
        raise ProblemOccurred(problems.EXPORT_FORBIDDEN, "X-Research-Export-Token is missing or wrong.")


@router.get(
    "/export",
    operation_id="research_export",
    summary="Export the research dataset",
    dependencies=[Depends(_researcher)],
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "One JSON document, a JSON document a line, or a ZIP dataset package",
            "content": {"application/json": {}, "application/x-ndjson": {}, "application/zip": {}},
        },
        **problem_responses(403, 409, 422, 429, 501, 503),
    },
)
async def export(
    request: Request,
    kind: Annotated[
        Format, Query(alias="format", description="json, ndjson, csv, parquet, sav (SPSS), dta (Stata)")
    ] = "json",
    since: Annotated[Words | None, Query(max_length=64, description="Only what changed since this release.")] = None,
    study_version: Annotated[StudyVersion | None, Query(description="Only this study.")] = None,
    tables: Annotated[
        Words, Query(max_length=500, description="Only these, separated by commas; all where it is left out or empty.")
    ] = "",
    identifiers: Annotated[bool, Query(description="With participant codes.")] = False,
    strict: Annotated[bool, Query(description="Refuse where small cells would be suppressed.")] = False,
) -> StreamingResponse:
    """Exports all data of participants with consent in force, as one consistent snapshot. Every export is entered in
    the ledger, and `X-Release` names it. `since` exports the changes since a release, with tombstones (`changes`) of
    people to delete. HEAD creates no export."""
    missing = WRITERS.get(kind)
    if missing is not None and importlib.util.find_spec(missing) is None:
        raise ProblemOccurred(problems.FORMAT_NOT_INSTALLED, "Install the extra `research`, or ask for json or ndjson.")
    media = MEDIA.get(kind, "application/zip")
    if is_head(request.scope):  # an export without a reader would be in the ledger
        return StreamingResponse(_nothing(), headers={"Cache-Control": "no-store"}, media_type=media)
    with _spool() as folder:  # an open file stays readable after the folder is removed
        suffix = "zip" if kind in PACKAGED else kind
        out = folder / (f"{MARK}.{suffix}" if identifiers else f"export.{suffix}")
        options = {"--format": kind, "--since": since, "--study": study_version, "--tables": tables or None}
        arguments = [part for name, value in options.items() if value is not None for part in (name, value)]
        arguments += ["--identifiers"] if identifiers else []
        arguments += ["--strict"] if strict else []
        async with request.app.state.exporting:  # one at a time: each process uses a full core
            done = await _run(request, [str(out), *arguments])
        opened = out.open("rb")
    name = f"{done['name']}{f'-{MARK}' if identifiers else ''}.{suffix}"
    headers = {
        "Content-Length": str(os.fstat(opened.fileno()).st_size),
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Release": done["name"],
        "X-Digest": done["digest"],
    }
    return StreamingResponse(_parts(opened), headers=headers, media_type=media)


async def _nothing() -> AsyncIterator[bytes]:
    yield b""


async def _parts(opened: BinaryIO) -> AsyncIterator[bytes]:
    """The parts of the file, read in a thread."""
    with opened:
        while part := await asyncio.to_thread(opened.read, PART_BYTES):
            yield part


def sweep() -> None:
    """Remove the folders of exports that were killed together with their service.

    A running export of any service on this machine holds a lock on its folder.
    """
    for folder in SPOOL.iterdir() if SPOOL.exists() else ():
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:  # it was removed, or is not our folder
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _spool() -> Iterator[Path]:
    """A new folder that only this account can read, locked while it is in use."""
    SPOOL.mkdir(parents=True, exist_ok=True, mode=0o700)
    while True:
        folder = Path(tempfile.mkdtemp(dir=SPOOL))
        descriptor = os.open(folder, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if folder.exists():  # a service that just started may have swept it before it was locked
            break
        os.close(descriptor)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


async def _run(request: Request, arguments: list[str]) -> dict[str, Any]:
    """Run the command and return its output; stop it if the client disconnects. Raises ProblemOccurred for refusals."""
    command = [sys.executable, "-m", "api", "research", "export", *arguments, "--json"]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(request.app.state.settings),
    )
    try:
        work = asyncio.ensure_future(process.communicate())
        while not (await asyncio.wait({work}, timeout=LOOK_SECONDS))[0]:
            if await request.is_disconnected():
                raise asyncio.CancelledError
        printed, complaints = work.result()
    finally:
        if process.returncode is None:
            await asyncio.shield(_end(process))
    try:
        said: dict[str, Any] = json.loads(printed)
    except ValueError:
        why = complaints.decode(errors="replace").strip().rpartition("\n")[2]
        log.error("an export failed", request_id=request.scope["request_id"], why=why.partition(":")[0][:200])
        headers = {"Retry-After": str(RETRY_SECONDS)}
        detail = "The export could not be made; why is in the log."
        raise ProblemOccurred(problems.EXPORT_FAILED, detail, headers=headers) from None
    if "error" in said:
        raise _refused(said)
    return said


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask the command to end its query and remove its files, and kill it if it does not."""
    for end in (process.terminate, process.kill):
        with contextlib.suppress(ProcessLookupError):
            end()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), END_SECONDS)
            return


def _refused(said: dict[str, Any]) -> ProblemOccurred:
    field, _, message = said["detail"].partition(": ")
    if said["error"] == "TooSmall":
        return ProblemOccurred(problems.CELLS_TOO_SMALL, said["detail"])
    kind = problems.RELEASE_UNKNOWN if said["error"] == "ReleaseUnknown" else problems.INVALID_INPUT
    return ProblemOccurred(kind, said["detail"], [FieldError(field, message)])


def _environment(settings: Settings) -> dict[str, str]:
    """What the command needs to read the same database, and no other secret: it neither counts requests nor mails."""
    withheld = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    ours = Settings.model_fields.keys() - withheld - {"redis_url", "database_url"}
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name.lower() in ours or name in OF_THE_SYSTEM or name.startswith(FAMILIES_OF_THE_SYSTEM)
    }
    needed = {"DATABASE_URL": settings.database_url, "WEB_CONCURRENCY": "1"}
    if settings.smtp_user is not None:  # settings with a user need a password; a user may also come from `.env`
        needed["SMTP_PASSWORD"] = "withheld"  # noqa: S105 - the word that stands for it
    return inherited | needed
