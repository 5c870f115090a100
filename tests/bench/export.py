"""Benchmark of `buddy research export`: growing numbers of events in every format, compared with a plain write of the
same rows."""

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from data.formats import FORMATS
from tests.bench import plain
from tests.bench.calm import Calm
from tests.bench.coach import BINARIES, PROJECT, environment
from tests.bench.cohort import PEOPLE, settle
from tests.bench.report import Chart, Result, Say, Table
from tests.bench.servers import ServerFailed
from tests.bench.storage import postgres, sqlite

LIMIT_MIB = 300
"""Largest resident memory of an export of a million events."""
LOOK_SECONDS = 0.02
"""Seconds between two readings of a process's peak memory. The kernel keeps the peak, so only the last moment before
the end is missed."""
END_SECONDS = 600.0
"""Seconds after which a process counts as failed."""
PLAIN = {"json": "json", "ndjson": "json", "csv": "csv", "parquet": "parquet", "sav": "parquet", "dta": "parquet"}
"""Format to the plain format that it is compared with. There is no plain writer of labelled files, so they are compared
with Parquet."""
PLAIN_NAMES = {"json": "COPY of row_to_json", "csv": "COPY of CSV", "parquet": "pyarrow, Parquet"}
PARTS = (("PostgreSQL", postgres, tuple(FORMATS), (0.0, 0.8)), ("SQLite", sqlite, ("csv", "parquet"), (0.8, 1.0)))
"""Databases with the exported formats and the share of the progress bar. On SQLite one text format and one binary
format are enough, because the database does not affect the writers."""
SETTLING = 0.1
"""Share of the progress bar for filling the databases."""


@dataclass(frozen=True)
class Run:
    """One run of a process. `peak_mib` is its peak resident memory, 0 on systems without /proc."""

    seconds: float
    peak_mib: float


@dataclass
class Measured:
    """All runs of a format on a database: exports by number of events, and plain writes of the largest number of
    events."""

    exports: dict[int, list[Run]] = field(default_factory=dict)
    plain: list[Run] = field(default_factory=list)

    def seconds(self, events: int) -> float:
        return median(run.seconds for run in self.exports[events])

    def net_seconds(self, events: int) -> float:
        """Seconds minus those of an export without events."""
        return self.seconds(events) - self.seconds(0)

    @property
    def peak_mib(self) -> float:
        return max(run.peak_mib for runs in self.exports.values() for run in runs)

    @property
    def plain_seconds(self) -> float:
        return median(run.seconds for run in self.plain)


type Findings = dict[tuple[str, str], Measured]
"""(database, format) to its measurements."""


def run(quick: bool, say: Say) -> Result:
    """Every format on PostgreSQL, and two on SQLite; `quick` is for testing the harness, not for figures."""
    sizes = (0, 1_000, 10_000) if quick else (0, 10_000, 100_000, 1_000_000)
    calm = Calm()
    findings: Findings = {}
    about: list[str] = []
    with tempfile.TemporaryDirectory(prefix="buddy-bench-") as folder:
        for database, opened, formats, part in PARTS:
            with contextlib.ExitStack() as stack:
                urls: dict[int, str] = {}
                for size in sizes:
                    place = Path(folder, database, str(size))
                    place.mkdir(parents=True)
                    urls[size], version = stack.enter_context(opened(place))
                about.append(version)
                bench = Bench(Path(folder), urls, calm, _teller(say, database, part))
                found = bench.measure(formats, beside=opened is postgres)
                findings |= {(database, kind): measured for kind, measured in found.items()}
    return _result(sizes, findings, about, calm)


def _teller(say: Say, database: str, part: tuple[float, float]) -> Say:
    """Reports the progress of one database within its `part` of the whole."""
    return lambda doing, share: say(f"{database}, {doing}", part[0] + (part[1] - part[0]) * share)


@dataclass(frozen=True)
class Bench:
    """Measures on databases that are empty at first; each gets one number of events. Files are written to `folder` and
    removed."""

    folder: Path
    urls: Mapping[int, str]
    calm: Calm
    say: Say

    def measure(self, formats: Sequence[str], *, beside: bool) -> dict[str, Measured]:
        """Measure each format: sizes from zero to the largest and back to zero, with `beside` also a plain write. The
        order makes a slow phase of the machine affect small and large exports."""
        for number, (size, url) in enumerate(self.urls.items()):
            self.say(f"making {size:,} events", SETTLING * number / len(self.urls))
            settle(url, size)
        *fewer, most = self.urls
        found = {kind: Measured({size: [] for size in self.urls}) for kind in formats}
        for number, (kind, measured) in enumerate(found.items()):
            share = SETTLING + (1 - SETTLING) * number / len(found)
            self.say(f"warming up {kind}", share)
            self._export(kind, 0)
            for size in (*fewer, most, *reversed(fewer)):
                self.say(f"{size:,} events as {kind}", share)
                measured.exports[size].append(self.calm.measure(partial(self._export, kind, size)))
                if size == most and beside:
                    self.say(f"{size:,} events, {PLAIN_NAMES[PLAIN[kind]]}", share)
                    measured.plain.append(self.calm.measure(partial(self._write_plainly, PLAIN[kind], size)))
        return found

    def _export(self, kind: str, events: int) -> Run:
        """Raises ServerFailed unless all participants and events were exported."""
        out = self.folder / f"export.{kind}"
        command = [str(BINARIES / "buddy"), "research", "export", str(out), "--format", kind]
        run, said = self._run([*command, "--tables", "events", "--json"], events, f"the export as {kind}")
        rows, wanted = json.loads(said)["rows"], {"participants": PEOPLE, "events": events}
        if rows != wanted:
            raise ServerFailed(f"the export as {kind} has {rows} rows, not {wanted}")
        _remove(out)
        return run

    def _write_plainly(self, kind: str, events: int) -> Run:
        """Raises ServerFailed unless all events were written."""
        out = self.folder / f"plain.{kind}"
        command = [sys.executable, "-m", plain.__name__, self.urls[events], kind, str(out)]
        run, said = self._run(command, events, f"the plain {kind}")
        if int(said) != events:
            raise ServerFailed(f"the plain {kind} has {int(said)} rows, not {events}")
        _remove(out)
        return run

    def _run(self, command: Sequence[str], events: int, name: str) -> tuple[Run, str]:
        """Run a process on the database with `events` events. Returns the run and the printed text."""
        env = environment() | {"DATABASE_URL": self.urls[events], "PYTHONPATH": str(PROJECT)}
        printed, complaints = self.folder / "printed", self.folder / "complaints"
        with printed.open("wb") as output, complaints.open("wb") as errors:
            started = time.perf_counter()
            process = subprocess.Popen(command, cwd=self.folder, env=env, stdout=output, stderr=errors)
            try:
                peak_kib = _watch(process)
            finally:
                process.kill()
                process.wait()
            seconds = time.perf_counter() - started
        if process.returncode:
            said = (printed.read_text() + complaints.read_text(errors="replace")).strip()[-2000:]
            raise ServerFailed(f"{name} ends with {process.returncode}:\n{said}")
        return Run(seconds, peak_kib / 1024), printed.read_text()


def _watch(process: subprocess.Popen[bytes]) -> int:
    """The peak resident memory of a process until it ends, in KiB.

    The kernel's figure for a finished child is not used: it includes the memory that the child shared with this process
    before it became another program.
    """
    status, peak = Path(f"/proc/{process.pid}/status"), 0
    deadline = time.monotonic() + END_SECONDS
    while time.monotonic() < deadline:
        try:
            process.wait(LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            lines = status.read_text().splitlines() if status.exists() else []
            peak = max([peak, *(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))])
        else:
            break
    return peak


def _remove(written: Path) -> None:
    if written.is_dir():
        shutil.rmtree(written)
    else:
        written.unlink()


def _result(sizes: Sequence[int], findings: Findings, about: Sequence[str], calm: Calm) -> Result:
    figures: dict[str, Any] = {
        "measured": calm.measured,
        "disturbed": calm.disturbed,
        "databases": list(about),
        "participants": PEOPLE,
        "limit_mib": LIMIT_MIB,
        "exports": [
            {"database": database, "format": kind, **asdict(measured)}
            for (database, kind), measured in findings.items()
        ],
    }
    *_, fewer, most = sizes
    return Result(
        name="export",
        how=f"{_power(most)} events exported once, fewer before and after it, medians; {PEOPLE:,} participants; "
        f"{'; '.join(about)}; {calm.disturbed} of {calm.measured} measurements disturbed.",
        tables=[
            Table(
                "Seconds of an export, by the number of its events",
                ["", *map(_power, sizes), f"{_power(most)} ÷ {_power(fewer)}", "plain", "ratio"],
                [[_name(*key), *_seconds(measured, *sizes)] for key, measured in findings.items()],
            ),
            Table(
                f"{most:,} events, limit {LIMIT_MIB} MiB",
                ["", "peak MiB", "events/s"],
                [
                    [_name(*key), f"{measured.peak_mib:.0f}", f"{most / measured.net_seconds(most):,.0f}"]
                    for key, measured in findings.items()
                ],
            ),
        ],
        charts=[_chart(most, findings)],
        figures=figures,
    )


def _seconds(measured: Measured, *sizes: int) -> list[str]:
    """Cells of a table. The growth is computed without the start-up time, the ratio with it."""
    *_, fewer, most = sizes
    seconds = [f"{measured.seconds(size):.1f}" for size in sizes]
    growth = f"{measured.net_seconds(most) / measured.net_seconds(fewer):.1f}"
    if not measured.plain:
        return [*seconds, growth, "", ""]
    ratio = measured.seconds(most) / measured.plain_seconds
    return [*seconds, growth, f"{measured.plain_seconds:.1f}", f"{ratio:.1f}"]


def _name(database: str, kind: str) -> str:
    return kind if database == "PostgreSQL" else f"{kind}, {database}"


def _power(events: int) -> str:
    """The number of events as a power of ten, such as 10⁴; 0 for no events."""
    return f"10{'⁰¹²³⁴⁵⁶⁷⁸⁹'[len(str(events)) - 1]}" if events else "0"


def _chart(events: int, findings: Findings) -> Chart:
    """The chart. A plain write that several formats are compared with is one bar."""
    ours = {_name(*key): measured.seconds(events) for key, measured in findings.items()}
    plainly: dict[str, list[float]] = {}
    for (_, kind), measured in findings.items():
        plainly.setdefault(PLAIN_NAMES[PLAIN[kind]], []).extend(run.seconds for run in measured.plain)
    bars = ours | {name: median(seconds) for name, seconds in plainly.items()}
    return Chart(f"Seconds for {events:,} events (less is better)", bars, list(ours), "{:.1f}")
