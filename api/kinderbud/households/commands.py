"""`buddy household` and `buddy token`: the actions of the family's pages, for operators."""

import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from api.clock import timestamp, utc_now
from api.console import Json, Unknown, exit_on, read_settings, with_database
from api.db.engine import LARGEST_ID, Database
from api.kinderbud.households.rules import DEFAULT_DAILY_TASKS, InvalidHousehold

household = typer.Typer(help="Manage Kinderbud's households.", no_args_is_help=True)
token = typer.Typer(help="Manage the tokens of Kinderbud's users.", no_args_is_help=True)

HouseholdId = Annotated[int, typer.Argument(help="The household's id.", min=1, max=LARGEST_ID)]


@household.command()
def create(
    name: Annotated[str, typer.Option(help="What the family calls itself.")],
    user: Annotated[list[str], typer.Option(help="Sarah:sarah@example.com; the first one is the admin. Repeat it.")],
    child: Annotated[list[str] | None, typer.Option(help="Emma:2024-11-15. Repeat it.")] = None,
    timezone: Annotated[str, typer.Option(help="Where the family's day begins and ends.")] = "UTC",
    daily_tasks: Annotated[int, typer.Option(help="Activities a day, 3 to 15.")] = DEFAULT_DAILY_TASKS,
    as_json: Json = False,
) -> None:
    """Create a household, and a first token for its first user. The token is shown once."""
    from api.kinderbud.households import actions  # noqa: PLC0415 - help should not wait

    async def run(database: Database) -> dict[str, Any]:
        async with database.write() as session:
            people = [actions.Person(*_pair(text, "--user Sarah:sarah@example.com")) for text in user]
            children = [actions.Child(called, _birthday(day)) for called, day in map(_child, child or [])]
            made = await actions.create_household(session, name, people, children, timezone, daily_tasks, utc_now())
            told = await _told(session, made.id)
            first = await actions.user_with_id(session, told["users"][0]["id"])
            kept, secret = await actions.make_token(session, first, "first token", utc_now())
            return told | {"token": {"id": kept.id, "name": kept.name, "token": secret}}

    with exit_on(InvalidHousehold, actions.EmailTaken):
        made = with_database(read_settings(), run)
    if as_json:
        typer.echo(json.dumps(made))
        return
    _show(made)
    typer.echo(f"token, shown only now: {made['token']['token']}")


@household.command("list")
def list_households(as_json: Json = False) -> None:
    """All households, by id."""
    from api.kinderbud.households import queries  # noqa: PLC0415

    async def run(database: Database) -> list[dict[str, Any]]:
        async with database.read() as session:
            return [await _told(session, one.id) for one in await queries.households(session)]

    found = with_database(read_settings(), run)
    if as_json:
        typer.echo(json.dumps(found))
    for one in found if not as_json else []:
        _show(one)
    if not found and not as_json:
        typer.echo("there are no households")


@household.command()
def show(household_id: HouseholdId, as_json: Json = False) -> None:
    """Show a household and its members."""

    async def run(database: Database) -> dict[str, Any]:
        async with database.read() as session:
            return await _told(session, household_id)

    with exit_on(Unknown):
        found = with_database(read_settings(), run)
    typer.echo(json.dumps(found)) if as_json else _show(found)


@household.command("set")
def set_household(
    household_id: HouseholdId,
    name: Annotated[str | None, typer.Option(help="What the family calls itself.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Where the family's day begins and ends.")] = None,
    daily_tasks: Annotated[int | None, typer.Option(help="Activities a day, 3 to 15.")] = None,
    learning: Annotated[
        bool | None, typer.Option("--learning/--no-learning", help="Whether the family takes part in learning.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Change a household. Values that are left out stay as they are."""
    from api.kinderbud.households import actions  # noqa: PLC0415

    async def run(database: Database) -> dict[str, Any]:
        async with database.write() as session:
            found = await _household(session, household_id)
            actions.change(
                found, utc_now(), name=name, time_zone=timezone, daily_task_count=daily_tasks, learning=learning
            )
            await session.flush()
            return await _told(session, household_id)

    with exit_on(InvalidHousehold, Unknown):
        changed = with_database(read_settings(), run)
    typer.echo(json.dumps(changed)) if as_json else _show(changed)


@household.command()
def add(
    household_id: HouseholdId,
    child: Annotated[list[str] | None, typer.Option(help="Emma:2024-11-15. Repeat it.")] = None,
    user: Annotated[list[str] | None, typer.Option(help="Sam:sam@example.com, a member. Repeat it.")] = None,
    as_json: Json = False,
) -> None:
    """Add children and users to a household."""
    from api.kinderbud.auth import MEMBER  # noqa: PLC0415
    from api.kinderbud.households import actions  # noqa: PLC0415

    async def run(database: Database) -> dict[str, Any]:
        async with database.write() as session:
            found = await _household(session, household_id)
            for called, day in map(_child, child or []):
                await actions.add_child(session, found, actions.Child(called, _birthday(day)), utc_now())
            for text in user or []:
                person = actions.Person(*_pair(text, "--user Sam:sam@example.com"))
                await actions.add_user(session, found, person, MEMBER, utc_now())
            return await _told(session, household_id)

    with exit_on(InvalidHousehold, actions.EmailTaken, Unknown):
        changed = with_database(read_settings(), run)
    typer.echo(json.dumps(changed)) if as_json else _show(changed)


@household.command()
def delete(household_id: HouseholdId, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Delete a household and all its data permanently."""

    from api.kinderbud.households import actions  # noqa: PLC0415

    async def run(database: Database) -> None:
        async with database.write() as session:
            if not await actions.delete_household(session, household_id):
                raise Unknown(f"there is no household {household_id}")

    if not yes:
        typer.confirm(f"Delete household {household_id} and everything about it?", abort=True)
    with exit_on(Unknown):
        with_database(read_settings(), run)
    typer.echo(f"household {household_id} is deleted")


@household.command("export-learning")
def export_learning(
    out: Annotated[Path, typer.Argument(help="Folder to write the daily log into.")], as_json: Json = False
) -> None:
    """Write the learning data of households that take part: pseudonymous, without names, titles and notes."""
    from rich.console import Console  # noqa: PLC0415

    from api.kinderbud.households import learning_export  # noqa: PLC0415

    with Console(stderr=True).status("exporting") as status, exit_on(ValueError, OSError):

        async def run(database: Database) -> dict[str, Any]:
            async with database.read() as session:
                return await learning_export.export_learning(session, out, utc_now(), status.update)

        told = with_database(read_settings(), run)
    if as_json:
        typer.echo(json.dumps(told | {"folder": str(out)}))
    else:
        typer.echo(f"{out}: {told['days']} days of {told['households']} households, {told['rows']} candidates")


@token.command("create")
def create_token(
    email: Annotated[str, typer.Argument(help="The e-mail address of the token's user.")],
    name: Annotated[str, typer.Option(help="A name that tells the token from others.")] = "token",
    as_json: Json = False,
) -> None:
    """Create a token. It is shown once: only its digest is stored."""
    from api.kinderbud.households import actions, queries, rules  # noqa: PLC0415

    async def run(database: Database) -> dict[str, Any]:
        async with database.write() as session:
            found = await queries.user_with_email(session, rules.checked_email(email))
            if found is None:
                raise Unknown(f"no user has the e-mail address {email}")
            kept, secret = await actions.make_token(session, found, name, utc_now())
            return {"id": kept.id, "name": kept.name, "token": secret}

    with exit_on(InvalidHousehold, Unknown):
        made = with_database(read_settings(), run)
    typer.echo(json.dumps(made) if as_json else f"{made['token']}\ntoken {made['id']}, {made['name']}: shown only now")


@token.command("list")
def list_tokens(household_id: HouseholdId, as_json: Json = False) -> None:
    """List a household's tokens: user, name, last use."""
    from api.kinderbud.households import queries  # noqa: PLC0415

    async def run(database: Database) -> list[dict[str, Any]]:
        async with database.read() as session:
            await _household(session, household_id)
            return [
                {
                    "id": kept.id,
                    "name": kept.name,
                    "user": user.display_name,
                    "created_at": timestamp(kept.created_at),
                    "last_used_at": timestamp(kept.last_used_at) if kept.last_used_at else None,
                    "revoked_at": timestamp(kept.revoked_at) if kept.revoked_at else None,
                }
                for kept, user in await queries.tokens_of(session, household_id)
            ]

    with exit_on(Unknown):
        found = with_database(read_settings(), run)
    if as_json:
        typer.echo(json.dumps(found))
        return
    for one in found:
        state = "revoked" if one["revoked_at"] else f"last used {one['last_used_at'] or 'never'}"
        typer.echo(f"{one['id']}: {one['name']} of {one['user']}, {state}")


@token.command()
def revoke(
    token_id: Annotated[int, typer.Argument(help="The token's id, as `list` shows it.", min=1, max=LARGEST_ID)],
) -> None:
    """Revoke a token: later requests with it get 401."""
    from api.kinderbud.households import queries  # noqa: PLC0415

    async def run(database: Database) -> bool:
        async with database.write() as session:
            return await queries.revoke(session, token_id, utc_now())

    with exit_on(Unknown):
        if not with_database(read_settings(), run):
            raise Unknown(f"there is no token {token_id} that still works")
    typer.echo(f"token {token_id} is revoked")


async def _household(session: AsyncSession, household_id: int) -> Any:
    from api.kinderbud.households import queries  # noqa: PLC0415

    found = await queries.household_of(session, household_id)
    if found is None:
        raise Unknown(f"there is no household {household_id}")
    return found


async def _told(session: AsyncSession, household_id: int) -> dict[str, Any]:
    """A household as JSON."""
    from api.kinderbud.households import queries  # noqa: PLC0415

    found = await _household(session, household_id)
    people = await queries.participants_of(session, household_id)
    users = await queries.users_of(session, household_id)
    return {
        "household": {
            "id": found.id,
            "name": found.name,
            "timezone": found.time_zone,
            "daily_task_count": found.daily_task_count,
            "learning": found.learning_since is not None,
        },
        "users": [{"id": one.id, "name": one.display_name, "email": one.email, "role": one.role} for one in users],
        "participants": [
            {"id": one.id, "name": one.name, "birthday": one.birthday.isoformat() if one.birthday else None}
            for one in people
        ],
    }


def _show(told: dict[str, Any]) -> None:
    one = told["household"]
    learning = ", takes part in learning" if one["learning"] else ""
    typer.echo(f"{one['id']}: {one['name']} in {one['timezone']}, {one['daily_task_count']} activities a day{learning}")
    for user in told["users"]:
        typer.echo(f"  user {user['id']}: {user['name']} <{user['email']}>, {user['role']}")
    for person in told["participants"]:
        born = f", born {person['birthday']}" if person["birthday"] else ""
        typer.echo(f"  participant {person['id']}: {person['name']}{born}")


def _pair(text: str, like: str) -> tuple[str, str]:
    first, colon, second = text.partition(":")
    if not colon or not first.strip() or not second.strip():
        raise InvalidHousehold(f"{text!r} is not of the form {like}")
    return first, second


def _child(text: str) -> tuple[str, str]:
    return _pair(text, "--child Emma:2024-11-15")


def _birthday(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise InvalidHousehold(f"{text!r} is no day; one is 2024-11-15") from error
