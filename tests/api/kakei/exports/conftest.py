"""An export is a process that the service starts, and its files lie where the service runs: here it is one, too."""

from collections.abc import Iterator

import pytest

from data.formats import FORMATS
from tests.support.databases import url_of
from tests.support.participants import busy
from tests.support.serving import Server, service


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service in a process of its own, once for each kind of database."""
    folder = tmp_path_factory.mktemp("exports")
    with service(folder, {"DATABASE_URL": url_of(request, folder)}) as started:
        yield started


@pytest.fixture(scope="module")
def study(stored: Server) -> str:
    """A study of six people; one shares their words, one withdrew."""
    name = f"study-{stored.process.pid}"
    people = [busy(stored, name, "sync" if number == 0 else "private") for number in range(6)]
    people[5].post("/research/consent", {"consented": False})
    return name


@pytest.fixture(params=list(FORMATS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)
