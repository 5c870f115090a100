"""The services that tests use: each answers, and they are searched in a fixed order."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
import redis
from playwright.sync_api import sync_playwright

from tests.support.chromium import CHROMIUM_ARGUMENTS, find_chromium
from tests.support.local_servers import ServiceMissing, free_port, unavailable
from tests.support.postgres import postgres_answers, postgres_binaries, postgres_database, postgres_server
from tests.support.redis import REDIS_PORT, redis_answers, redis_database, redis_server

NOTHING_INSTALLED: Mapping[str, str] = {"PATH": "/nonexistent"}


@pytest.fixture(scope="module")
def own_redis() -> Iterator[str]:
    """A server that these tests start themselves, so that it holds no other keys."""
    try:
        with redis_server({"PATH": os.environ["PATH"]}, port=free_port()) as server:
            yield server
    except ServiceMissing as missing:
        unavailable(missing, os.environ)
    assert not redis_answers(server)


class TestTheServicesAnswer:
    def test_postgres_keeps_a_table(self, postgres_url: str) -> None:
        async def write_and_read() -> tuple[int, str]:
            connection = await asyncpg.connect(postgres_url)
            try:
                one: int = await connection.fetchval("SELECT 1")
                await connection.execute("CREATE TABLE note (text text NOT NULL)")
                await connection.execute("INSERT INTO note VALUES ($1)", "家計簿")
                text: str = await connection.fetchval("SELECT text FROM note")
                await connection.execute("DROP TABLE note")
                return one, text
            finally:
                await connection.close()

        assert asyncio.run(write_and_read()) == (1, "家計簿")

    def test_redis_forgets_a_key_in_time(self, redis_url: str) -> None:
        with redis.Redis.from_url(redis_url) as client:
            client.set("note", "kakeibo", px=60_000)
            assert client.get("note") == b"kakeibo"
            assert 0 < client.pttl("note") <= 60_000
            client.delete("note")

    def test_chromium_renders_a_page(self, chromium: str) -> None:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
            page = browser.new_page()
            page.goto("data:text/html,<title>waiting</title><script>document.title = 'Buddy ' + (40 + 2)</script>")
            assert page.title() == "Buddy 42"
            browser.close()


class TestPostgresIsLookedForInOrder:
    def test_an_address_that_is_given_comes_first(self, postgres_url: str) -> None:
        given = postgres_url.replace("postgresql://", "postgresql+asyncpg://")
        with postgres_server({"TEST_DATABASE_URL": given}) as found:
            assert found == postgres_url

    def test_an_address_that_does_not_answer_is_not_passed_over(self) -> None:
        given = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
        with (
            pytest.raises(ServiceMissing, match="TEST_DATABASE_URL is set"),
            postgres_server({"TEST_DATABASE_URL": given, "PATH": os.environ["PATH"]}),
        ):
            pass

    def test_a_server_of_our_own_comes_last_and_leaves_with_us(self) -> None:
        if postgres_binaries(os.environ) is None:
            unavailable(ServiceMissing("initdb and pg_ctl are not installed."), os.environ)
        with postgres_server({"PATH": os.environ["PATH"]}, port=free_port()) as server:
            assert postgres_answers(server)
            with postgres_database(server, "own") as url:
                assert postgres_answers(url)
            assert not postgres_answers(url)
        assert not postgres_answers(server)

    def test_nothing_at_all_says_how_to_have_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tests.support.postgres.postgres_binaries", lambda _environ: None)
        with (
            pytest.raises(ServiceMissing, match="docker compose --profile test"),
            postgres_server(NOTHING_INSTALLED, port=free_port()),
        ):
            pass


class TestRedisIsLookedForInOrder:
    def test_an_address_that_is_given_comes_first(self, redis_url: str) -> None:
        with redis_server({"TEST_REDIS_URL": redis_url}) as found:
            assert found == redis_url.rpartition("/")[0]

    def test_an_address_that_does_not_answer_is_not_passed_over(self) -> None:
        given = f"redis://127.0.0.1:{free_port()}"
        with (
            pytest.raises(ServiceMissing, match="TEST_REDIS_URL is set"),
            redis_server({"TEST_REDIS_URL": given, "PATH": os.environ["PATH"]}),
        ):
            pass

    def test_a_server_of_our_own_comes_last(self, own_redis: str) -> None:
        assert redis_answers(own_redis)
        assert urlsplit(own_redis).port != REDIS_PORT

    def test_nothing_at_all_says_how_to_have_one(self) -> None:
        with (
            pytest.raises(ServiceMissing, match="docker compose --profile test"),
            redis_server(NOTHING_INSTALLED, port=free_port()),
        ):
            pass


class TestNobodysKeysAreTouched:
    def test_a_database_with_keys_is_left_alone(self, own_redis: str) -> None:
        with redis.Redis.from_url(f"{own_redis}/2") as other:
            other.set("precious", "1")
            with redis_database(own_redis, numbers=(2, 1)) as url:
                assert url == f"{own_redis}/1"
            assert other.get("precious") == b"1"

    def test_two_sessions_get_two_databases(self, own_redis: str) -> None:
        with redis_database(own_redis) as mine, redis_database(own_redis) as yours:
            assert mine != yours

    def test_a_database_is_empty_again_afterwards(self, own_redis: str) -> None:
        with redis_database(own_redis, numbers=(3,)) as url, redis.Redis.from_url(url) as client:
            client.set("note", "1")
        with redis.Redis.from_url(f"{own_redis}/3") as client:
            assert client.dbsize() == 0

    def test_a_full_server_is_refused(self, own_redis: str) -> None:
        with redis.Redis.from_url(f"{own_redis}/4") as other:
            other.set("precious", "1")
        with (
            pytest.raises(ServiceMissing, match="holds data"),
            redis_database(own_redis, numbers=(4,)),
        ):
            pass


class TestChromiumIsLookedForInOrder:
    def test_the_path_that_is_given_comes_first(self, tmp_path: Path) -> None:
        given, other = program(tmp_path / "given"), program(tmp_path / "chromium")
        assert find_chromium({"CHROMIUM": given, "PATH": str(tmp_path)}) == given
        assert find_chromium({"PATH": str(tmp_path)}) == other

    def test_a_path_that_is_wrong_is_not_passed_over(self, tmp_path: Path) -> None:
        program(tmp_path / "chromium")
        with pytest.raises(ServiceMissing, match="CHROMIUM is set"):
            find_chromium({"CHROMIUM": "/nonexistent", "PATH": str(tmp_path)})

    def test_nothing_at_all_says_how_to_have_one(self) -> None:
        with pytest.raises(ServiceMissing, match="install the package chromium"):
            find_chromium(NOTHING_INSTALLED)


class TestAMissingService:
    def test_skips_at_home(self) -> None:
        with pytest.raises(pytest.skip.Exception, match="No Redis"):
            unavailable(ServiceMissing("No Redis"), {})

    def test_fails_where_everything_should_be_installed(self) -> None:
        with pytest.raises(pytest.fail.Exception, match="No Redis"):
            unavailable(ServiceMissing("No Redis"), {"CI": "true"})


def program(path: Path) -> str:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)
