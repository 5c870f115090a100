"""Commands that make data and policies: `simulate`, `simulate-households`, `train`, `reach`."""

import importlib.metadata
import statistics
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from coach_model.budget.coach import CONTRACT, composite_levels
from coach_model.onnx_policy import load_policy
from training.cli.shell import Json, Track, clear_errors, console, interval, log_afterwards, show_json

learn = typer.Typer()


@learn.command()
def simulate(
    out: Annotated[Path, typer.Argument(help="Folder to write the dataset package into.")],
    participants: Annotated[int, typer.Option(min=2, help="Number of participants.")] = 300,
    weeks: Annotated[int, typer.Option(min=0, help="Weeks of the explore phase.")] = 16,
    epsilon: Annotated[float, typer.Option(min=0, max=1, help="Share of uniform noise in each lever.")] = 0.4,
    confirm_weeks: Annotated[int, typer.Option(min=0, help="Weeks of a confirm phase; needs --candidate.")] = 0,
    candidate: Annotated[
        Path | None, typer.Option(help="Artifact of the candidate in the confirm phase.", exists=True, file_okay=False)
    ] = None,
    effect: Annotated[
        float, typer.Option(min=0, help="Scales the effects of the levers; with 0 they have no effect.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same study.")] = 2026,
    parquet: Annotated[bool, typer.Option("--parquet", help="Write Parquet instead of CSV.")] = False,
    as_json: Json = False,
) -> None:
    """Simulate a study of people who budget by kakeibo, with a known truth, and write it as a dataset package."""
    from data.packages.reader import Kind, write_package  # noqa: PLC0415 - keeps --help fast
    from data.synthetic import study  # noqa: PLC0415

    with clear_errors("simulating"):
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise ValueError(f"{out} is there already")
        if not weeks and not confirm_weeks:
            raise ValueError("a study needs weeks: --weeks, or --confirm-weeks with a --candidate")
        config = study.StudyConfig(
            participants=participants,
            explore_weeks=weeks,
            confirm_weeks=confirm_weeks,
            explore_epsilon=epsilon,
            effect=effect,
            seed=seed,
        )
        policy = load_policy(candidate, CONTRACT) if candidate else None
        simulated = study.simulate(
            config,
            (lambda contexts: composite_levels(policy, contexts)) if policy else None,
            policy.policy_id if policy else "candidate",
        )
        title = f"Synthetic budget study: {participants} invented people, {weeks} weeks, seed {seed}"
        about = study.metadata(config)
        kind: Kind = "parquet" if parquet else "csv"
        digest = write_package(
            out, simulated.tables, name=f"synthetic-budget-{seed}", title=title, about=about, kind=kind
        )
    result = {"package": str(out), "digest": digest, "decisions": len(simulated.rounds), "synthetic": True}
    if as_json:
        show_json(result)
        return
    typer.echo(f"{out}: {len(simulated.rounds)} decisions of {participants} invented people (digest {digest[:12]})")


@learn.command()
def simulate_households(
    out: Annotated[Path, typer.Argument(help="Folder to write the daily log into.")],
    households: Annotated[int, typer.Option(min=3, help="Number of families.")] = 100,
    days: Annotated[int, typer.Option(min=1, help="Days of each family.")] = 42,
    epsilon: Annotated[
        float, typer.Option(min=0, max=1, help="Probability that one slot of a day is filled at random.")
    ] = 0.2,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same families.")] = 2026,
    as_json: Json = False,
) -> None:
    """Simulate families who follow the guides, with a known truth, and write them as a daily log."""
    from data.logs.daily import DailyLogWriter  # noqa: PLC0415 - keeps --help fast
    from data.synthetic.households import HouseholdConfig, about, rows_of, simulate  # noqa: PLC0415

    with clear_errors("simulating") as status:
        config = HouseholdConfig(households, days, epsilon, seed)
        writer = DailyLogWriter(out, synthetic=True)
        for shown in simulate(config):
            if not shown.day:
                status.update(f"family {shown.household + 1} of {households}")
            for row in rows_of(shown):
                writer.add(row)
        digest = writer.finish(about(config))
    if as_json:
        show_json({"package": str(out), "digest": digest, "synthetic": True})
    else:
        typer.echo(f"{out}: {days} days of {households} invented families (digest {digest[:12]})")


@learn.command()
def train(
    dataset: Annotated[Path, typer.Argument(help="The training data: a dataset package or a daily log.")],
    out: Annotated[Path, typer.Option(help="Folder to write policy.onnx and policy.json into.")],
    version: Annotated[
        str, typer.Option(help="First part of the policy's id; this package's version by default.")
    ] = "",
    all_participants: Annotated[
        bool,
        typer.Option(
            "--all-participants",
            help="Learn from all people of the explore phase. Only a confirm phase of its own can judge the policy.",
        ),
    ] = False,
    track: Track = True,
    as_json: Json = False,
) -> None:
    """Train a policy, evaluate it on held-out people, and write the artifact.

    A dataset package gives a policy of the budget coach, a daily log a policy of the daily coach.
    """
    from data.logs.daily import is_daily_log  # noqa: PLC0415 - keeps --help fast

    with clear_errors("training") as status:
        version = version or importlib.metadata.version("buddy-coach")
        if is_daily_log(dataset):
            from training.daily.train import train as train_ranking  # noqa: PLC0415

            if all_participants:
                raise ValueError("--all-participants is for studies of the budget coach, which have a confirm phase")
            card = train_ranking(dataset, out, version, status.update)
        else:
            from training.budget.train import train as train_policy  # noqa: PLC0415

            card = train_policy(dataset, out, version, status.update, all_participants=all_participants)
        log_afterwards(track, lambda tracking: tracking.log_trained(card, out))
    if as_json:
        show_json(card)
        return
    shown = console()
    shown.print(_summary(card) if card["coach"] == "budget" else _daily_summary(card))
    shown.print(f"[bold]{card['verdict']}[/bold]: {'; '.join(card['reasons'])}", highlight=False, soft_wrap=True)
    shown.print(f"{out}: {card['policy_id']}, {card['onnx']['bytes']} bytes", highlight=False, soft_wrap=True)


@learn.command()
def reach(
    seeds: Annotated[int, typer.Option(min=1, help="Number of simulated studies, with seeds 1, 2, …")] = 20,
    participants: Annotated[int, typer.Option(min=30, help="People in each study.")] = 300,
    weeks: Annotated[int, typer.Option(min=1, help="Weeks of each study's explore phase.")] = 16,
    all_participants: Annotated[
        bool, typer.Option("--all-participants", help="As `train --all-participants`.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare trained policies with the best possible one by their true values, over many simulated studies."""
    from data.synthetic.study import StudyConfig  # noqa: PLC0415
    from training.budget import oracle  # noqa: PLC0415

    with clear_errors("the best policy of the class") as status:
        config = StudyConfig(participants=participants, explore_weeks=weeks)
        yardstick = oracle.yardstick(config)
        results = []
        for seed in range(1, seeds + 1):
            status.update(f"study {seed} of {seeds}")
            one = StudyConfig(participants=participants, explore_weeks=weeks, seed=seed)
            results.append(oracle.reach(one, yardstick, all_participants=all_participants))
    if as_json:
        show_json([asdict(result) for result in results])
        return
    table = Table("seed", "rules", "learned", "best", "gain", "closed", title="True V_decision on unseen people")
    for row in results:
        gain = f"{row.gain:+.4f} ± {row.gain_error:.4f}"
        table.add_row(
            str(row.seed), f"{row.rules:.4f}", f"{row.learned:.4f}", f"{row.best:.4f}", gain, f"{row.closed:.0%}"
        )
    shown = console()
    shown.print(table)
    closed = [row.closed for row in results]
    above = sum(row.gain > 0 for row in results)
    shown.print(
        f"median {statistics.median(closed):.0%} closed, lowest {min(closed):.0%}; {above} of {seeds} above the rules"
    )


def _summary(card: dict[str, Any]) -> Table:
    evaluation = card["evaluation"]
    title = "On held-out people" + (" (synthetic)" if card["synthetic"] else "")
    table = Table("", "value", title=title)
    gain = interval(evaluation["additive"]["difference"])
    table.add_row("estimated gain over the rules, if the effects of levers add up", gain)
    for name, true in (evaluation["truth"] or {}).items():
        if isinstance(true, dict):
            table.add_row(f"true {name}", f"{true['value']:.4f} ± {true['error']:.4f}")
    table.add_row(
        "effective sample size where they differ", f"{evaluation['joint']['overlap']['effective_sample_size']:.0f}"
    )
    return table


def _daily_summary(card: dict[str, Any]) -> Table:
    evaluation = card["evaluation"]
    title = "On held-out families" + (" (synthetic)" if card["synthetic"] else "")
    table = Table("completions a day", "value", title=title)
    if evaluation["difference"]:
        table.add_row("estimated gain over the rules", interval(evaluation["difference"]))
    for name, value in (evaluation["truth"] or {}).items():
        table.add_row(f"true {name.replace('_', ' ')}", f"{value:.3f}")
    if evaluation["rollout"]:
        table.add_row("true gain in a rollout", interval(evaluation["rollout"]))
    return table
