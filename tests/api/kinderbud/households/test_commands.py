"""`buddy household` and `buddy token`: the effects and the errors of the commands.
The first test runs them as processes. The others call them in this process, on the same database, to save time.

"""

import json
import os
import re
import secrets
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import Table, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from typer.testing import CliRunner, Result

from api.cli.main import app
from api.kinderbud.households.actions import make_link
from api.kinderbud.households.queries import users_of
from api.kinderbud.web.sessions import BROWSERS, SESSIONS
from api.models import Base, ChatMessage, DayCuration
from tests.actors.family import Family, in_database
from tests.support import forking
from tests.support.serving import CLIENT, Server, Service
from tests.support.time_zones import NO_TIME_ZONES

TOKEN = re.compile(r"kb_live_[0-9a-f]{32}")
COMMANDS = {
    "admin": ["browser-link"],
    "household": [
        *("create", "list", "show", "set", "add", "delete", "claude-key", "reset-link", "browser-link", "invite"),
        *("waiting", "set-role", "hand-over", "remove-member"),
    ],
    "token": ["create", "list", "revoke"],
}
UNKNOWN = "2000000000"
"""An unused id."""


def address(name: str = "sarah") -> str:
    """An unused e-mail address."""
    return f"{name}-{secrets.token_hex(6)}@example.com"


def called(service: Service, *arguments: str, typed: str | None = None) -> Result:
    """The result of a command. Settings come from the environment, as for an operator."""
    return CliRunner().invoke(app, list(arguments), input=typed, env=service.environment)


def told(service: Service, *arguments: str) -> Any:
    """The JSON of a command that must succeed."""
    done = called(service, *arguments, "--json")
    assert (done.exit_code, done.stderr) == (0, ""), done.output + repr(done.exception)
    return json.loads(done.stdout)


def refused(service: Service, *arguments: str) -> str:
    """The message of a command that must fail: one line on stderr and nothing else."""
    done = called(service, *arguments)
    assert isinstance(done.exception, SystemExit), repr(done.exception)
    assert (done.exit_code, done.stdout) == (1, "")
    line, end, rest = done.stderr.partition("\n")
    assert (line[:7], end, rest) == ("error: ", "\n", "")
    return line.removeprefix("error: ")


def create(service: Service, *arguments: str) -> Any:
    return told(service, "household", "create", "--name", "The Johnsons", "--user", f"Sarah:{address()}", *arguments)


def me(service: Service, token: str) -> httpx.Response:
    return CLIENT.get(f"{service.url}/api/v1/me", headers={"Authorization": f"Bearer {token}"})


def test_the_example_of_the_page_makes_a_household_whose_token_works(stored: Service) -> None:
    email = address()
    arguments = ("--name", "The Johnsons", "--user", f"Sarah:{email}", "--child", "Emma:2024-11-15")
    made = json.loads(stored.buddy("household", "create", *arguments, "--timezone", "America/New_York", "--json"))
    household = made["household"]["id"]
    seen = me(stored, made["token"]["token"]).json()["data"]
    assert seen["user"] == {"id": made["users"][0]["id"], "display_name": "Sarah", "email": email, "role": "admin"}
    zone = {"id": household, "name": "The Johnsons", "timezone": "America/New_York", "daily_task_count": 8}
    assert seen["household"] == zone
    assert made["household"] == zone | {"learning": False}
    people = [(one["id"], one["name"], one["birthday"]) for one in made["participants"]]
    assert people == [(one["id"], one["name"], one["birthday"]) for one in seen["participants"]]
    assert [(name, born) for _, name, born in people] == [("Emma", "2024-11-15"), ("Sarah", None)]
    shown = stored.buddy("household", "show", str(household))
    assert [line.strip().partition(" ")[0] for line in shown.splitlines()[1:]] == ["user", "participant", "participant"]
    assert f"{household}: The Johnsons in America/New_York, 8 activities a day" in shown
    assert TOKEN.search(shown) is None


@pytest.mark.parametrize(("group", "command"), [(group, one) for group in COMMANDS for one in COMMANDS[group]])
def test_every_command_explains_itself(running: Service, group: str, command: str) -> None:
    done = called(running, group, command, "--help")
    assert done.exit_code == 0
    assert f"{group} {command}" in done.stdout
    assert command in called(running, group, "--help").stdout
    without = called(running, group)
    assert "Usage:" in without.output


def test_a_household_is_changed_only_in_what_is_named(stored: Service) -> None:
    made = create(stored, "--timezone", "Asia/Tokyo", "--daily-tasks", "5")
    household = str(made["household"]["id"])
    before = told(stored, "household", "show", household)
    assert before == {name: made[name] for name in ("household", "users", "participants")}
    assert told(stored, "household", "set", household) == before
    for option, value, name, now in (
        ("--name", "  The   Millers ", "name", "The Millers"),
        ("--timezone", "Europe/Berlin", "timezone", "Europe/Berlin"),
        ("--daily-tasks", "15", "daily_task_count", 15),
    ):
        before["household"][name] = now
        assert told(stored, "household", "set", household, option, value) == before
    assert told(stored, "household", "set", household, "--learning")["household"]["learning"] is True
    assert told(stored, "household", "set", household, "--no-learning") == before
    assert before in told(stored, "household", "list")
    assert f"{household}: The Millers in Europe/Berlin" in called(stored, "household", "list").stdout
    assert me(stored, made["token"]["token"]).json()["data"]["household"]["timezone"] == "Europe/Berlin"


def test_children_and_members_are_added(stored: Service) -> None:
    household, sam = str(create(stored)["household"]["id"]), address("sam")
    arguments = ("--child", "Ben:2021-03-02", "--child", "Zoe:2023-06-30", "--user", f"Sam:{sam}")
    after = told(stored, "household", "add", household, *arguments)
    assert [(one["name"], one["birthday"]) for one in after["participants"]] == [
        *(("Ben", "2021-03-02"), ("Zoe", "2023-06-30")),
        *(("Sarah", None), ("Sam", None)),
    ]
    assert [(one["name"], one["role"]) for one in after["users"]] == [("Sarah", "admin"), ("Sam", "member")]
    token = told(stored, "token", "create", sam)["token"]
    assert me(stored, token).json()["data"]["user"]["role"] == "member"


def test_an_address_belongs_to_one_user_in_any_case(stored: Service) -> None:
    household, email = str(create(stored)["household"]["id"]), address()
    told(stored, "household", "add", household, "--user", f"Sam:{email}")
    before = told(stored, "household", "list")
    again = f"Sam: {email.upper()} "
    assert "already in use" in refused(stored, "household", "add", household, "--user", again)
    assert "already" in refused(stored, "household", "create", "--name", "Others", "--user", again)
    twice = ("--user", "A:twins@example.com", "--user", "B:Twins@Example.com")
    assert "already" in refused(stored, "household", "create", "--name", "Others", *twice)
    assert told(stored, "household", "list") == before  # the failed command left no rows
    assert me(stored, told(stored, "token", "create", email.upper())["token"]).status_code == 200


def test_a_token_is_shown_once_named_listed_and_revoked(stored_server: Server) -> None:
    made = create(stored_server)
    household, email = str(made["household"]["id"]), made["users"][0]["email"]
    new = told(stored_server, "token", "create", email, "--name", "kitchen tablet")
    assert TOKEN.fullmatch(new["token"])
    assert me(stored_server, new["token"]).status_code == 200
    listed = told(stored_server, "token", "list", household)
    assert [(one["id"], one["name"], one["user"], one["revoked_at"]) for one in listed] == [
        (made["token"]["id"], "first token", "Sarah", None),
        (new["id"], "kitchen tablet", "Sarah", None),
    ]
    for text in (json.dumps(listed), called(stored_server, "token", "list", household).stdout, stored_server.log()):
        assert TOKEN.search(text) is None
    assert called(stored_server, "token", "revoke", str(new["id"])).exit_code == 0
    assert me(stored_server, new["token"]).status_code == 401
    assert me(stored_server, made["token"]["token"]).status_code == 200
    assert "no token" in refused(stored_server, "token", "revoke", str(new["id"]))
    revoked = {one["id"]: one["revoked_at"] for one in told(stored_server, "token", "list", household)}
    assert revoked[made["token"]["id"]] is None
    assert revoked[new["id"]] is not None
    assert f"{new['id']}: kitchen tablet of Sarah, revoked" in called(stored_server, "token", "list", household).stdout


@pytest.mark.long
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--user", "Sarah"], "'Sarah' is not of the form"),
        (["--user", "Sarah:"], "is not of the form"),
        (["--user", ":sarah@example.com"], "is not of the form"),
        (["--user", "Sarah:sarah@example"], "an e-mail address looks like"),
        (["--user", "Sarah:a b@example.com"], "an e-mail address looks like"),
        (["--user", "Sarah:\udcff@example.com"], "an e-mail address looks like"),
        (["--user", "Sarah:bell\x07@example.com"], "an e-mail address looks like"),
        (["--user", f"Sarah:sarah@{'x' * 250}.com"], "an e-mail address looks like"),
        (["--user", f"{'S' * 81}:sarah@example.com"], "a name has 1 to 80 characters"),
        (["--child", "Emma"], "'Emma' is not of the form"),
        (["--child", "Emma:2024-02-30"], "'2024-02-30' is no day"),
        (["--child", "Emma:15.11.2024"], "'15.11.2024' is no day"),
        (["--child", "Emma:2199-01-01"], "a birthday is a date in the past"),
        (["--child", "Emma:1984-01-01"], "a child is at most 18"),
        (["--name", " "], "a name has 1 to 80 characters"),
        (["--name", "\udcff"], "a name has 1 to 80 characters"),
        *[(["--timezone", name], f"{name!r} is no time zone") for name in NO_TIME_ZONES],
        (["--daily-tasks", "2"], "3 to 15 activities a day"),
        (["--daily-tasks", "16"], "3 to 15 activities a day"),
    ],
)
def test_a_household_that_cannot_be_is_refused_in_one_clear_line(
    stored: Service, arguments: list[str], said: str
) -> None:
    before = told(stored, "household", "list")
    good = ["--name", "The Johnsons", "--user", f"Sarah:{address()}"]
    assert said in refused(stored, "household", "create", *good, *arguments)
    assert told(stored, "household", "list") == before


@pytest.mark.parametrize("number", [UNKNOWN, str(2**31), str(2**63), "9" * 30])
def test_an_id_that_no_one_has_is_said_in_one_clear_line(stored: Service, number: str) -> None:
    for group, command, *options in (
        *(("household", "show"), ("household", "set", "--name", "Millers"), ("household", "delete", "--yes")),
        *(("household", "add", "--child", "Emma:2024-11-15"), ("token", "list"), ("token", "revoke")),
    ):
        unknown = called(stored, group, command, number, *options)
        assert unknown.exit_code in {1, 2}
        assert isinstance(unknown.exception, SystemExit), repr(unknown.exception)
        assert "Traceback" not in unknown.output


def test_who_is_unknown_is_said(stored: Service) -> None:
    assert refused(stored, "household", "show", UNKNOWN) == f"there is no household {UNKNOWN}"
    assert refused(stored, "token", "list", UNKNOWN) == f"there is no household {UNKNOWN}"
    assert refused(stored, "token", "revoke", UNKNOWN) == f"there is no token {UNKNOWN} that still works"
    nobody = address("nobody")
    assert refused(stored, "token", "create", nobody) == f"no user has the e-mail address {nobody}"
    assert "looks like" in refused(stored, "token", "create", "nobody")
    assert "looks like" in refused(stored, "token", "create", "\udcff@example.com")


def test_what_is_missing_or_no_number_is_a_wrong_use(running: Service) -> None:
    for arguments in (
        ["household", "create", "--name", "The Johnsons"],
        ["household", "create", "--user", "Sarah:sarah@example.com"],
        *(["household", "show"], ["household", "show", "x"], ["household", "show", "0"]),
        *(["token", "create"], ["token", "revoke", "-1"], ["household", "set", "1", "--daily-tasks", "many"]),
    ):
        assert called(running, *arguments).exit_code == 2, arguments


def test_a_database_that_is_not_there_is_said_in_one_clear_line(running: Service) -> None:
    away = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"}
    for arguments in (("household", "list"), ("household", "show", "1"), ("token", "list", "1")):
        said = forking.run(*arguments, env=os.environ | running.environment | away)
        assert (said.returncode, said.stderr.count("\n")) == (1, 1), said.stderr
        assert said.stderr.startswith("error: database: ")


def hanging_on_households() -> list[Table]:
    """All tables whose rows belong to a household, directly or through other tables."""
    found = {Base.metadata.tables["households"]}
    while True:
        tables = set(Base.metadata.tables.values())
        more = {table for table in tables if {key.column.table for key in table.foreign_keys} & found} - found
        if not more:
            return sorted(found, key=lambda table: table.name)
        found |= more


def counts(service: Service) -> dict[str, int]:
    async def count(session: AsyncSession) -> dict[str, int]:
        tables = hanging_on_households()
        return {table.name: await session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}

    return in_database(service, count)


async def ask_claude(session: AsyncSession, household: int) -> None:
    """The rows that a household with a key creates."""
    now = datetime.now(UTC)
    session.add(DayCuration(household_id=household, day=now.date(), leased_until=now, triggers=1))
    question = ChatMessage(household_id=household, role="user", content="Hello", created_at=now)
    session.add(question)
    await session.flush()
    told = ChatMessage(household_id=household, role="assistant", content="Hi", answers_id=question.id, created_at=now)
    session.add(told)


async def visit_pages(session: AsyncSession, household: int) -> None:
    """The rows that a login and an invitation create."""
    now = datetime.now(UTC)
    user = (await users_of(session, household))[0]
    await SESSIONS.begin(session, user.id, now)
    await BROWSERS.remember(session, user.id, [], now)
    await make_link(session, household, now, made_by=user)


def test_a_deleted_household_leaves_nothing_behind(stored: Service) -> None:
    assert {name for name, table in Base.metadata.tables.items() if "household_id" in table.columns} <= {
        table.name for table in hanging_on_households()
    }
    neighbour, before = Family(stored), counts(stored)
    family = Family(stored)
    family.follow()
    own = family.data("POST", "/todos", {"title": "Sing"}, Idempotency_Key="a key")["id"]
    for todo in (own, family.read("/today")["activities"][0]["id"]):
        family.complete(todo)
    in_database(stored, lambda session: ask_claude(session, family.id))
    in_database(stored, lambda session: visit_pages(session, family.id))
    assert [name for name, count in counts(stored).items() if count <= before[name]] == [], "fill these, too"
    kept = called(stored, "household", "delete", str(family.id), typed="n\n")
    assert kept.exit_code == 1
    assert family.ask("GET", "/me").status_code == 200
    gone = called(stored, "household", "delete", str(family.id), typed="y\n")
    assert (gone.exit_code, gone.stdout.splitlines()[-1]) == (0, f"household {family.id} is deleted")
    assert counts(stored) == before
    assert family.ask("GET", "/me").status_code == 401
    assert neighbour.ask("GET", "/me").status_code == 200
    assert "no household" in refused(stored, "household", "delete", str(family.id), "--yes")
