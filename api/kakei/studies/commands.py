"""`buddy study`: start a study, confirm a candidate, stop the study, and show its progress."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from api.clock import timestamp, to_the_second, utc_now
from api.console import Json, exit_on, read_settings, with_database
from api.db.engine import Database
from api.kakei.consent.rules import STUDY_VERSION
from api.kakei.studies.rules import STOPPED, Around
from coach_model.budget.study import CONFIRM_EPSILON, EXPLORE_EPSILON, Phase

study = typer.Typer(help="Run studies of the coach with those who consented.", no_args_is_help=True)


def _version(name: str) -> str:
    if not re.fullmatch(STUDY_VERSION, name):
        raise typer.BadParameter(f"{name!r} is not a study version: use letters, digits, `.`, `_`, `-`")
    return name


Version = Annotated[str, typer.Argument(help="The study version that participants consented to.", callback=_version)]
Epsilon = Annotated[float, typer.Option(min=0.01, max=1, help="Share of uniform noise in each lever.")]


@study.command()
def start(
    version: Version,
    around: Annotated[
        Around, typer.Option(help="What the noise is added to: the rules, or the coach as it is served.")
    ] = Around.RULES,
    epsilon: Epsilon = EXPLORE_EPSILON,
    begins: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day, UTC; today by default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Begin the explore phase: once per local week, each participant's levers are drawn with noise."""
    from api.kakei.studies import actions  # noqa: PLC0415 - help should not wait

    started_at = begins.replace(tzinfo=UTC) if begins else to_the_second(utc_now)

    async def run(database: Database) -> None:
        async with database.write() as session:
            await actions.start_study(session, version, around, epsilon, started_at)

    with exit_on(actions.StudyRefused):
        with_database(read_settings(), run)
    since = f" from {begins:%Y-%m-%d} on" if begins else ""
    _say(as_json, f"{version} explores around the {around}{since}, ε {epsilon:g} in each lever", version)


@study.command()
def confirm(
    version: Version,
    artifact: Annotated[
        Path,
        typer.Argument(help="Folder of the candidate's policy.onnx and policy.json.", exists=True, file_okay=False),
    ],
    epsilon: Epsilon = CONFIRM_EPSILON,
    as_json: Json = False,
) -> None:
    """Freeze a candidate and begin the confirm phase: the rules take half of the decisions, the candidate the rest."""
    from api.kakei.studies import actions  # noqa: PLC0415
    from coach_model.budget.coach import CONTRACT  # noqa: PLC0415
    from coach_model.onnx_policy import ArtifactMissing, ArtifactRefused, load_policy  # noqa: PLC0415

    with exit_on(ArtifactMissing, ArtifactRefused):
        policy = load_policy(artifact, CONTRACT)

    async def run(database: Database) -> None:
        async with database.write() as session:
            await actions.confirm_study(session, version, policy, epsilon, utc_now())

    with exit_on(actions.StudyRefused):
        with_database(read_settings(), run)
    _say(as_json, f"{version} confirms {policy.policy_id}, which is frozen now", version)


@study.command()
def stop(version: Version, as_json: Json = False) -> None:
    """End a study: the coach is deterministic again. Outcomes of its last decisions are accepted for two more weeks."""
    from api.kakei.studies import actions  # noqa: PLC0415

    async def run(database: Database) -> None:
        async with database.write() as session:
            await actions.stop_study(session, version, utc_now())

    with exit_on(actions.StudyRefused):
        with_database(read_settings(), run)
    _say(as_json, f"{version} is stopped", version)


@study.command()
def status(as_json: Json = False) -> None:
    """Show each study: phase, participants, decisions, and the number of received outcomes."""
    from api.kakei.studies import queries  # noqa: PLC0415

    async def run(database: Database) -> list[queries.Standing]:
        async with database.read() as session:
            return [await queries.standing_of(session, found) for found in await queries.studies(session)]

    found = with_database(read_settings(), run)
    if as_json:
        typer.echo(json.dumps([_plain(one) for one in found]))
        return
    for one in found:
        since = one.study.stopped_at or one.study.confirmed_at or one.study.started_at
        tries = f" with {one.study.candidate_id}" if one.study.candidate_id else ""
        typer.echo(f"{one.study.study_version}: {one.study.phase}{tries} since {since:%Y-%m-%d}")
        shares = [count / max(one.decisions, 1) for count in (one.with_context, one.with_summary)]
        came = f"{shares[0]:.0%} with their next context, {shares[1]:.0%} with their summary"
        typer.echo(f"  {one.participants} participants, {one.decisions} decisions, {came}")
    if not found:
        typer.echo("there are no studies")


def _say(as_json: bool, sentence: str, version: str) -> None:
    """Print the result as a sentence, or as the study's state in JSON."""
    if not as_json:
        typer.echo(sentence)
        return
    from api.kakei.studies import actions, queries  # noqa: PLC0415

    async def run(database: Database) -> queries.Standing:
        async with database.read() as session:
            return await queries.standing_of(session, await actions.study_in(session, version, *Phase, STOPPED))

    typer.echo(json.dumps(_plain(with_database(read_settings(), run))))


def _plain(one: Any) -> dict[str, Any]:
    """A study's state as JSON types."""
    columns = ("study_version", "phase", "around", "explore_epsilon", "confirm_epsilon", "candidate_id")
    told: dict[str, Any] = {name: getattr(one.study, name) for name in columns}
    for name in ("started_at", "confirmed_at", "stopped_at"):
        moment: datetime | None = getattr(one.study, name)
        told[name] = timestamp(moment) if moment else None
    counts = ("participants", "decisions", "by_phase", "with_context", "with_summary")
    return told | {name: getattr(one, name) for name in counts}
