"""How long a client may take: to send a head or a body, to read an answer, and to ask again."""

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from api.http.problems import REQUEST_TIMEOUT

if TYPE_CHECKING:
    from api.http.protocol import BoundedProtocol

LEAST_RATE = 1024
"""Bytes a second: a client that sends or reads faster may take as long as it needs. Phones on 2G reach 5 KiB."""
LINGER_SECONDS = 2.0
"""How long the further bytes of a refused client are discarded, so that it reads the answer before the connection is
reset (as nginx and Apache do)."""


class Phase(Enum):
    """What a connection waits for. All phases but `ANSWER` wait for the client."""

    IDLE = "idle"
    HEAD = "head"
    BODY = "body"
    ANSWER = "answer"
    LINGER = "linger"
    CLOSING = "closing"


@dataclass(frozen=True)
class Deadlines:
    """Deadlines in seconds, and the most connections of a process; `.env.example` explains each."""

    head: float = 20.0
    body: float = 30.0
    idle: float = 75.0
    write: float = 30.0
    connections: int = 1000


def check(protocol: "BoundedProtocol", now: float, excused: float) -> None:
    """Refuse or drop the connection if the client's time is over."""
    protocol.since += excused
    waited = now - protocol.since
    if protocol.phase is Phase.HEAD and waited > protocol.deadlines.head:
        if protocol.head_bytes or protocol.begun:
            protocol.refuse(REQUEST_TIMEOUT, f"A request's headers take at most {protocol.deadlines.head:g} s.")
        else:
            protocol.drop()
    elif protocol.phase is Phase.BODY and waited > protocol.deadlines.body + protocol.body_bytes / LEAST_RATE:
        if protocol.flow.read_paused:  # this server has paused reading
            protocol.since = now
        else:
            protocol.refuse(
                REQUEST_TIMEOUT, f"A body comes within {protocol.deadlines.body:g} s, or faster than 1 KiB/s."
            )
    elif protocol.phase is Phase.IDLE and waited > protocol.deadlines.idle:
        protocol.transport.close()
    elif (protocol.phase is Phase.LINGER and waited > LINGER_SECONDS) or (
        protocol.phase is Phase.CLOSING and waited > protocol.deadlines.write
    ):
        protocol.drop()


def check_writing(protocol: "BoundedProtocol", now: float, excused: float) -> None:
    """Drop a client that does not read: it has the deadline, plus one second for each KiB that it read since."""
    protocol.stalled_at += excused
    taken = max(0, protocol.unsent_then - protocol.unsent())
    if now - protocol.stalled_at > protocol.deadlines.write + taken / LEAST_RATE:
        protocol.traffic.note("answers were not read")
        protocol.drop()
