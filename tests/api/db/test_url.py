"""DATABASE_URL is read as libpq reads it, and no message about it holds a password."""

import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.database_url import BadDatabaseUrl, PostgresUrl, SqliteUrl, read_url

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30)
SECRET = "S3cretPa55"


def postgres(url: str) -> PostgresUrl:
    found = read_url(url)
    assert isinstance(found, PostgresUrl)
    return found


@given(user=TEXT, password=TEXT, database=TEXT)
def test_any_name_and_password_survive_percent_encoding(user: str, password: str, database: str) -> None:
    names = [quote(one, safe="") for one in (user, password, database)]
    found = postgres("postgres://{}:{}@db.example.org:6432/{}".format(*names))
    assert (found.user, found.password, found.database) == (user, password, database)
    assert found.hosts == (("db.example.org", 6432),)
    as_parameters = postgres("postgresql://db.example.org:6432?user={}&password={}&dbname={}".format(*names))
    assert as_parameters == found
    assert found.libpq_environment() == {
        "PGHOST": "db.example.org",
        "PGPORT": "6432",
        "PGUSER": user,
        "PGPASSWORD": password,
        "PGDATABASE": database,
    }


@given(st.text(string.printable, max_size=60))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    for url in (text, f"postgresql://{text}", f"postgresql://h/d?{text}", f"sqlite://{text}", f"sqlite:///{text}"):
        message = ""
        try:
            read_url(url)
        except BadDatabaseUrl as error:
            message = str(error)
        assert len(message.splitlines()) <= 1


@pytest.mark.parametrize(
    "url",
    [
        SECRET,
        f"postgresql:{SECRET}",
        f"{SECRET}://host/x",
        f"postgresql://me:{SECRET}@host:{SECRET}/x",
        f"postgresql://me:{SECRET}/more@host/x",
        f"postgresql://me:{SECRET}?more=1@host/x",
        f"postgresql://me:{SECRET}#more@host/x",
        f"postgresql://me:{SECRET}%zz@host/x",
        f"postgresql://me:x?{SECRET}&{SECRET}=1@host/x",
        f"postgresql://me:x@host/x?sslmode={SECRET}",
        f"postgresql://me:x@host/x?{SECRET}=1",
        f"postgresql://me:{SECRET}@host/x?pool_timeout=1",
        f"postgresql://me:x@host/x?connect_timeout={SECRET}",
        f"mysql://me:{SECRET}@host/x",
        f"sqlite:///x.db?password={SECRET}",
    ],
)
def test_no_message_holds_any_part_of_a_password(url: str) -> None:
    with pytest.raises(BadDatabaseUrl) as refused:
        read_url(url)
    assert SECRET.lower() not in str(refused.value).lower()
    assert len(str(refused.value).splitlines()) == 1


def test_what_is_shown_to_people_holds_neither_password_nor_parameters() -> None:
    found = postgres(f"postgresql://me:{SECRET}@[::1]:6432,other/x?options=-c%20x.y%3D{SECRET}&sslmode=require")
    assert found.shown == "postgresql://me@[::1]:6432,other:5432/x"
    assert SECRET not in repr(found.shown) + str(found.hosts)
    assert SECRET not in repr(postgres(f"postgresql://me:{SECRET}@host/x"))


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgresql:///x", ()),
        ("postgresql://", ()),
        ("postgresql://h", (("h", 5432),)),
        ("postgresql://h:1,i:2,j/x", (("h", 1), ("i", 2), ("j", 5432))),
        ("postgresql://[::1]:9,[fe80::1]/x", (("::1", 9), ("fe80::1", 5432))),
        ("postgresql:///x?host=/var/run/postgresql", (("/var/run/postgresql", 5432),)),
        ("postgresql://%2Fvar%2Frun%2Fpostgresql:9/x", (("/var/run/postgresql", 9),)),
        ("postgresql:///x?host=h,i&port=1,2", (("h", 1), ("i", 2))),
        ("postgresql:///x?host=h,i&port=7", (("h", 7), ("i", 7))),
        ("postgresql:///x?port=7", (("localhost", 7),)),
        ("postgresql://ignored/x?host=::1", (("::1", 5432),)),
        ("postgresql+asyncpg://h/x", (("h", 5432),)),
    ],
)
def test_hosts_are_named_in_every_way_that_libpq_knows(url: str, hosts: tuple[tuple[str, int], ...]) -> None:
    assert postgres(url).hosts == hosts


@pytest.mark.parametrize(
    "rest",
    [
        *("h:0/x", "h:65536/x", "h:five/x", "h:１/x", "::1/x", "[::1/x", "h/x?port=1,2", "h/x?host=a,b&port=1,2,3"),
        *("h/x?port=99999999999999999999", "h/x?sslmode", "h/x?sslmode=on", "h/x?channel_binding=yes", "h/x#y"),
        *("h/x?connect_timeout=soon", "h/x?target_session_attrs=master", "h/x?command_timeout=5", "h/x?sslpassword=x"),
        *("h/x?client_encoding=latin1", "h/x?hostaddr=1.2.3.4", "h/x?gssencmode=require", "h/%00", "h/%ff", "h/%"),
        *("h/x?statement_cache_size=many", "h/x?pgbouncer=perhaps", "h/x?connection_limit=1"),
    ],
)
def test_what_cannot_be_done_is_refused(rest: str) -> None:
    with pytest.raises(BadDatabaseUrl):
        read_url(f"postgresql://{rest}")


@pytest.mark.parametrize(
    ("parameters", "is_pooled"),
    [
        ("", None),
        ("?statement_cache_size=0", True),
        ("?prepared_statement_cache_size=0", True),
        ("?pgbouncer=true", True),
        ("?pgbouncer=false", False),
        ("?statement_cache_size=100", None),
    ],
)
def test_a_pooler_may_be_named(parameters: str, is_pooled: bool | None) -> None:
    assert postgres(f"postgresql://h/x{parameters}").is_pooled is is_pooled


def test_sqlite_is_a_file() -> None:
    for url, file in (("sqlite:///var/x.db", "var/x.db"), ("sqlite:////srv/x.db", "/srv/x.db")):
        found = read_url(url)
        assert isinstance(found, SqliteUrl)
        assert str(found.file) == file
    for url in (
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///folder/",
        "sqlite:///x?mode=ro",
        "sqlite://h/x",
    ):
        with pytest.raises(BadDatabaseUrl):
            read_url(url)
