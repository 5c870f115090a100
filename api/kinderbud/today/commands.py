"""`buddy curate`: lets Claude choose days, for operators."""

import json
from typing import Annotated, Any

import typer

from api.clock import utc_now
from api.console import Json, Unknown, exit_on, read_settings, with_database
from api.db.engine import LARGEST_ID, Database


def curate(
    household_id: Annotated[
        int | None, typer.Option("--household", help="Only this one.", min=1, max=LARGEST_ID)
    ] = None,
    as_json: Json = False,
) -> None:
    """Choose today for every household with a Claude key, so that no family waits in the morning. A day that is already
    chosen stays.
    """
    from api.auth.keyring import SecretMissing, keyring  # noqa: PLC0415
    from api.kinderbud.households.queries import household_of, with_a_claude_key  # noqa: PLC0415 - help should not wait
    from api.kinderbud.today.app_state import DayServices  # noqa: PLC0415
    from api.kinderbud.today.prefetch import choose_ahead  # noqa: PLC0415
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
        services = DayServices(database, utc_now, daily, metrics, keyring(settings), settings)
        async with database.read() as session:
            one = await household_of(session, household_id) if household_id is not None else None
            wanted = [one] if one is not None else await with_a_claude_key(session)
        if household_id is not None and one is None:
            raise Unknown(f"there is no household {household_id}")
        told = [
            {
                "household": chosen.household_id,
                "day": chosen.day.isoformat(),
                "source": chosen.source,
                "new": chosen.is_new,
            }
            async for chosen in choose_ahead(services, wanted)
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
