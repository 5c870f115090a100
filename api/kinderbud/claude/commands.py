"""`buddy household claude-key` and `buddy curate`: Claude, for operators."""

import json
import sys
from types import SimpleNamespace
from typing import Annotated, Any

import typer

from api.clock import utc_now
from api.console import exit_on, read_settings, with_database
from api.db.engine import LARGEST_ID, Database

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


class Unknown(ValueError):
    """There is no such household."""


def claude_key(
    household_id: Annotated[int, typer.Argument(help="The household's id.", min=1, max=LARGEST_ID)],
    remove: Annotated[bool, typer.Option("--remove", help="Take the key away.")] = False,
    check: Annotated[bool, typer.Option(help="Ask Claude whether the key works before it is kept.")] = True,
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


def curate(
    household_id: Annotated[
        int | None, typer.Option("--household", help="Only this one.", min=1, max=LARGEST_ID)
    ] = None,
    as_json: Json = False,
) -> None:
    """Choose today for every household with a Claude key, so that nobody waits for breakfast. A day that is chosen
    stays as it is."""
    from api.auth.keyring import SecretMissing, keyring  # noqa: PLC0415
    from api.kinderbud.households.queries import household_of  # noqa: PLC0415 - help should not wait
    from api.kinderbud.today.prefetch import choose_ahead, with_a_key  # noqa: PLC0415
    from api.observability.logging import configure  # noqa: PLC0415
    from api.observability.metrics import Metrics  # noqa: PLC0415
    from api.policies import ServedPolicy  # noqa: PLC0415
    from coach_model.daily.coach import CONTRACT  # noqa: PLC0415

    settings = read_settings()
    configure(settings)
    metrics = Metrics()
    daily = ServedPolicy(CONTRACT, settings.coach_model_dir, metrics)
    daily.start()

    async def run(database: Database) -> list[dict[str, Any]]:
        shared = {"settings": settings, "keyring": keyring(settings), "metrics": metrics, "daily": daily}
        state = SimpleNamespace(database=database, clock=utc_now, **shared)
        async with database.read() as session:
            one = await household_of(session, household_id) if household_id is not None else None
            wanted = [one] if one is not None else await with_a_key(session)
        if household_id is not None and one is None:
            raise Unknown(f"there is no household {household_id}")
        told = [
            {
                "household": chosen.household_id,
                "day": chosen.day.isoformat(),
                "source": chosen.source,
                "new": chosen.is_new,
            }
            async for chosen in choose_ahead(state, wanted)
        ]
        return sorted(told, key=lambda chosen: chosen["household"])

    with exit_on(Unknown, SecretMissing):
        found = with_database(settings, run)
    if as_json:
        typer.echo(json.dumps(found))
        return
    for one in found:
        chosen = f"chosen by {one['source']}" if one["source"] else "nothing to choose from"
        typer.echo(f"household {one['household']}, {one['day']}: {chosen}{'' if one['new'] else ', before'}")
    if not found:
        typer.echo("no household has a Claude key")


def _read_key() -> str:
    """From a prompt that does not show it, or from a pipe; never from the command line, which others can read."""
    hidden = sys.stdin.isatty()
    key = str(typer.prompt("Claude key", hide_input=True)) if hidden else sys.stdin.readline()
    if not key.strip():
        print("error: no key on standard input", file=sys.stderr)
        raise typer.Exit(1)
    return key.strip()
