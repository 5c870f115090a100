"""Commands for researchers: `effects` of single actions, and the `power` of a planned study."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from training.cli.shell import Json, Track, clear_errors, console, show_json

analyse = typer.Typer()


@analyse.command()
def effects(
    data: Annotated[
        Path, typer.Argument(help="A dataset package, or the CSV or Parquet file of any trial.", exists=True)
    ],
    outcome: Annotated[str, typer.Option(help="Column of the proximal outcome.")] = "outcome",
    treatment: Annotated[str, typer.Option(help="Column that is 1 where treated, else 0.")] = "treatment",
    probability: Annotated[str, typer.Option(help="Column of the probability of treatment.")] = "probability",
    participant: Annotated[str, typer.Option(help="Column of the participant.")] = "participant",
    available: Annotated[str | None, typer.Option(help="Column that is 1 where treatment was possible.")] = None,
    moderators: Annotated[str, typer.Option(help="Columns that may change the effect, separated by commas.")] = "",
    controls: Annotated[str, typer.Option(help="Columns that predict the outcome, separated by commas.")] = "",
    track: Track = True,
    as_json: Json = False,
) -> None:
    """Estimate causal excursion effects by weighted and centred least squares.

    For a dataset package: the effect of each level against hold. For the table of any micro-randomised trial: the
    effect of its treatment.
    """
    from training.trials.use_cases import effects_of_package, effects_of_table  # noqa: PLC0415 - keeps --help fast

    with clear_errors("estimating") as status:
        if data.is_dir():
            digest, found = effects_of_package(data, _names(moderators))
        else:
            columns = {"outcome": outcome, "treatment": treatment, "probability": probability}
            digest, found = effects_of_table(
                data,
                **columns,
                participant=participant,
                available=available,
                moderators=_names(moderators),
                controls=_names(controls),
            )
        document = {"dataset": digest, "effects": [asdict(one) for one in found]}
        if track:
            from training.registry.tracking import log_run  # noqa: PLC0415

            status.update("logging to MLflow")
            log_run("effects", document)
    if as_json:
        show_json(document)
        return
    table = Table("", "", "estimate", "95 %", "p", "rounds", "participants")
    for one in found:
        for part in one.coefficients:
            numbers = [f"{part.estimate:+.4f}", f"{part.low:+.4f} to {part.high:+.4f}", f"{part.p_value:.3f}"]
            table.add_row(one.action, part.name, *numbers, str(one.rounds), str(one.participants))
        if not one.coefficients:
            table.add_row(one.action, "too few rounds", "", "", "", str(one.rounds), str(one.participants))
    console().print(table)


@analyse.command()
def power(
    participants: Annotated[
        int | None, typer.Option(min=2, help="Number of participants; without it, the needed number is computed.")
    ] = None,
    weeks: Annotated[int, typer.Option(min=1, help="Weeks of the confirm phase.")] = 12,
    difference: Annotated[float, typer.Option(min=0.001, help="Difference to detect, in reward per week.")] = 0.03,
    differ_share: Annotated[
        float, typer.Option(min=0.01, max=1, help="Share of decisions in which candidate and rules differ.")
    ] = 0.6,
    wanted: Annotated[
        float, typer.Option("--power", min=0.5, max=0.999, help="Wanted probability of detecting it.")
    ] = 0.9,
    trial: Annotated[
        float | None,
        typer.Option(min=0.01, max=5, help="Plan a micro-randomised trial instead, for this standardised effect."),
    ] = None,
    probability: Annotated[
        float, typer.Option(min=0.01, max=0.99, help="With --trial: probability of treatment.")
    ] = 0.5,
    availability: Annotated[
        float, typer.Option(min=0.01, max=1, help="With --trial: share of rounds in which treatment is possible.")
    ] = 1.0,
    as_json: Json = False,
) -> None:
    """Plan a confirm phase: the number of participants that it needs, or the power with a given number.

    `--trial` plans a micro-randomised trial with one decision per week instead.
    """
    from training.trials.effects import mrt_participants, mrt_power  # noqa: PLC0415
    from training.trials.power import confirm_plan, participants_for  # noqa: PLC0415

    with clear_errors("planning"):
        if trial is not None and not math.isfinite(trial):
            raise ValueError("--trial is not an effect size")
        if trial is not None:
            options = {"effect": trial, "probability": probability, "availability": availability}
            people = participants or mrt_participants(weeks, power=wanted, **options)
            document = {"participants": people, "weeks": weeks, **options}
            document["power"] = mrt_power(
                people, weeks, effect=trial, probability=probability, availability=availability
            )
        else:
            options = {"difference": difference, "differ_share": differ_share}
            people = participants or participants_for(weeks, power=wanted, **options)
            document = asdict(confirm_plan(people, weeks, difference=difference, differ_share=differ_share))
    if as_json:
        show_json(document)
        return
    found = f"a difference of {difference:g} a week" if trial is None else f"a standardised effect of {trial:g}"
    power_text = f"with a power of {document['power']:.1%}"
    typer.echo(f"{document['participants']} participants over {weeks} weeks detect {found} {power_text}")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
