"""`buddy admin`: commands for the admin's account, on the machine of the service."""

from typing import Any

import typer

from api.clock import timestamp, utc_now
from api.console import Json, exit_on, read_settings, show_link, with_database
from api.db.engine import Database

admin = typer.Typer(help="Manage the account of /admin.", no_args_is_help=True)


class NoAccount(ValueError):
    """The admin's account does not exist."""


@admin.callback()
def _admin() -> None:
    """Makes Typer keep the name of the sub-command."""


@admin.command("browser-link")
def browser_link(
    as_json: Json = False,
) -> None:
    """Make a link that makes one browser known to /admin, so that wrong passwords in other browsers do not block it. It
    works once, for a day. An earlier link ends. The password is still needed.
    """
    from api.admin.accounts import make_browser_link  # noqa: PLC0415 - help should not wait

    settings = read_settings()

    async def run(database: Database) -> dict[str, Any]:
        async with database.write() as session:
            link = await make_browser_link(session, utc_now())
            if link is None:
                raise NoAccount("there is no admin yet: set ADMIN_PASSWORD and start the service once")
            secret, until = link
            told = settings.public_url or f"http://localhost:{settings.port}"
            return {"link": f"{told}/admin/browser/{secret}", "until": timestamp(until)}

    with exit_on(NoAccount):
        made = with_database(settings, run)
    show_link(made, as_json=as_json)
