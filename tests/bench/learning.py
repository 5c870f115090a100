"""Benchmark of `buddy-train train` and `evaluate`: growing numbers of decisions, compared with a plain read of the same
package."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

from tests.bench.calm import Calm
from tests.bench.coach import BINARIES, environment
from tests.bench.report import Chart, Result, Say, Table
from tests.bench.servers import ServerFailed
from tests.support.artifacts import PACKAGED

LIMIT_SECONDS = 120
"""Limit for training on a hundred thousand decisions, and for an evaluation with a thousand bootstrap resamples."""
MILLION = 1_000_000
MILLION_SECONDS, MILLION_MIB = 60, 4_096
"""Limits for an evaluation of a million decisions."""
RESAMPLES = 1_000
WEEKS = 12
KEPT = 0.8
"""Approximate share of weeks in which a simulated person has a decision."""
COMMANDS = ("train", "evaluate")
PLAIN = """
import sys
from pathlib import Path
import pyarrow.parquet as pq
print(sum(pq.read_table(file).to_pandas().shape[0] for file in sorted(Path(sys.argv[1]).glob("*.parquet"))))
"""


@dataclass
class Measured:
    """All runs of a command: seconds and peak memory, by number of decisions."""

    seconds: dict[int, list[float]] = field(default_factory=dict)
    peak_mib: dict[int, list[float]] = field(default_factory=dict)

    def median(self, decisions: int) -> float:
        return median(self.seconds[decisions])


def run(quick: bool, say: Say) -> Result:
    """Both commands on simulated packages; `quick` is for testing the harness, not for figures."""
    wanted = (1_000, 3_000) if quick else (10_000, 30_000, 100_000)
    rounds = 1 if quick else 3
    calm, found = Calm(), {name: Measured() for name in (*COMMANDS, "plain read")}
    sizes: list[int] = []
    with tempfile.TemporaryDirectory(prefix="buddy-bench-") as place:
        folder = Path(place)
        for number, size in enumerate(wanted):
            say(f"simulating {size:,} decisions", 0.2 * number / len(wanted))
            sizes.append(_simulate(folder, size))
        for turn in range(rounds):
            for number, (size, asked) in enumerate(zip(sizes, wanted, strict=True)):
                say(f"{size:,} decisions", 0.2 + 0.8 * (turn + number / len(sizes)) / rounds)
                for name, command in _commands(folder, asked).items():
                    seconds, peak = calm.measure(partial(_timed, command, folder))
                    found[name].seconds.setdefault(size, []).append(seconds)
                    found[name].peak_mib.setdefault(size, []).append(peak)
        million = Measured()
        if not quick:
            say(f"{MILLION:,} decisions", 1.0)
            size, command = _simulate_confirm(folder, MILLION), _commands(folder, MILLION)["evaluate"]
            for _ in range(rounds):
                seconds, peak = calm.measure(partial(_timed, command, folder))
                million.seconds.setdefault(size, []).append(seconds)
                million.peak_mib.setdefault(size, []).append(peak)
    return _result(sizes, found, million, calm, rounds)


def _simulate(folder: Path, decisions: int) -> int:
    """Simulate an explore package and a confirm package. Returns the number of decisions of the confirm package."""
    _buddy_train(folder, "simulate", f"explore-{decisions}", "--weeks", str(WEEKS), *_of_size(decisions))
    return _simulate_confirm(folder, decisions)


def _simulate_confirm(folder: Path, decisions: int) -> int:
    confirmed = ["--weeks", "0", "--confirm-weeks", str(WEEKS), "--candidate", str(PACKAGED)]
    told = json.loads(_buddy_train(folder, "simulate", f"confirm-{decisions}", *confirmed, *_of_size(decisions)))
    return int(told["decisions"])


def _of_size(decisions: int) -> list[str]:
    return ["--participants", str(round(decisions / WEEKS / KEPT)), "--parquet", "--json"]


def _commands(folder: Path, decisions: int) -> dict[str, list[str]]:
    train = ["train", f"explore-{decisions}", "--out", "artifact", "--no-track", "--json"]
    evaluate = ["evaluate", f"confirm-{decisions}", "--artifact", str(PACKAGED), "--resamples", str(RESAMPLES)]
    ours = str(BINARIES / "buddy-train")
    return {
        "train": [ours, *train],
        "evaluate": [ours, *evaluate, "--no-track", "--json"],
        "plain read": [sys.executable, "-c", PLAIN, str(folder / f"confirm-{decisions}")],
    }


def _buddy_train(folder: Path, *arguments: str) -> str:
    command = [str(BINARIES / "buddy-train"), *arguments]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServerFailed(f"{arguments[0]} ends with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def _timed(command: Sequence[str], folder: Path) -> tuple[float, float]:
    """Seconds from start to end, and the peak resident memory of all its processes together, in MiB."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, _resident_mib(process.pid))
        time.sleep(0.05)
    seconds = time.perf_counter() - started
    complaints = process.stderr.read() if process.stderr else b""
    if process.returncode:
        raise ServerFailed(
            f"{command[0]} ends with {process.returncode}: {complaints.decode(errors='replace')[-2000:]}"
        )
    return seconds, peak


def _resident_mib(parent: int) -> float:
    """The resident memory of a process and its children in MiB; 0 on systems without /proc."""
    total, waiting = 0, [parent]
    while waiting:
        pid = waiting.pop()
        try:
            status = Path(f"/proc/{pid}/status").read_text()
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
        waiting += [int(child) for child in children]
    return total / 1024


def _result(sizes: list[int], found: dict[str, Measured], million: Measured, calm: Calm, rounds: int) -> Result:
    *_, fewer, most = sizes
    heading = ["", *(f"{size:,}" for size in sizes), "× decisions", "× seconds", "÷ plain read", "peak MiB"]
    rows = []
    for name, measured in found.items():
        growth = measured.median(most) / measured.median(sizes[0])
        ratio = "" if name == "plain read" else f"{measured.median(most) / found['plain read'].median(most):.0f}"
        seconds = [f"{measured.median(size):.1f} s" for size in sizes]
        peak = f"{max(measured.peak_mib[most]):.0f}"
        rows.append([name, *seconds, f"{most / sizes[0]:.1f}", f"{growth:.1f}", ratio, peak])
    bars = {f"{name}, {most:,}": measured.median(most) for name, measured in found.items()}
    return Result(
        name="learning",
        how=f"medians of {rounds} rounds; evaluate with {RESAMPLES:,} clustered bootstraps, all cores; limit "
        f"{LIMIT_SECONDS} s for the largest; {calm.disturbed} of {calm.measured} measurements disturbed.",
        tables=[Table("Seconds by the number of decisions", heading, rows), *_million_table(million)],
        charts=[Chart("Seconds of learning and judging (less is better)", bars, list(bars)[:2], "{:.1f}")],
        figures={"sizes": sizes, "fewer": fewer, "million": asdict(million)}
        | {name: asdict(measured) for name, measured in found.items()},
    )


def _million_table(million: Measured) -> list[Table]:
    title = f"evaluate, a million decisions, limit {MILLION_SECONDS} s and {MILLION_MIB} MiB"
    rows = [
        [f"{size:,}", f"{million.median(size):.1f} s", f"{max(million.peak_mib[size]):.0f}"] for size in million.seconds
    ]
    return [Table(title, ["decisions", "seconds", "peak MiB"], rows)] if rows else []
