"""`buddy research export` of ever more events in every format, beside a plain write of the same rows."""

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
from tests.bench.cohort import PEOPLE, add_events, settle
from tests.bench.report import Chart, Result, Say, Table
from tests.bench.servers import ServerFailed
from tests.bench.storage import postgres, sqlite

LIMIT_MIB = 300
"""Resident memory that an export of a million events may need."""
LOOK_SECONDS = 0.02
"""How often a process is asked for its peak. The kernel remembers it, so that only the very end is not seen."""
END_SECONDS = 600.0
"""After which a process is given up."""
PLAIN = {"json": "json", "ndjson": "json", "csv": "csv", "parquet": "parquet", "sav": "parquet", "dta": "parquet"}
"""What a format is held against. Nobody writes labelled files plainly: there it is Parquet, too."""
PLAIN_NAMES = {"json": "COPY of row_to_json", "csv": "COPY of CSV", "parquet": "pyarrow, Parquet"}
ON_SQLITE = ("csv", "parquet")
"""One format that is text and one that is not: the database makes no difference to the rest."""


@dataclass(frozen=True)
class Plan:
    """By number of events, how often each format is exported. Without events first, which tells what a start costs;
    the last number is written plainly, too."""

    rounds: Mapping[int, int]

    @property
    def sizes(self) -> list[int]:
        return [size for size in self.rounds if size]

    @property
    def largest(self) -> int:
        return self.sizes[-1]


@dataclass(frozen=True)
class Run:
    """A process from its start to its end; `peak_mib` is resident memory, 0 where there is no /proc."""

    seconds: float
    peak_mib: float


@dataclass
class Measured:
    """All runs of a format on a database: exports by number of events, and plain writes of the largest number."""

    exports: dict[int, list[Run]] = field(default_factory=dict)
    plain: list[Run] = field(default_factory=list)

    def seconds(self, events: int) -> float:
        return median(run.seconds for run in self.exports[events])

    def net_seconds(self, events: int) -> float:
        """Without what an export of no events takes."""
        return self.seconds(events) - self.seconds(0)

    @property
    def peak_mib(self) -> float:
        return max(run.peak_mib for runs in self.exports.values() for run in runs)

    @property
    def plain_seconds(self) -> float:
        return median(run.seconds for run in self.plain)


type Findings = dict[tuple[str, str], Measured]
"""By database and format."""


def run(quick: bool, say: Say) -> Result:
    """Every format on PostgreSQL, and two on SQLite; `quick` is for trying the harness, not for figures."""
    plan = Plan({0: 1, 1_000: 1, 10_000: 1} if quick else {0: 3, 10_000: 3, 100_000: 2, 1_000_000: 1})
    calm = Calm()
    findings: Findings = {}
    about: list[str] = []
    with tempfile.TemporaryDirectory(prefix="buddy-bench-") as folder, postgres(Path(folder)) as (url, version):
        about.append(version)
        bench = Bench(Path(folder), url, calm, lambda doing, share: say(f"PostgreSQL, {doing}", 0.85 * share))
        for kind, measured in bench.measure(plan, tuple(FORMATS), beside=True).items():
            findings["PostgreSQL", kind] = measured
    with tempfile.TemporaryDirectory(prefix="buddy-bench-") as folder, sqlite(Path(folder)) as (url, version):
        about.append(version)
        bench = Bench(Path(folder), url, calm, lambda doing, share: say(f"SQLite, {doing}", 0.85 + 0.15 * share))
        once = Plan(dict.fromkeys((0, *plan.sizes[-2:]), 1))
        for kind, measured in bench.measure(once, ON_SQLITE, beside=False).items():
            findings["SQLite", kind] = measured
    return _result(plan, findings, about, calm)


@dataclass(frozen=True)
class Bench:
    """Measures on the database at `url`, which is empty at first; files are written to `folder` and removed."""

    folder: Path
    url: str
    calm: Calm
    say: Say

    def measure(self, plan: Plan, formats: Sequence[str], *, beside: bool) -> dict[str, Measured]:
        """Formats take turns, and a plain write comes right after the export that it stands `beside`."""
        found = {kind: Measured({size: [] for size in plan.rounds}) for kind in formats}
        self.say(f"settling {PEOPLE:,} people", 0.0)
        settle(self.url)
        before, work = 0, sum(_work(size) * rounds for size, rounds in plan.rounds.items())
        done = 0.0
        for size, rounds in plan.rounds.items():
            if size:
                self.say(f"making {size:,} events", done / work)
                add_events(self.url, before + 1, size)
            before = size
            for number in range(rounds):
                for place, kind in enumerate(formats):
                    share = (done + _work(size) * (number + place / len(formats))) / work
                    self.say(f"{size:,} events, {kind}", share)
                    found[kind].exports[size].append(self.calm.measure(partial(self._export, kind, size)))
                    if beside and size == plan.largest:
                        self.say(f"{size:,} events, {PLAIN_NAMES[PLAIN[kind]]}", share)
                        found[kind].plain.append(self.calm.measure(partial(self._write_plainly, PLAIN[kind], size)))
            done += _work(size) * rounds
        return found

    def _export(self, kind: str, events: int) -> Run:
        """Raises ServerFailed unless everybody and all their events were exported."""
        out = self.folder / f"export.{kind}"
        command = [str(BINARIES / "buddy"), "research", "export", str(out), "--format", kind]
        run, said = self._run([*command, "--tables", "events", "--json"], f"the export as {kind}")
        rows, wanted = json.loads(said)["rows"], {"participants": PEOPLE, "events": events}
        if rows != wanted:
            raise ServerFailed(f"the export as {kind} has {rows} rows, not {wanted}")
        _remove(out)
        return run

    def _write_plainly(self, kind: str, events: int) -> Run:
        """Raises ServerFailed unless all events were written."""
        out = self.folder / f"plain.{kind}"
        run, said = self._run([sys.executable, "-m", plain.__name__, self.url, kind, str(out)], f"the plain {kind}")
        if int(said) != events:
            raise ServerFailed(f"the plain {kind} has {int(said)} rows, not {events}")
        _remove(out)
        return run

    def _run(self, command: Sequence[str], name: str) -> tuple[Run, str]:
        """How a process ran, and what it printed."""
        env = environment() | {"DATABASE_URL": self.url, "PYTHONPATH": str(PROJECT)}
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
    """The most resident memory of a process until it ends, KiB. Not what the kernel tells of a child that ended: that
    includes the memory which it shared with us until it became another program."""
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


def _work(events: int) -> int:
    """For the progress bar, in events: a start takes as long as some ten thousand."""
    return 50_000 + events


def _remove(written: Path) -> None:
    if written.is_dir():
        shutil.rmtree(written)
    else:
        written.unlink()


def _result(plan: Plan, findings: Findings, about: Sequence[str], calm: Calm) -> Result:
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
    runs = ", ".join(f"{rounds} with {_power(size)}" for size, rounds in plan.rounds.items() if size)
    fewer, more = plan.sizes[-2:]
    return Result(
        name="export",
        how=f"Runs of a format: {plan.rounds[0]} without events, {runs}, medians; {PEOPLE:,} participants; "
        f"{'; '.join(about)}; {calm.disturbed} of {calm.measured} measurements disturbed.",
        tables=[
            Table(
                "Seconds of an export, by the number of its events",
                ["", *map(_power, plan.rounds), f"{_power(more)} ÷ {_power(fewer)}", "plain", "ratio"],
                [_seconds(plan, *found) for found in findings.items()],
            ),
            Table(
                f"An export of {more:,} events, limit {LIMIT_MIB} MiB",
                ["", "peak MiB", "events/s"],
                [
                    [_name(*key), f"{measured.peak_mib:.0f}", f"{more / measured.net_seconds(more):,.0f}"]
                    for key, measured in findings.items()
                ],
            ),
        ],
        charts=[_chart(more, findings)],
        figures=figures,
    )


def _seconds(plan: Plan, key: tuple[str, str], measured: Measured) -> list[str]:
    """The growth is net of the start, the ratio is not."""
    fewer, more = plan.sizes[-2:]
    seconds = [f"{measured.seconds(size):.1f}" if size in measured.exports else "" for size in plan.rounds]
    growth = f"{measured.net_seconds(more) / measured.net_seconds(fewer):.1f}"
    if not measured.plain:
        return [_name(*key), *seconds, growth, "", ""]
    ratio = measured.seconds(more) / measured.plain_seconds
    return [_name(*key), *seconds, growth, f"{measured.plain_seconds:.1f}", f"{ratio:.1f}"]


def _name(database: str, kind: str) -> str:
    return kind if database == "PostgreSQL" else f"{kind}, {database}"


def _power(events: int) -> str:
    """10⁴, as all numbers of events are; 0 for none."""
    return f"10{'⁰¹²³⁴⁵⁶⁷⁸⁹'[len(str(events)) - 1]}" if events else "0"


def _chart(events: int, findings: Findings) -> Chart:
    """A plain write that several formats are held against is one bar."""
    ours = {_name(*key): measured.seconds(events) for key, measured in findings.items()}
    plainly: dict[str, list[float]] = {}
    for (_, kind), measured in findings.items():
        plainly.setdefault(PLAIN_NAMES[PLAIN[kind]], []).extend(run.seconds for run in measured.plain)
    bars = ours | {name: median(seconds) for name, seconds in plainly.items()}
    return Chart(f"Seconds for {events:,} events (less is better)", bars, list(ours), "{:.1f}")
