"""Two processes of the service that share a database."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import httpx

from tests.support.clients import at_once, patiently, phones
from tests.support.serving import Service


@dataclass(frozen=True)
class Pair:
    """Two processes of the service on one database."""

    services: tuple[Service, Service]
    database: str

    def race(self, count: int, send: Callable[[httpx.Client, str, int], httpx.Response]) -> list[httpx.Response]:
        """The last answers to `count` patient clients who start at the same time, alternating between the processes.
        `send` gets a client, the URL of a process, and the number of the request.

        """
        with phones() as client:
            sends = [partial(send, client, self.services[number % 2].url, number) for number in range(count)]
            return at_once([partial(patiently, send) for send in sends])


def statuses(answers: list[httpx.Response]) -> dict[tuple[int, str | None], int]:
    """The number of answers by status and code."""
    return Counter((answer.status_code, answer.json().get("code")) for answer in answers)
