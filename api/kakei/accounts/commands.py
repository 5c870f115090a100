"""`buddy user`: an operator's work for users of KakeiBuddy."""

import json
from typing import Annotated, Any

import typer

from api.clock import utc_now
from api.console import Unknown, exit_on, read_settings, with_database
from api.db.engine import Database

user = typer.Typer(help="Manage users.", no_args_is_help=True)


@user.callback()
def _user() -> None:
    """Makes Typer keep the name of the sub-command."""


@user.command()
def erase(
    uuid: Annotated[str, typer.Argument(help="The user's id, in any form.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a user permanently and print the receipt as JSON."""
    from api.kakei.accounts import erasure, queries  # noqa: PLC0415 - help should not wait

    async def run(database: Database) -> dict[str, Any]:
        async with database.write() as session:
            found = await queries.user_by_uuid(session, uuid)
            if found is None:
                raise Unknown(f"there is no user {uuid}")
            return await erasure.erase(session, found, utc_now())

    if not yes:
        typer.confirm(f"Erase {uuid} and everything about them?", abort=True)
    with exit_on(Unknown):
        receipt = with_database(read_settings(), run)
    typer.echo(json.dumps(receipt))
