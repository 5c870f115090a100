"""The parts of the running service that its requests share. `api.app` builds them when the service starts."""

import asyncio
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from api.auth.keyring import Keyring
from api.auth.login_throttle import LoginThrottle
from api.auth.mail import Mailer
from api.auth.passwords import Passwords
from api.background import BackgroundTasks
from api.clock import Clock
from api.db.engine import Database
from api.db.readiness import Readiness
from api.http.rate_limits import RateLimits
from api.http.shutdown import Shutdown
from api.observability.metrics import Metrics
from api.policies import ServedPolicy
from api.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """What both apps and the admin use."""

    settings: Settings
    clock: Clock
    database: Database
    metrics: Metrics
    readiness: Readiness
    shutdown: Shutdown
    keyring: Keyring
    passwords: Passwords
    attempts: LoginThrottle
    page_limits: RateLimits
    """Generous limits of the family's pages, which need no exact counts."""
    mailer: Mailer
    budget: ServedPolicy
    shadow: ServedPolicy
    """The challenger of `budget`: its decisions are only logged."""
    daily: ServedPolicy
    background: BackgroundTasks
    exporting: asyncio.Lock
    """One export at a time: each process uses a full core."""


def provide(app: Starlette, *parts: object) -> None:
    """Give the app its parts; each is found by its class. One of them is `Services`, the others belong to features."""
    app.state.services = {type(part): part for part in parts}


def share(service: Starlette, app: Starlette) -> None:
    """Give a sub-app the parts of the service, also those that are provided later."""
    app.state = service.state


def part_of[Part](app: Starlette, kind: type[Part]) -> Part:
    """The part of that class. Raises AttributeError before the app has started."""
    part: Part = app.state.services[kind]
    return part


def services_of(connection: HTTPConnection) -> Services:
    """The services, for a request."""
    return part_of(connection.app, Services)
