"""Assembles the service. An import has no side effects."""

import asyncio
import contextlib
import gc
import importlib.metadata
from collections.abc import AsyncIterator

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount, Route

from api import health
from api.admin.app import Admin
from api.admin.browser_links import PATH as BROWSER_LINKS
from api.admin.browser_links import create_browser_links
from api.admin.page import PREFIX as ADMIN
from api.admin.page import index
from api.app_state import Services, provide
from api.auth.keyring import keyring
from api.auth.login_throttle import LoginThrottle
from api.auth.mail import Mailer
from api.auth.passwords import Passwords
from api.background import BackgroundTasks
from api.clock import Clock, utc_now
from api.db.budget import RequestBudget
from api.db.engine import Database, open_database
from api.db.readiness import Readiness
from api.db.service_lock import while_serving
from api.http import openapi, problems
from api.http.cacheable import CacheableMiddleware
from api.http.fast_path import FastPathMiddleware, Way
from api.http.head import HeadMiddleware
from api.http.rate_limits import RateLimitMiddleware, RateLimits
from api.http.request_body import RequestBodyMiddleware
from api.http.shutdown import Shutdown
from api.kakei.accounts import routes as accounts
from api.kakei.catalog import routes as catalog
from api.kakei.challenges import routes as challenges
from api.kakei.coach import routes as coach
from api.kakei.coach.app_state import CoachServices
from api.kakei.coach.decider import Decider
from api.kakei.coach.fast_path import CoachFastPath
from api.kakei.consent import routes as consent
from api.kakei.exports import routes as exports
from api.kakei.reflections import routes as reflections
from api.kakei.research import routes as research
from api.kakei.summaries import routes as summaries
from api.kinderbud.app import create_kinderbud, limited, nothing_here
from api.kinderbud.today.app_state import DayServices
from api.kinderbud.today.prefetch import keep_choosing
from api.kinderbud.web.app import create_family, to_family
from api.kinderbud.web.app_state import PageServices
from api.kinderbud.web.rendering import PREFIX as FAMILY
from api.observability.logging import configure
from api.observability.metrics import Metrics
from api.observability.request_records import RequestRecords
from api.observability.telemetry import TelemetryMiddleware
from api.policies import ServedPolicy, watch
from api.settings import Settings
from coach_model.budget.coach import CONTRACT as BUDGET
from coach_model.daily.coach import CONTRACT as DAILY

KINDERBUD = "/api/v1"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
DESCRIPTION = """
The backend of **KakeiBuddy**, a budgeting app built on the kakeibo method. Its coach answers with a policy learned from
research snapshots, and with deterministic rules if that policy is not usable or not reliable.

Errors are problem details (RFC 9457) with a stable `code`. Every path works with and without a trailing slash.
`X-Request-ID` is echoed or generated, and is part of every error's `instance`. A body is JSON in UTF-8, plain or with
`Content-Encoding: gzip` or `deflate`; its `Content-Type` does not matter. HEAD works on every GET path.

Before a request reaches an operation, the server refuses invalid HTTP (400), a head or body that arrives too slowly
(408), an address of more than 8 KiB (414), headers of more than 32 KiB or more than 100 (431), and connections
while too many are open (503). These answers are problem details, too, and close the connection.
"""


def create_app(settings: Settings | None = None, clock: Clock = utc_now) -> FastAPI:
    """The service. `settings` are read from the environment by default; `clock` gives the time."""
    settings = settings or Settings()
    configure(settings)
    metrics = Metrics()
    records = RequestRecords(metrics, settings)
    database = open_database(
        settings.database, pool_size=settings.database_pool_size, seconds=settings.database_timeout_seconds
    )

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with while_serving(settings.database) as lock:
            services = _services(settings, clock, metrics, Readiness(database, lock), database)
            async with _running(app, services):
                gc.collect()
                gc.freeze()  # imported objects live as long as the process, so collections skip them
                with services.shutdown.announced(settings.drain_seconds):
                    yield
        records.flush()

    app = FastAPI(
        title="Buddy Coach",
        version=importlib.metadata.version("buddy-coach"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
        },  # api.observability.metrics does this faster
    )
    _add_features(app, settings, database)
    problems.install(app)
    openapi.install(app)
    _add_middlewares(app, settings, records)
    app.middleware_stack = CoachFastPath(app.build_middleware_stack(), records)
    return app


def _services(settings: Settings, clock: Clock, metrics: Metrics, readiness: Readiness, database: Database) -> Services:
    """Raises SecretMissing."""
    return Services(
        settings=settings,
        clock=clock,
        database=database,
        metrics=metrics,
        readiness=readiness,
        shutdown=Shutdown(),
        keyring=keyring(settings),
        passwords=Passwords(),
        attempts=LoginThrottle(RateLimits(settings.redis_url, exact=True)),
        page_limits=RateLimits(settings.redis_url),
        mailer=Mailer(settings, clock),
        budget=ServedPolicy(BUDGET, settings.coach_model_dir, metrics),
        shadow=ServedPolicy(BUDGET, settings.coach_model_dir, metrics, shadow=True),
        daily=ServedPolicy(DAILY, settings.coach_model_dir, metrics),
        background=BackgroundTasks(),
        exporting=asyncio.Lock(),
    )


@contextlib.asynccontextmanager
async def _running(app: FastAPI, services: Services) -> AsyncIterator[None]:
    """Start the services, give them to the requests of the app, and stop them at the end."""
    settings, database, metrics = services.settings, services.database, services.metrics
    policies = (services.budget, services.shadow, services.daily)
    for policy in policies:
        policy.start()
    decider, background = Decider(services.budget, metrics), services.background
    coach_services = CoachServices(database, services.clock, metrics, background, services.shadow, decider)
    days = DayServices(database, services.clock, services.daily, metrics, services.keyring, settings)
    provide(app, services, coach_services, days, PageServices())
    services.mailer.start()
    watchers = [asyncio.create_task(watch(policies))]
    if settings.curate_at is not None:
        watchers.append(asyncio.create_task(keep_choosing(days, settings.curate_at)))
    yield
    await services.mailer.stop()
    await _end(watchers)
    coach_services.batches.shutdown()
    await database.close()


def _add_middlewares(app: FastAPI, settings: Settings, records: RequestRecords) -> None:
    """Add the middlewares; the last one is the outermost."""
    app.add_middleware(CacheableMiddleware)
    app.add_middleware(RequestBodyMiddleware, own=coach.BODIES_READ_HERE, pages=(FAMILY, ADMIN))
    app.add_middleware(HeadMiddleware)
    app.add_middleware(FastPathMiddleware, way=Way("POST", "/coach/suggestions", coach.suggest))
    # Outside the fast path, which writes:
    app.add_middleware(RequestBudget, seconds=settings.database_timeout_seconds)
    app.add_middleware(RateLimitMiddleware, limits=RateLimits(settings.redis_url))
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["X-Request-ID", "ETag", "Retry-After"],
        )
    app.add_middleware(TelemetryMiddleware, records=records)


def _add_features(app: FastAPI, settings: Settings, database: Database) -> None:
    """Add the routes of the service, and its sub-apps, which share its services. A request tries them in this order:
    each sub-app is a single comparison, and then come the most frequent routes."""
    app.mount(KINDERBUD, limited(create_kinderbud(app), settings, database))
    app.mount(FAMILY, create_family(app))
    app.router.routes.append(Mount(BROWSER_LINKS, create_browser_links(app), name="admin-browser-links"))
    app.mount(ADMIN, Admin(app))
    for feature in (summaries, challenges, accounts, reflections, coach, consent, research, exports, catalog):
        app.include_router(feature.router)
    app.include_router(health.router)
    app.add_route(KINDERBUD, nothing_here, list(METHODS), include_in_schema=False)
    app.add_route(FAMILY, to_family, ["GET"], include_in_schema=False)
    app.router.routes.append(Route(ADMIN, index(), methods=["GET"], include_in_schema=False))


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
