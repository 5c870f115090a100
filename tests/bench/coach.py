"""Benchmarks of the coach: throughput and latency compared with other servers, cold start, and the cost of a decision
inside the process."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import coach_model
from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from api.settings import Settings
from coach_model.budget.coach import CONTRACT, decide
from coach_model.onnx_policy import GRAPH_FILE, load_policy
from coach_model.policy import Source
from tests.bench import rivals
from tests.bench.calm import Calm
from tests.bench.load import Figures, drive, generator
from tests.bench.report import Chart, Result, Say, Table
from tests.bench.servers import Request, Server, ServerFailed, all_cores, ask, pin, read, running
from tests.support.serving import DEFAULTS

OURS, FASTAPI, BARE, MLFLOW = "Buddy Coach", "FastAPI, fixed answer", "bare ASGI, fixed answer", "mlflow models serve"
CROWD, ALONE = 16, 1
"""Connections."""
WARM_UP_SECONDS = 1.0
COLD_STARTS = 5
COLD_START_TARGET_SECONDS = 2.0
ROWS = (1, 16, 10_000)
ROWS_A_MEASUREMENT = 20_000
"""Number of rows that are decided between two readings of the clock."""

ARTIFACTS = Path(next(iter(coach_model.__path__))) / "artifacts"
PROJECT = ARTIFACTS.parent.parent
BINARIES = Path(sys.executable).parent
OUR_REQUEST = Request("/coach/suggestions", json.dumps(EXAMPLE_CONTEXT).encode())
MLFLOW_REQUEST = Request("/invocations", json.dumps({"inputs": [list(EXAMPLE_CONTEXT.values())]}).encode())

type Rounds = dict[tuple[int, str], list[Figures]]
"""(connections, server) to the figures of each round."""


@dataclass(frozen=True)
class Plan:
    rounds: int
    seconds: float
    cold_starts: int


def run(quick: bool, say: Say) -> Result:
    """All benchmarks of the coach; `quick` is for testing the harness, not for figures."""
    plan = Plan(rounds=2, seconds=1, cold_starts=2) if quick else Plan(rounds=3, seconds=4, cold_starts=COLD_STARTS)
    cores = sorted(all_cores())
    server_cores, load_cores = set(cores[:1]), set(cores[-1:])
    with tempfile.TemporaryDirectory(prefix="buddy-bench-") as folder:
        calm = Calm()
        rounds = _compare(plan, Path(folder), server_cores, load_cores, calm, say)
        starts = _cold_starts(plan, Path(folder), set(cores), say)
    say("decide() in process", 0.97)
    costs = {rows: _microseconds_a_row(rows) for rows in ROWS}
    pin(0, set(cores))
    return _result(plan, rounds, starts, costs, calm, pinned=len(cores) > 1)


def _compare(plan: Plan, folder: Path, server_cores: set[int], load_cores: set[int], calm: Calm, say: Say) -> Rounds:
    """Measure all servers. They run the whole time and each round measures one after the other, so that a slow phase of
    the machine affects all of them."""
    rounds: Rounds = {
        (connections, name): [] for connections in (CROWD, ALONE) for name in (BARE, OURS, FASTAPI, MLFLOW)
    }
    say("starting the servers", 0.0)
    with _servers(folder, server_cores) as servers:
        pin(0, load_cores)
        for name, server in servers.items():
            say(f"warming up {name}", 0.1)
            drive(server.port, _request(name), CROWD, WARM_UP_SECONDS)
        for number in range(plan.rounds):
            for done, (connections, name) in enumerate(rounds):
                share = 0.15 + 0.7 * (number + done / len(rounds)) / plan.rounds
                say(f"round {number + 1} of {plan.rounds}: {name}, {connections} connections", share)
                shot = partial(drive, servers[name].port, _request(name), connections, plan.seconds)
                rounds[connections, name].append(calm.measure(shot))
            _check_that_the_policy_answered(servers[OURS].port)
    return rounds


@contextlib.contextmanager
def _servers(folder: Path, cores: set[int]) -> Iterator[dict[str, Server]]:
    """The service and the servers that it is compared with, each on `cores`."""
    model, answer = folder / "model", folder / "answer.json"
    env = environment() | {"PYTHONPATH": str(PROJECT), rivals.ANSWER_FILE: str(answer)}
    saving = [sys.executable, "-m", rivals.__name__, str(ARTIFACTS / CONTRACT.coach / GRAPH_FILE), str(model)]
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(running(serve(), OUR_REQUEST, folder / "buddy.log", environment(), cores))
        answer.write_bytes(_own_answer(ours.port))
        servers = {OURS: ours}
        for name, app in ((FASTAPI, rivals.plain_fastapi), (BARE, rivals.bare_asgi)):
            command = [sys.executable, "-m", "uvicorn", f"{app.__module__}:{app.__name__}", "--factory"]
            command += ["--port", "{port}", "--no-access-log", "--log-level", "warning"]
            log = folder / f"{app.__name__}.log"
            servers[name] = stack.enter_context(running(command, OUR_REQUEST, log, env, cores))
            if json.loads(ask(servers[name].port, OUR_REQUEST)) != json.loads(answer.read_bytes()):
                raise ServerFailed(f"{name} does not return the fixed answer")
        subprocess.run(saving, env=env, check=True, capture_output=True)
        command = [str(BINARIES / "mlflow"), "models", "serve", "--env-manager", "local", "--model-uri", str(model)]
        command += ["--port", "{port}", "--workers", "1"]
        servers[MLFLOW] = stack.enter_context(running(command, MLFLOW_REQUEST, folder / "mlflow.log", env, cores))
        yield servers


def _cold_starts(plan: Plan, folder: Path, cores: set[int], say: Say) -> list[float]:
    """Seconds from the start of the process to the first 200, with all cores and nothing else running."""
    seconds: list[float] = []
    for number in range(plan.cold_starts):
        say(f"cold start {number + 1} of {plan.cold_starts}", 0.85 + 0.12 * number / plan.cold_starts)
        with running(serve(), OUR_REQUEST, folder / "cold.log", environment(), cores) as server:
            seconds.append(server.ready_seconds)
    return seconds


def _microseconds_a_row(rows: int) -> float:
    """Microseconds for each row: the median of some measurements of decide() on the example, without HTTP."""
    policy = load_policy(ARTIFACTS / CONTRACT.coach, CONTRACT)
    contexts = np.repeat(np.array([list(EXAMPLE_CONTEXT.values())], dtype=np.float32), rows, axis=0)
    if any(decision.source is not Source.POLICY for decision in decide(policy, contexts).rows):
        raise ServerFailed("the rules decided instead of the policy")
    calls = max(1, ROWS_A_MEASUREMENT // rows)
    seconds = timeit.repeat(lambda: decide(policy, contexts), number=calls, repeat=7)
    return median(seconds) / calls / rows * 1e6


def serve() -> list[str]:
    return [str(BINARIES / "buddy"), "serve", "--port", "{port}"]


def environment() -> dict[str, str]:
    """This process's environment without a developer's settings of the service, and with MLflow's telemetry off."""
    ours = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    path = os.pathsep.join([str(BINARIES), ours.get("PATH", os.defpath)])
    served = {"COACH_MODEL_DIR": str(ARTIFACTS), "LOG_FORMAT": "json", "SECRET_KEY": DEFAULTS["SECRET_KEY"]}
    return ours | served | {"PATH": path, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


def _request(name: str) -> Request:
    return MLFLOW_REQUEST if name == MLFLOW else OUR_REQUEST


def _own_answer(port: int) -> bytes:
    answer = ask(port, OUR_REQUEST)
    if json.loads(answer)["source"] != Source.POLICY:
        raise ServerFailed(f"the policy does not answer: {answer!r}")
    return answer


def _check_that_the_policy_answered(port: int) -> None:
    """Check in the service's metrics that the policy made every decision."""
    counted = [line for line in read(port, "/metrics").splitlines() if line.startswith("buddy_coach_decisions_total{")]
    if not counted or any(f'source="{Source.POLICY}"' not in line for line in counted):
        raise ServerFailed(f"not every decision was the policy's: {counted}")


def _result(
    plan: Plan, rounds: Rounds, starts: list[float], costs: Mapping[int, float], calm: Calm, pinned: bool
) -> Result:
    figures: dict[str, Any] = {
        "load": generator(),
        "pinned": pinned,
        "measured": calm.measured,
        "disturbed": calm.disturbed,
        "rounds": plan.rounds,
        "seconds_a_round": plan.seconds,
        "servers": [
            {"connections": connections, "server": name, "rounds": [asdict(one) for one in each]}
            for (connections, name), each in rounds.items()
        ],
        "cold_start_seconds": starts,
        "decide_microseconds_a_row": costs,
    }
    crowd = {
        name: median(one.requests_per_second for one in rounds[CROWD, name]) for name in (BARE, OURS, FASTAPI, MLFLOW)
    }
    alone = {name: median(one.p50_ms for one in rounds[ALONE, name]) for name in crowd}
    pins = "servers on one core, load on another" if pinned else "servers and load share the cores"
    slowest, target = max(starts), COLD_START_TARGET_SECONDS
    start = [f"{median(starts):.2f} s", f"{min(starts):.2f} – {slowest:.2f} s", f"{target:.0f} s"]
    return Result(
        name="coach",
        how=f"{plan.rounds} rounds of {plan.seconds:g} s, medians over rounds; load by {generator()}; {pins}; "
        f"{calm.disturbed} of {calm.measured} measurements disturbed.",
        tables=[
            _comparison(rounds, CROWD, "16 connections"),
            _comparison(rounds, ALONE, "1 connection"),
            Table("Cold start of `buddy serve`", ["median", "lowest – highest", "target"], [start]),
            Table(
                "`decide()` in process",
                ["contexts in one call", "µs a call", "µs a context"],
                [[f"{rows:,}", f"{cost * rows:,.0f}", f"{cost:.1f}"] for rows, cost in costs.items()],
            ),
        ],
        charts=[
            Chart("Requests a second, 16 connections (more is better)", crowd, [OURS], "{:,.0f}"),
            Chart("Median latency of a lone client, ms (less is better)", alone, [OURS], "{:.2f}"),
        ],
        figures=figures,
    )


def _comparison(rounds: Rounds, connections: int, title: str) -> Table:
    """One row for each server. The ratio (the service over the server) is computed within each round; the median is
    shown. The spread is the highest minus the lowest round, as a share of the median; it shows how calm the machine
    was.
    """
    ours = [one.requests_per_second for one in rounds[connections, OURS]]
    rows: list[list[str]] = []
    for name in (BARE, OURS, FASTAPI, MLFLOW):
        each = rounds[connections, name]
        speed = [one.requests_per_second for one in each]
        ratio = median(own / other for own, other in zip(ours, speed, strict=True))
        rows.append(
            [
                name,
                f"{median(speed):,.0f}",
                f"{(max(speed) - min(speed)) / median(speed):.0%}",
                f"{median(one.p50_ms for one in each):.2f}",
                f"{median(one.p99_ms for one in each):.2f}",
                "" if name == OURS else f"{ratio:.2f}",
            ]
        )
    return Table(title, ["", "requests/s", "spread", "p50 ms", "p99 ms", "ours ÷ it"], rows)
