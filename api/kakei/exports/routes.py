"""The export over HTTP: an export runs in a process of its own, and its file is sent from the spool."""

import asyncio
import importlib.util
import os
from collections.abc import AsyncIterator
from typing import Annotated, BinaryIO

import structlog
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse

from api.app_state import services_of
from api.db.failures import RETRY_SECONDS
from api.http import problems
from api.http.bearer import is_token
from api.http.head import is_head
from api.http.openapi import problem_responses
from api.http.problems import FieldError, ProblemOccurred
from api.http.types import Words
from api.kakei.consent.schemas import StudyVersion
from api.kakei.exports.commands import MARK
from api.kakei.exports.process import Job, RefusalCode, Refused, run
from api.kakei.exports.request import ExportRequest, named_tables
from api.kakei.exports.spool import new_folder
from data.formats import PACKAGED, Format

PART_BYTES = 1 << 18
MEDIA = {"json": "application/json", "ndjson": "application/x-ndjson"}
WRITERS = {"csv": "pyarrow", "parquet": "pyarrow", "sav": "pyreadstat", "dta": "pyreadstat"}
NO_WRITERS = "Install the extra `research`, or ask for json or ndjson."
PROBLEMS = {
    RefusalCode.BAD_REQUEST: problems.INVALID_INPUT,
    RefusalCode.RELEASE_UNKNOWN: problems.RELEASE_UNKNOWN,
    RefusalCode.TOO_SMALL: problems.CELLS_TOO_SMALL,
    RefusalCode.WRITERS_MISSING: problems.FORMAT_NOT_INSTALLED,
    RefusalCode.FAILED: problems.EXPORT_FAILED,
}

router = APIRouter(prefix="/api/admin/research", tags=["research"])
log = structlog.get_logger("api.exports")


async def _researcher(
    request: Request,
    x_research_export_token: Annotated[Words | None, Header(description="`RESEARCH_EXPORT_TOKEN`")] = None,
) -> None:
    expected = services_of(request).settings.research_export_token
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
        raise ProblemOccurred(problems.FORMAT_NOT_INSTALLED, NO_WRITERS)
    media = MEDIA.get(kind, "application/zip")
    if is_head(request.scope):  # an export without a reader would be in the ledger
        return StreamingResponse(_nothing(), headers={"Cache-Control": "no-store"}, media_type=media)
    with new_folder() as folder:  # an open file stays readable after the folder is removed
        suffix = "zip" if kind in PACKAGED else kind
        out = folder / (f"{MARK}.{suffix}" if identifiers else f"export.{suffix}")
        wanted = ExportRequest(kind, since, study_version, named_tables(tables), identifiers, strict)
        services = services_of(request)
        job = Job(services.settings.database, wanted, out)
        async with services.exporting:
            made = await run(job, request.is_disconnected)
        if isinstance(made, Refused):
            raise _problem(made, request.scope["request_id"])
        opened = out.open("rb")
    name = f"{made.name}{f'-{MARK}' if identifiers else ''}.{suffix}"
    headers = {
        "Content-Length": str(os.fstat(opened.fileno()).st_size),
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Release": made.name,
        "X-Digest": made.digest,
    }
    return StreamingResponse(_parts(opened), headers=headers, media_type=media)


async def _nothing() -> AsyncIterator[bytes]:
    yield b""


async def _parts(opened: BinaryIO) -> AsyncIterator[bytes]:
    """The parts of the file, read in a thread."""
    with opened:
        while part := await asyncio.to_thread(opened.read, PART_BYTES):
            yield part


def _problem(refused: Refused, request_id: str) -> ProblemOccurred:
    kind, detail = PROBLEMS[refused.code], refused.detail
    if refused.code is RefusalCode.FAILED:
        log.error("an export failed", request_id=request_id, why=detail)
        headers = {"Retry-After": str(RETRY_SECONDS)}
        return ProblemOccurred(kind, "The export could not be made; why is in the log.", headers=headers)
    if refused.code is RefusalCode.WRITERS_MISSING:
        return ProblemOccurred(kind, NO_WRITERS)
    if refused.field is None:
        return ProblemOccurred(kind, detail)
    return ProblemOccurred(kind, f"{refused.field}: {detail}", [FieldError(refused.field, detail)])
