"""What one client notices while others attack: the coach's latency alone, and while all kinds of attack go on.

The attackers run in a process of their own, as fast as they can, one thread for each kind of attack.
"""

import contextlib
import json
import multiprocessing
import random
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import median

from tests.bench.coach import OUR_REQUEST, environment, serve
from tests.bench.load import Figures, drive
from tests.bench.report import Chart, Result, Say, Table
from tests.bench.servers import HOST, all_cores, running
from tests.support.malformed import Maker
from tests.support.rawhttp import connected, read_all

GOAL_MS = 100.0
"""p99 for a client that does nothing wrong (issue 14)."""
IDLERS = 300
PATIENCE_SECONDS = 2.0
SEED = 14
POST = b"POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
LARGE = 250_000

type Attack = Callable[[int, random.Random], None]


def run(quick: bool, say: Say) -> Result:
    """Rounds without and with attackers, in turn."""
    rounds, seconds = (1, 2.0) if quick else (3, 15.0)
    calm: list[Figures] = []
    attacked: list[Figures] = []
    with (
        tempfile.TemporaryDirectory(prefix="buddy-bench-") as folder,
        running(serve(), OUR_REQUEST, Path(folder, "log"), environment(), all_cores()) as server,
    ):
        drive(server.port, OUR_REQUEST, 1, 1.0)
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}", number / rounds)
            calm.append(drive(server.port, OUR_REQUEST, 1, seconds))
            with _attackers(server.port):
                attacked.append(drive(server.port, OUR_REQUEST, 1, seconds))
    kinds = {"alone": calm, "during the attacks": attacked}
    rows = [
        [name, f"{median(one.p50_ms for one in figures):.2f}", f"{median(one.p99_ms for one in figures):.2f}"]
        for name, figures in kinds.items()
    ]
    table = Table("The coach for one client, 1 connection", ["", "p50 ms", "p99 ms"], rows)
    bars = {name: median(one.p99_ms for one in figures) for name, figures in kinds.items()}
    how = (
        f"{rounds} rounds of {seconds:g} s, medians over rounds; {len(ATTACKS)} attacks at once; goal: {GOAL_MS:g} ms."
    )
    told = {name: [asdict(one) for one in figures] for name, figures in kinds.items()}
    return Result("hostile", how, [table], [Chart("p99 in ms", bars, ["during the attacks"], "{:.1f}")], told)


@contextlib.contextmanager
def _attackers(port: int) -> Iterator[None]:
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    process = context.Process(target=_attack, args=(port, stop), daemon=True)
    process.start()
    try:
        yield
    finally:
        stop.set()
        process.join(30)
        process.kill()


def _attack(port: int, stop: Event) -> None:
    def again_and_again(attack: Attack, rng: random.Random) -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError):
                attack(port, rng)

    threads = [
        threading.Thread(target=again_and_again, args=(attack, random.Random(SEED + number)), daemon=True)
        for number, attack in enumerate(ATTACKS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _send(port: int, sent: bytes, seconds: float = PATIENCE_SECONDS) -> None:
    with contextlib.closing(connected(port, HOST)) as connection:
        connection.sendall(sent)
        read_all(connection, seconds)


def _body(path: bytes, body: bytes) -> Attack:
    return lambda port, _: _send(port, POST % (path, len(body), body))


def _idle(sent: bytes) -> Attack:
    def attack(port: int, _: random.Random) -> None:
        with contextlib.ExitStack() as stack:
            for _number in range(IDLERS):
                connection = stack.enter_context(contextlib.closing(connected(port, HOST)))
                connection.sendall(sent)
            read_all(connection, PATIENCE_SECONDS)

    return attack


def _headers(port: int, _: random.Random) -> None:
    _send(port, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 2_000_000)


def _unread(port: int, _: random.Random) -> None:
    body = json.dumps({"contexts": [json.loads(OUR_REQUEST.body)] * 1_000}).encode()
    with contextlib.closing(connected(port, HOST, receive_buffer=4096)) as connection:
        connection.sendall(POST % (b"/coach/suggestions/batch", len(body), body))
        threading.Event().wait(PATIENCE_SECONDS)


def _malformed(port: int, rng: random.Random) -> None:
    _send(port, Maker(rng, "0" * 32, "kb_live_" + "0" * 32).request(), 0.1)


ATTACKS: list[Attack] = [
    _body(b"/coach/suggestions", b'{"' + b'\\"' * (LARGE // 2)),
    _body(b"/coach/suggestions", b"[" * LARGE),
    _body(b"/api/users", b"{" + b",".join(b'"%d":1' % number for number in range(7_000)) + b"}"),
    _body(b"/api/users/x/events", b'{"context":' * (LARGE // 12)),
    _idle(b""),
    _idle(b"GET / HTTP/1.1\r\n"),
    _idle(b"POST /coach/suggestions HTTP/1.1\r\nContent-Length: 100\r\n\r\n{"),
    _headers,
    _unread,
    _malformed,
]
