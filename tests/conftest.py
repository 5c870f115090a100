"""Fixtures for all tests. tests/support finds and starts the servers."""

import os
from collections.abc import Iterator

import pytest

# The workers of pytest-xdist share the cores already: threads and processes of each, and of the commands that they
# start, would only stand in each other's way. `--jobs -1` means one here; what two give is tested by name.
# NumPy must not have been imported before.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("LOKY_MAX_CPU_COUNT", "1")

from data.logs.budget import BudgetLog, budget_log
from data.packages.reader import Package, read_package
from tests.support.chromium import find_chromium
from tests.support.databases import url_of
from tests.support.local_servers import ServiceMissing, unavailable
from tests.support.postgres import postgres_database, postgres_server
from tests.support.redis import redis_database, redis_server
from tests.support.samples import SAMPLE
from tests.support.serving import Server, Service, app, service
from training.budget.reward_model import RewardModel
from training.budget.target_policy import TargetPolicy
from training.budget.train import learn


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the long tests, unless they are asked for by `-m` or by the name of a file, a folder or a test."""
    is_asked = config.option.markexpr or config.args_source is pytest.Config.ArgsSource.ARGS
    long = [] if is_asked else [item for item in items if item.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("long")]


@pytest.fixture(scope="session")
def worker() -> str:
    """This process among those of pytest-xdist."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def _own_postgres(worker: str) -> Iterator[str]:
    try:
        with postgres_server(os.environ) as server, postgres_database(server, worker) as url:
            yield url
    except ServiceMissing as missing:
        unavailable(missing, os.environ)


@pytest.fixture(scope="session")
def postgres_url(worker: str) -> Iterator[str]:
    """`postgresql://user@host:port/name` of an empty database of this session's own."""
    yield from _own_postgres(worker)


@pytest.fixture(scope="session")
def other_postgres_url(worker: str) -> Iterator[str]:
    """Another one, for tests that look at all there is."""
    yield from _own_postgres(worker)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """`redis://host:port/number` of an empty database of this session's own."""
    try:
        with redis_server(os.environ) as server, redis_database(server) as url:
            yield url
    except ServiceMissing as missing:
        unavailable(missing, os.environ)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium for playwright's `executable_path`."""
    try:
        return find_chromium(os.environ)
    except ServiceMissing as missing:
        unavailable(missing, os.environ)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service in a process of its own, shared by all tests that do not break it."""
    with service(tmp_path_factory.mktemp("service")) as started:
        yield started


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service in this process on a database of its own, once for each kind of database."""
    folder = tmp_path_factory.mktemp("stored")
    with app(folder, {"DATABASE_URL": url_of(request, folder)}) as started:
        yield started


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def stored_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same in a process of its own, for tests that look at its log, its files or its memory."""
    folder = tmp_path_factory.mktemp("stored-server")
    with service(folder, {"DATABASE_URL": url_of(request, folder)}) as started:
        yield started


@pytest.fixture(scope="session")
def sample() -> Package:
    """The package in data/samples/budget."""
    return read_package(SAMPLE)


@pytest.fixture(scope="session")
def log(sample: Package) -> BudgetLog:
    """The sample's decision points."""
    return budget_log(sample)


@pytest.fixture(scope="session")
def learned(log: BudgetLog) -> tuple[RewardModel, TargetPolicy]:
    """What `buddy-train train` learns from the sample."""
    return learn(log.where(log.learns))
