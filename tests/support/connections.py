"""Requests over bare sockets, the services that receive them, and what is expected of their answers."""

import json

from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from tests.support.rawhttp import Answer
from tests.support.serving import CLIENT, Service

MIB = 2**20
QUICK = {
    "HTTP_HEAD_SECONDS": "0.6",
    "HTTP_BODY_SECONDS": "0.6",
    "HTTP_IDLE_SECONDS": "0.6",
    "HTTP_WRITE_SECONDS": "0.6",
    "LOG_LEVEL": "warning",
    "TRUSTED_PROXIES": "",
}
LIVE = b"GET /health/live HTTP/1.1\r\nHost: buddy\r\n"
WHOLE = LIVE + b"\r\n"
ASK = json.dumps(EXAMPLE_CONTEXT).encode()
POST = b"POST /coach/suggestions HTTP/1.1\r\nHost: buddy\r\nContent-Length: %d\r\n\r\n"
HALF_BODY = POST % len(ASK) + ASK[:20]
CROWD = 1_000
ROOM = 200
"""Connections that the small service keeps."""


def answers(running: Service) -> bool:
    return CLIENT.post(f"{running.url}/coach/suggestions", content=ASK, timeout=20).status_code == 200


def problem(answer: Answer, status: int, code: str) -> None:
    """The last answer is this problem, and the connection is closed in order."""
    assert answer.statuses[-1:] == [status], answer
    assert not answer.timed_out
    head, _, body = answer.content.rpartition(b"\r\n\r\n")
    assert b"connection: close" in head.rpartition(b"HTTP/1.1 ")[2]
    told = json.loads(body)
    assert (told["status"], told["code"]) == (status, code)
    assert told["instance"].removeprefix("urn:request:").encode() in head
