"""`python -m tests.bench`: runs the benchmarks and reports the results."""

import json
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tests.bench import coach, export, hostile, kinderbud, learning, storage, workers
from tests.bench.claims import broken_claims, claims_of
from tests.bench.report import Result, Say, commit, machine, show, write_docs
from tests.bench.servers import ServerFailed

BENCHMARKS: dict[str, Callable[[bool, Say], Result]] = {
    "coach": coach.run,
    "workers": workers.run,
    "storage": storage.run,
    "export": export.run,
    "learning": learning.run,
    "kinderbud": kinderbud.run,
    "hostile": hostile.run,
}
DOCS = Path(__file__).parents[2] / "docs"
README = DOCS.parent / "README.md"
REFRESHES_PER_SECOND = 2
"""Refreshes per second of the progress bar; few, because the load runs on the same core."""


def main(
    names: Annotated[
        list[str] | None, typer.Argument(help=f"Benchmarks: {', '.join(BENCHMARKS)}; default all.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write every round's figures to this file.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Short rounds, to test the harness.")] = False,
    docs: Annotated[bool, typer.Option("--write-docs", help="Write tables and charts of docs/benchmarks.md.")] = False,
) -> None:
    """Run benchmarks of the service and of comparable programs, and report the results."""
    unknown = sorted(set(names or ()) - set(BENCHMARKS))
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: there is {', '.join(BENCHMARKS)}")
    if docs and quick:
        raise typer.BadParameter("--write-docs needs benchmarks at full length")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # unwinds, so that servers are stopped
    at = commit()  # now: files may change while it measures
    try:
        results = _run(names or list(BENCHMARKS), quick)
    except ServerFailed as failed:
        print(f"error: {failed}", file=sys.stderr)
        raise typer.Exit(1) from failed
    show(Console(), results)
    for broken in broken_claims(claims_of(README.read_text(encoding="utf-8")), results):
        print(f"warning: {broken}", file=sys.stderr)
    now = datetime.now(UTC)
    if json_file:
        report = {"measured_at": now.isoformat(timespec="seconds"), "commit": at, "machine": machine()}
        report |= {result.name: result.figures for result in results}
        json_file.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if docs:
        write_docs(DOCS / "benchmarks.md", DOCS / "img", results, f"{now:%Y-%m-%d}", at)


def _run(names: list[str], quick: bool) -> list[Result]:
    console = Console(stderr=True)
    columns = (BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    bar = Progress(
        *columns,
        console=console,
        transient=True,
        refresh_per_second=REFRESHES_PER_SECOND,
        disable=not console.is_terminal,
    )
    with bar:
        return [BENCHMARKS[name](quick, _teller(bar, name)) for name in names]


def _teller(bar: Progress, name: str) -> Say:
    task = bar.add_task(name, total=1)
    return lambda doing, share: bar.update(task, description=f"{name}: {doing}", completed=share)


if __name__ == "__main__":
    typer.run(main)
