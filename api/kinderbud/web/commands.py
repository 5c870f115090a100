"""`buddy household reset-link|browser-link|invite|waiting`: links that operators give to families."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from api.clock import timestamp, utc_now
from api.console import Json, Unknown, exit_on, read_settings, show_link, with_database
from api.db.engine import LARGEST_ID, Database
from api.settings import Settings

if TYPE_CHECKING:
    from api.models import HouseholdUser


def reset_link(
    email: Annotated[str, typer.Argument(help="The user who gets a new password.")], as_json: Json = False
) -> None:
    """Make a link with which a user sets a new password, or a first one. It works once; earlier links end."""
    from api.kinderbud.households import actions, rules  # noqa: PLC0415 - help should not wait

    settings = read_settings()

    async def run(database: Database) -> dict[str, Any]:
        async with database.write() as session:
            user = await _user_with(session, email)
            kept, secret = await actions.make_link(session, user.household_id, utc_now(), user)
            return {"link": _address(settings, f"/reset/{secret}"), "until": timestamp(kept.expires_at)}

    with exit_on(rules.InvalidHousehold, Unknown):
        made = with_database(settings, run)
    show_link(made, as_json=as_json)


def browser_link(
    email: Annotated[str, typer.Argument(help="The user whose browser becomes known.")], as_json: Json = False
) -> None:
    """Make a link that makes one browser known for a user, so that wrong passwords in other browsers do not block it.
    It works once, for a day. An earlier link ends. The password is still needed.
    """
    from api.kinderbud.households import rules  # noqa: PLC0415
    from api.kinderbud.web.sessions import BROWSERS  # noqa: PLC0415 - help should not wait

    settings = read_settings()

    async def run(database: Database) -> dict[str, Any]:
        async with database.write() as session:
            user = await _user_with(session, email)
            secret, until = await BROWSERS.make_link(session, user.id, utc_now())
            return {"link": _address(settings, f"/browser/{secret}"), "until": timestamp(until)}

    with exit_on(rules.InvalidHousehold, Unknown):
        made = with_database(settings, run)
    show_link(made, as_json=as_json)


def invite(
    household_id: Annotated[int, typer.Argument(help="The household's id.", min=1, max=LARGEST_ID)],
    as_json: Json = False,
) -> None:
    """Make a link by which one more person joins a household. It works once."""
    from api.kinderbud.households import actions, queries  # noqa: PLC0415

    settings = read_settings()

    async def run(database: Database) -> dict[str, Any]:
        async with database.write() as session:
            if await queries.household_of(session, household_id) is None:
                raise Unknown(f"there is no household {household_id}")
            kept, secret = await actions.make_link(session, household_id, utc_now())
            return {"link": _address(settings, f"/join/{secret}"), "until": timestamp(kept.expires_at)}

    with exit_on(Unknown):
        made = with_database(settings, run)
    show_link(made, as_json=as_json)


def waiting(as_json: Json = False) -> None:
    """List users who forgot their password and wait for a link."""
    from api.kinderbud.households import queries  # noqa: PLC0415

    async def run(database: Database) -> list[dict[str, Any]]:
        async with database.read() as session:
            return [
                {
                    "name": user.display_name,
                    "email": user.email,
                    "household": user.household_id,
                    "since": timestamp(user.reset_asked_at) if user.reset_asked_at else None,
                }
                for user in await queries.waiting_for_links(session)
            ]

    found = with_database(read_settings(), run)
    if as_json:
        typer.echo(json.dumps(found))
        return
    for one in found:
        typer.echo(f"{one['name']} <{one['email']}> of household {one['household']}, since {one['since']}")
    if not found:
        typer.echo("no one waits")


async def _user_with(session: AsyncSession, email: str) -> "HouseholdUser":
    """Raises Unknown or InvalidHousehold."""
    from api.kinderbud.households import queries, rules  # noqa: PLC0415

    user = await queries.user_with_email(session, rules.checked_email(email))
    if user is None:
        raise Unknown(f"no user has the e-mail address {email}")
    return user


def _address(settings: Settings, path: str) -> str:
    """The public address of the pages (PUBLIC_URL)."""
    return f"{settings.public_url or f'http://localhost:{settings.port}'}/family{path}"
