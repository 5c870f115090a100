"""Commands for researchers: `effects` of single actions, and the `power` of a planned study."""

import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from training.cli.shell import Jobs, Json, Track, clear_errors, console, log_afterwards, show_json

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

    with clear_errors("estimating"):
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
        log_afterwards(track, lambda tracking: tracking.log_run("effects", document))
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
    studies: Annotated[
        int,
        typer.Option(min=0, max=10_000, help="Simulated studies of each size, judged by the whole gate; 0 for none."),
    ] = 100,
    jobs: Jobs = -1,
    as_json: Json = False,
) -> None:
    """Plan a confirm phase: the number of participants that it needs, or the power with a given number.

    Prints two powers: that of the bound alone, by a formula, and that of the whole gate, by simulated studies. The
    whole gate counts: it also needs overlap, guardrails, segments and missing outcomes that explain nothing.
    `--trial` plans a micro-randomised trial with one decision per week instead.
    """
    if trial is not None:
        with clear_errors("planning"):
            document = _planned_trial(participants, weeks, wanted, trial, probability, availability)
        detected = f"a standardised effect of {trial:g} with a power of {document['power']:.1%}"
        said = [f"{document['participants']} participants over {weeks} weeks detect {detected}"]
    else:
        with clear_errors("planning") as status:
            document = _planned(participants, weeks, difference, differ_share, wanted, studies, jobs, status.update)
        said = _told(document)
    if as_json:
        show_json(document)
    else:
        typer.echo("\n".join(said))


def _planned_trial(
    participants: int | None, weeks: int, power: float, effect: float, probability: float, availability: float
) -> dict[str, Any]:
    """The plan of a micro-randomised trial."""
    from training.trials.effects import mrt_participants, mrt_power  # noqa: PLC0415

    if not math.isfinite(effect):
        raise ValueError("--trial is not an effect size")
    options = {"effect": effect, "probability": probability, "availability": availability}
    people = participants or mrt_participants(weeks, power=power, **options)
    power = mrt_power(people, weeks, effect=effect, probability=probability, availability=availability)
    return {"participants": people, "weeks": weeks, **options, "power": power}


def _planned(
    participants: int | None,
    weeks: int,
    difference: float,
    differ_share: float,
    wanted: float,
    studies: int,
    jobs: int,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """The plan of a confirm phase, with `gate` None if nothing is simulated."""
    from training.trials.power import confirm_plan, participants_for  # noqa: PLC0415

    if not math.isfinite(difference):
        raise ValueError("--difference is not a number")
    options = {"difference": difference, "differ_share": differ_share}
    people = participants or participants_for(weeks, power=wanted, **options)
    plan, gate = confirm_plan(people, weeks, **options), None
    why = ""
    if studies:
        from training.trials.gate_power import participants_for_gate, simulated_power  # noqa: PLC0415

        try:
            if participants:
                gate = simulated_power(plan, studies=studies, jobs=jobs, progress=progress)
            else:
                gate = participants_for_gate(plan, power=wanted, studies=studies, jobs=jobs, progress=progress)
                plan = gate.plan
        except ValueError as error:  # the formula's answer stands
            why = str(error)
    found = {name: value for name, value in asdict(gate).items() if name != "plan"} if gate else None
    return asdict(plan) | {"gate": found, "not_simulated": why}


def _told(document: dict[str, Any]) -> list[str]:
    """The plan of a confirm phase in lines."""
    what = f"a difference of {document['difference']:g} a week in {document['differ_share']:.0%} of the decisions"
    said = [f"{document['participants']} participants over {document['weeks']} weeks, {what}:"]
    said.append(f"  power of the bound alone {document['power']:.1%}, by a formula")
    said += [f"  too little overlap: {problem}" for problem in document["problems"]]
    gate = document["gate"]
    if document["not_simulated"]:
        said.append(f"  not simulated: {document['not_simulated']}")
    if gate is not None:
        span = f"{gate['low']:.1%} to {gate['high']:.1%}"
        said.append(f"  promoted by the whole gate {gate['power']:.1%} ({span}), {gate['studies']} simulated studies")
        said += [f"    {name} stood against it in {share:.0%}" for name, share in gate["against"].items()]
    return said


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
