"""`buddy household set-role|hand-over|remove-member`: the actions of a household's admin, for operators."""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from api.clock import utc_now
from api.console import Json, Unknown, exit_on, read_settings, with_database
from api.db.engine import Database
from api.kinderbud.households.commands import HouseholdId
from api.kinderbud.households.rules import InvalidHousehold, checked_email

Email = Annotated[str, typer.Argument(help="The member's e-mail address.")]


def set_role(
    household_id: HouseholdId,
    email: Email,
    role: Annotated[str, typer.Argument(help="admin or member.")],
    as_json: Json = False,
) -> None:
    """Make a member an admin, or an admin a member. The last admin cannot become a member."""
    from api.kinderbud.members import actions  # noqa: PLC0415 - help should not wait

    async def change(session: AsyncSession, user: Any, now: datetime) -> None:
        await actions.change_role(session, user, role, now)

    _run(household_id, email, change, as_json, f"is {role} of household {household_id}")


def hand_over(household_id: HouseholdId, email: Email, as_json: Json = False) -> None:
    """Make a member the only admin of a household. The other admins become members."""
    from api.kinderbud.members import actions  # noqa: PLC0415

    _run(household_id, email, actions.hand_over, as_json, f"is the admin of household {household_id}")


def remove_member(
    household_id: HouseholdId,
    email: Email,
    keep_name: Annotated[
        bool, typer.Option("--keep-name/--forget-name", help="Whether the history keeps the member's name.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Remove a member: login, sessions, tokens and invitations end, the history stays. The last admin cannot be
    removed.
    """
    from api.kinderbud.members import actions  # noqa: PLC0415

    async def remove(session: AsyncSession, user: Any, now: datetime) -> None:
        await actions.remove_member(session, user, now, keep_name=keep_name)

    if not yes:
        typer.confirm(f"Remove {email} from household {household_id}?", abort=True)
    _run(household_id, email, remove, as_json, f"is removed from household {household_id}")


def _run(
    household_id: int,
    email: str,
    act: Callable[[AsyncSession, Any, datetime], Awaitable[None]],
    as_json: bool,
    done: str,
) -> None:
    """Change a member in one transaction, then print the household's users."""
    from api.kinderbud.households import queries  # noqa: PLC0415
    from api.kinderbud.members import actions  # noqa: PLC0415

    async def run(database: Database) -> list[dict[str, Any]]:
        async with database.write() as session:
            found = await queries.user_with_email(session, checked_email(email))
            user = await actions.member_in(session, household_id, found.id) if found else None
            if user is None:
                raise Unknown(f"household {household_id} has no member with the e-mail address {email}")
            await act(session, user, utc_now())
            users = await queries.users_of(session, household_id)
            return [{"id": one.id, "name": one.display_name, "email": one.email, "role": one.role} for one in users]

    with exit_on(InvalidHousehold, Unknown, actions.MemberUnchanged):
        users = with_database(read_settings(), run)
    typer.echo(json.dumps({"household": household_id, "users": users}) if as_json else f"{email} {done}")
