"""The export, for HTTP and for the shell: reads, writes, and adds a release to the ledger.

It spools one consistent snapshot of the database to disk in parts, so that memory use stays constant. It closes the
session before it describes, packs or sends anything.
"""

import asyncio
import secrets
import shutil
import zipfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import polars as pl
from sqlalchemy.ext.asyncio import AsyncSession

from api.clock import timestamp
from api.db.engine import Database
from api.db.frames import PART_ROWS, Make, blocks, whole_frame
from api.db.unfinished import HALF
from api.kakei.exports import queries
from api.kakei.exports.queries import SELECTS, Scope, consents
from api.kakei.exports.request import ExportRequest, ReleaseUnknown
from api.kakei.exports.rules import CELL, Exporter, with_months
from api.models import Release
from data.disclosure import Cell, Disclosure, disclosure
from data.formats import PACKAGED
from data.formats.frames import frame_schema
from data.formats.json_lines import JsonSink
from data.schema import DATASET_VERSION, TABLES

IN_FLIGHT = timedelta(minutes=5)
"""A row may be committed some time after its `received_at`, so an export of changes goes back this much further. Rows
that are exported twice replace themselves."""

type Progress = Callable[[str, int], None]
"""Called with a table and the number of its written rows."""


@dataclass(frozen=True)
class Exported:
    """The result of an export."""

    name: str
    path: Path
    digest: str
    rows: dict[str, int]
    changes: dict[str, int] = field(default_factory=dict)
    disclosure: dict[str, Any] = field(default_factory=dict)


class Sink(Protocol):
    """Receives the rows, one table after the other."""

    def table(self, name: str) -> None: ...

    def write(self, frame: pl.DataFrame) -> None: ...

    def close(self, about: dict[str, Any], extra: dict[str, str]) -> str: ...


def unfinished_names(out: Path) -> tuple[Path, Path]:
    """What is written beside `out`, and renamed to it when it is complete: the data, and the ZIP file of a package."""
    return out.with_name(f".{out.name}{HALF}"), out.with_name(f".{out.name}.zip{HALF}")


async def export(
    database: Database,
    request: ExportRequest,
    out: Path,
    now: datetime,
    progress: Progress = lambda _table, _rows: None,
) -> Exported:
    """Write an export to `out`: a JSON or NDJSON file, a folder, or a ZIP file if the name ends with `.zip`.

    Raises BadRequest, data.disclosure.TooSmall with `strict`, and ImportError if the writers of a format are not
    installed.
    """
    tables = request.chosen()
    name = f"buddy-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    with _place_of(request, out, name) as place:
        async with database.read() as session:
            await queries.begin_snapshot(session)
            scope = await _scope(session, request)
            people = with_months(await whole_frame(session, queries.people(scope)))
            shown, released = _disclosed(people, request), people["pseudonym"].to_list()
            scope = _with_zones(scope, shown)
            about = _about(name, now, request)
            about["participants_left_out"] = await queries.enrolled(session, scope) - len(released)
            exporter = Exporter(shown, request.identifiers, now, people, await whole_frame(session, consents(scope)))
            with ThreadPoolExecutor(1) as worker:
                written = Written(_sink(request, place, about), exporter, progress, worker)
                for table in tables:
                    await written.add(session, table, scope, released)
        counts, changes, report = dict(written.counts), dict(written.changes), shown.report()
        about |= {"rows": counts, "changes_since": changes, "disclosure": report}
        digest = written.sink.close(about, {"DISCLOSURE.md": shown.report_md()})
    release = Release(
        name=name,
        since=request.since,
        filters={name: _plain(value) for name, value in asdict(request).items()},
        rows=counts,
        changes=changes,
        zones=[list(zone) for zone in shown.zones_shown()],
        digest=digest,
        snapshot_at=now,
    )
    async with database.write() as session:
        await queries.add_release(session, release, released)
    return Exported(name, out, digest, counts, changes, report)


@dataclass
class Written:
    """The tables that were written so far, with the number of their rows."""

    sink: Sink
    exporter: Exporter
    progress: Progress
    worker: ThreadPoolExecutor
    counts: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)

    async def add(self, session: AsyncSession, table: str, scope: Scope, released: list[str]) -> None:
        """Write one table, in parts. `released` are the pseudonyms of the exported people."""
        self.counts[table] = 0
        self.sink.table(table)
        if table == "changes":
            changes = await _changes(session, scope, released)
            self.changes.update(changes["change"].to_list())
            await self._write(table, lambda: changes)
        else:
            self.exporter.begin()
            async for stored in self._stored(session, table, scope):
                await self._write(table, partial(self._rows, table, stored))
        self.progress(table, self.counts[table])

    def _rows(self, table: str, stored: Make) -> pl.DataFrame:
        return self.exporter.rows(table, stored())

    async def _stored(self, session: AsyncSession, table: str, scope: Scope) -> AsyncIterator[Make]:
        """The stored rows of a table in blocks; those of people and their consents are there already."""
        held = {"participants": self.exporter.people, "consents": self.exporter.consents}
        if table not in held:
            async for block in blocks(session, SELECTS[table](scope)):
                yield block
            return
        for part in held[table].iter_slices(PART_ROWS):
            yield part.clone

    async def _write(self, table: str, make: Make) -> None:
        """Write the rows that `make` makes, in a thread, so that the next ones are read meanwhile."""

        def write() -> int:
            made = make()
            self.sink.write(made)
            return made.height

        working = asyncio.get_running_loop().run_in_executor(self.worker, write)
        try:
            self.counts[table] += await asyncio.shield(working)
        finally:
            await asyncio.wait({working})  # if the export is cancelled, before its files are removed
        self.progress(table, self.counts[table])


@contextmanager
def _place_of(request: ExportRequest, out: Path, name: str) -> Iterator[Path]:
    """Where to write: a file, or the folder of a package. It is moved to `out` when it is complete, and removed if
    anything is raised.
    """
    half, packing = unfinished_names(out)
    try:
        if request.kind not in PACKAGED:
            yield half
            half.replace(out)
            return
        shutil.rmtree(half, ignore_errors=True)  # of an export that was killed
        yield half
        _place(half, out, packing, name)
    finally:
        if request.kind in PACKAGED:
            shutil.rmtree(half, ignore_errors=True)
        half.unlink(missing_ok=True)


async def _scope(session: AsyncSession, request: ExportRequest) -> Scope:
    if request.since is None:
        return Scope(request.study_version)
    earlier = await queries.release_named(session, request.since)
    if earlier is None:
        raise ReleaseUnknown("since", f"there is no release {request.since}; `buddy research releases` lists them")
    same = ("study_version", "tables", "identifiers")
    differing = [name for name in same if earlier.filters[name] != _plain(getattr(request, name))]
    if differing:
        raise ReleaseUnknown("since", f"{request.since} was asked for with another {', '.join(differing)}")
    return Scope(request.study_version, earlier.snapshot_at - IN_FLIGHT, earlier)


def _with_zones(scope: Scope, shown: Disclosure) -> Scope:
    """The zones whose people must be exported again, because whether the zone is shown has changed."""
    if scope.earlier is None:
        return scope
    before = {(study, zone) for study, zone in scope.earlier.zones}
    return replace(scope, zones_changed=tuple(sorted(before ^ set(shown.zones_shown()))))


def _disclosed(people: pl.DataFrame, request: ExportRequest) -> Disclosure:
    """What the export may show of each participant."""
    cells = {Cell(*cell): count for *cell, count in people.group_by(CELL).len().iter_rows()}
    zoned = people.filter(pl.col("zone").is_not_null()).group_by("study_version", "zone").len()
    zones = {(study, zone): count for study, zone, count in zoned.iter_rows()}
    return disclosure(cells, zones, strict=request.strict)


async def _changes(session: AsyncSession, scope: Scope, now_in: list[str]) -> pl.DataFrame:
    """The participants that are new, changed or to be deleted since the earlier release."""
    before = await queries.released_before(session, scope)
    changed = await queries.changed_people(session, scope)
    here = [(pseudonym, "changed" if pseudonym in before else "added") for pseudonym in now_in if pseudonym in changed]
    gone = [(pseudonym, "removed") for pseudonym in sorted(before - set(now_in))]
    columns = TABLES["changes"].shipped(identifiers=False)
    return pl.DataFrame([*here, *gone], schema=frame_schema(columns), orient="row")


def _about(name: str, now: datetime, request: ExportRequest) -> dict[str, Any]:
    moment = timestamp(now)
    changes = f"What changed since {request.since}; `changes` says what to do." if request.since else "Everything."
    return {
        "name": name,
        "title": f"Buddy Coach research export {name}",
        "description": "Data of people who consented to research and to their export, under keyed pseudonyms.",
        "dataset": DATASET_VERSION,
        "version": name,
        "created_at": moment,
        "consent_cut_off": moment,
        "since": request.since,
        "changes": changes,
        "study_version": request.study_version,
        "identifiers": request.identifiers,
    }


def _sink(request: ExportRequest, place: Path, about: dict[str, Any]) -> Sink:
    if request.kind in PACKAGED:
        from data.packages.writer import Packer  # noqa: PLC0415 - pyarrow is an extra

        return Packer(place, request.kind, identifiers=request.identifiers)
    return JsonSink(place, about, lines=request.kind == "ndjson", identifiers=request.identifiers)


def _plain(value: Any) -> Any:
    """The value as the ledger, which is JSON, returns it."""
    return list(value) if isinstance(value, tuple) else value


def _place(folder: Path, out: Path, packing: Path, name: str) -> None:
    """Move the finished package to its place, as a folder or as a ZIP file."""
    if out.suffix != ".zip":
        folder.rename(out)
        return
    try:
        with zipfile.ZipFile(packing, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            for file in sorted(folder.iterdir()):
                packed.write(file, f"{name}/{file.name}")
        packing.replace(out)
    finally:
        packing.unlink(missing_ok=True)
