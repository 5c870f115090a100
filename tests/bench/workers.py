"""The cost of several processes: the coach's requests for each second of processor time, with two workers and with one.

Processor time is what the operator pays for; requests a second would also count the load's share of the cores.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from statistics import median

from tests.bench.calm import Calm
from tests.bench.coach import OUR_REQUEST, WARM_UP_SECONDS, environment, serve
from tests.bench.load import drive, generator
from tests.bench.report import Result, Say, Table
from tests.bench.servers import Server, ServerFailed, all_cores, cpu_seconds, running
from tests.support.local_servers import ServiceMissing
from tests.support.redis import redis_database, redis_server

WORKERS = (1, 2)
CONNECTIONS_EACH = 16
"""For each worker, so that all decide in batches of about the same size."""
TARGET = 0.9

type Rounds = dict[int, list[float]]
"""Number of workers to the requests for each second of processor time, by round."""


def run(quick: bool, say: Say) -> Result:
    """`quick` is for testing the harness, not for figures."""
    rounds, seconds = (2, 1.0) if quick else (5, 4.0)
    calm = Calm()
    measured: Rounds = {workers: [] for workers in WORKERS}
    with tempfile.TemporaryDirectory(prefix="buddy-bench-") as folder, _services(Path(folder)) as services:
        for workers, server in services.items():
            say(f"warming up {workers} workers", 0.1)
            drive(server.port, OUR_REQUEST, workers * CONNECTIONS_EACH, WARM_UP_SECONDS)
        for number in range(rounds):
            for workers, server in services.items():
                say(f"round {number + 1} of {rounds}: {workers} workers", 0.2 + 0.8 * number / rounds)
                measured[workers].append(calm.measure(partial(_requests_a_second, server, workers, seconds)))
    return _result(measured, seconds, calm)


def _requests_a_second(server: Server, workers: int, seconds: float) -> float:
    """Answered requests for each second of the server's processor time."""
    before = cpu_seconds(server)
    figures = drive(server.port, OUR_REQUEST, workers * CONNECTIONS_EACH, seconds)
    return figures.requests_per_second * seconds / (cpu_seconds(server) - before)


@contextlib.contextmanager
def _services(folder: Path) -> Iterator[Mapping[int, Server]]:
    with contextlib.ExitStack() as stack:
        try:
            redis = stack.enter_context(redis_database(stack.enter_context(redis_server(os.environ))))
        except ServiceMissing as missing:
            raise ServerFailed(str(missing)) from missing
        services: dict[int, Server] = {}
        for workers in WORKERS:
            own = folder / str(workers)
            own.mkdir()
            env = environment() | {"WEB_CONCURRENCY": str(workers), "REDIS_URL": redis}
            started = running(serve(), OUR_REQUEST, own / "buddy.log", env, all_cores())
            services[workers] = stack.enter_context(started)
        yield services


def _result(measured: Rounds, seconds: float, calm: Calm) -> Result:
    ratios = [two / one for one, two in zip(measured[1], measured[2], strict=True)]
    rows = [
        [f"{workers}", f"{median(each):,.0f}", f"{min(each):,.0f} – {max(each):,.0f}"]
        for workers, each in measured.items()
    ]
    rows[0].append("")
    rows[1].append(f"{median(ratios):.2f}")
    return Result(
        name="workers",
        how=f"{len(ratios)} rounds of {seconds:g} s in turns, medians over rounds; {CONNECTIONS_EACH} connections for "
        f"each worker; load by {generator()}; {calm.disturbed} of {calm.measured} measurements disturbed; "
        f"the target is a ratio of {TARGET}.",
        tables=[
            Table("The coach's requests for a second of processor time", ["workers", "requests", "", "ratio"], rows)
        ],
        charts=[],
        figures={"requests_a_cpu_second": measured, "ratios": ratios, "seconds_a_round": seconds},
    )
