"""What choosing a day needs, for requests, for the morning's choices, and for `buddy curate`."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from api.app_state import part_of
from api.auth.keyring import Keyring
from api.clock import Clock
from api.db.engine import Database
from api.observability.metrics import Metrics
from api.policies import ServedPolicy
from api.settings import Settings


@dataclass(frozen=True, slots=True)
class DayServices:
    """`daily` is the policy that ranks, `keyring` decrypts the keys of households, `settings` say how to ask Claude."""

    database: Database
    clock: Clock
    daily: ServedPolicy
    metrics: Metrics
    keyring: Keyring
    settings: Settings


def days_of(connection: HTTPConnection) -> DayServices:
    """The same, for a request."""
    return part_of(connection.app, DayServices)
