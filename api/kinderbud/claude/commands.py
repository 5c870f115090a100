"""`buddy household claude-key`: sets and removes households' Claude keys, for operators."""

import sys
from typing import Annotated

import typer

from api.console import Unknown, exit_on, read_settings, with_database
from api.db.engine import LARGEST_ID, Database


def claude_key(
    household_id: Annotated[int, typer.Argument(help="The household's id.", min=1, max=LARGEST_ID)],
    remove: Annotated[bool, typer.Option("--remove", help="Remove the key.")] = False,
    check: Annotated[bool, typer.Option(help="Ask Claude whether the key works before it is stored.")] = True,
) -> None:
    """Set a household's Claude key, read from standard input and encrypted with SECRET_KEY. It is never shown again."""
    from api.auth.keyring import SecretMissing, keyring  # noqa: PLC0415
    from api.kinderbud.claude import client, failures, keys  # noqa: PLC0415 - help should not wait
    from api.models import Household  # noqa: PLC0415

    settings = read_settings()
    with exit_on(SecretMissing):
        ring = keyring(settings)
    key = None if remove else _read_key()

    async def run(database: Database) -> None:
        if key is not None and check:
            await client.check(key, settings)
        async with database.write() as session:
            found = await session.get(Household, household_id)
            if found is None:
                raise Unknown(f"there is no household {household_id}")
            keys.set_key(ring, found, key)

    with exit_on(Unknown, failures.ClaudeFailed):
        with_database(settings, run)
    typer.echo(f"household {household_id} has {'no Claude key any more' if remove else 'a Claude key'}")


def _read_key() -> str:
    """Read the key from a hidden prompt or a pipe. Other users could read the command line."""
    hidden = sys.stdin.isatty()
    key = str(typer.prompt("Claude key", hide_input=True)) if hidden else sys.stdin.readline()
    if not key.strip():
        print("error: no key on standard input", file=sys.stderr)
        raise typer.Exit(1)
    return key.strip()
