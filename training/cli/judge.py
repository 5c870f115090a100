"""Commands that evaluate policies and check logs: `evaluate`, `gate`, `report`, `replay`, `audit`, `shadow`."""

import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from training.cli.results import show_values, show_verdict
from training.cli.shell import (
    UNDECIDED,
    Artifact,
    Dataset,
    Jobs,
    Json,
    Track,
    clear_errors,
    console,
    errors,
    exit_by,
    log_afterwards,
    show_json,
)

if TYPE_CHECKING:
    from training.budget.run_gate import Judged

judge = typer.Typer()
Ledger = Annotated[Path, typer.Option(help="The file that records each look of the gate at a study.")]
LEDGER = Path("var/gate-looks.jsonl")
Key = Annotated[Path, typer.Option(envvar="GATE_KEY", help="The private key that signs the verdict; made if missing.")]
Trusted = Annotated[
    Path, typer.Option(envvar="GATE_TRUSTED_KEYS", help="The file of trusted keys, which a new key is added to.")
]
KEY, TRUSTED = Path("var/gate-key.pem"), Path("var/gate-trusted.txt")
OddsRatio = Annotated[
    float | None,
    typer.Option(
        "--missing-odds-ratio",
        min=1,
        max=1000,
        help="How much the odds of being observed may depend on the outcome itself, stated before the first look and "
        "recorded; 2 by default.",
    ),
]
FewPeople = Annotated[
    str,
    typer.Option(
        help="For a trial of fewer than about twenty people: the reason for which one participant may have more than "
        "5 % of the weight. It is recorded and printed, and widens nothing."
    ),
]
Column = Annotated[str, typer.Option(help="For a table of your own: name of this column.")]


@judge.command()
def evaluate(
    data: Annotated[Path, typer.Argument(help="A dataset package, or any CSV or Parquet file of a log.", exists=True)],
    artifact: Annotated[
        Path | None, typer.Option(help="For a package: the policy to evaluate.", exists=True, file_okay=False)
    ] = None,
    action: Column = "action",
    propensity: Column = "propensity",
    reward: Column = "reward",
    participant: Annotated[
        str | None, typer.Option(help="Column of the participant; without it, rounds count as independent.")
    ] = None,
    target: Annotated[str, typer.Option(help="Prefix of the columns of the target policy's probabilities.")] = "pi_",
    expected: Annotated[
        str | None, typer.Option(help="Prefix of the columns of the expected reward q̂; without it, q̂ is fitted.")
    ] = None,
    context: Annotated[str | None, typer.Option(help="Prefix of the columns that q̂ is fitted on.")] = None,
    resamples: Annotated[int, typer.Option(min=0, help="Resamples of a clustered bootstrap; 0 for none.")] = 1000,
    few_people: FewPeople = "",
    jobs: Jobs = -1,
    track: Track = True,
    as_json: Json = False,
) -> None:
    """Estimate the value of a policy with seven estimators and their intervals. Prints "insufficient evidence" when the
    overlap is too small (exit code 3).

    For a dataset package: the policy in --artifact, compared with the rules. For any other table: the policy whose
    probabilities are in the columns pi_0, pi_1, …; the options name the columns.
    """
    from training.budget.evaluate import evaluate_foreign, evaluate_package  # noqa: PLC0415 - keeps --help fast

    with clear_errors("reading") as status:
        if data.is_dir():
            if artifact is None:
                raise ValueError(f"{data} is a dataset package: name the policy to evaluate with --artifact")
            document = evaluate_package(data, artifact, resamples, jobs, status.update, few_people=few_people)
        else:
            columns = {"action": action, "propensity": propensity, "reward": reward, "participant": participant}
            prefixes = {"target": target, "expected": expected, "context": context}
            named: dict[str, Any] = columns | prefixes
            document = evaluate_foreign(data, resamples, jobs, status.update, few_people=few_people, **named)
        log_afterwards(track, lambda tracking: tracking.log_run("evaluate", document))
    if as_json:
        show_json(document)
    else:
        show_values(document)
    if document["problems"]:
        raise typer.Exit(UNDECIDED)


@judge.command()
def gate(
    dataset: Dataset,
    artifact: Artifact,
    ledger: Ledger = LEDGER,
    planned_rounds: Annotated[
        int | None, typer.Option(min=1, help="For an interim look: number of decisions of the whole phase.")
    ] = None,
    odds_ratio: OddsRatio = None,
    few_people: FewPeople = "",
    key: Key = KEY,
    trusted: Trusted = TRUSTED,
    jobs: Jobs = -1,
    track: Track = True,
    as_json: Json = False,
) -> None:
    """Decide whether a candidate may replace the rules. Exit code 0: promote, 1: reject, 3: insufficient evidence.

    For a dataset package: a policy of the budget coach. For a daily log: a ranking of the daily coach. The verdict is
    written on the candidate's card, and the look is recorded in the ledger.
    """
    from data.logs.daily import is_daily_log  # noqa: PLC0415

    if is_daily_log(dataset):
        _gate_daily(dataset, artifact, ledger, (key, trusted), track=track, as_json=as_json)
        return
    from training.budget.run_gate import judge_artifact  # noqa: PLC0415

    with clear_errors("judging") as status:
        judged = judge_artifact(
            dataset,
            artifact,
            ledger=ledger,
            planned_rounds=planned_rounds,
            odds_ratio=odds_ratio,
            few_people=few_people,
            keys=(key, trusted),
            jobs=jobs,
            progress=status.update,
        )
        document = judged.summary() | {"policy_id": judged.policy.policy_id}
        log_afterwards(track, lambda tracking: _log_gate(tracking, judged, artifact, document))
    if as_json:
        show_json(document)
    else:
        show_verdict(document)
    exit_by(document["verdict"])


def _log_gate(tracking: ModuleType, judged: "Judged", artifact: Path, document: dict[str, Any]) -> None:
    """Log the verdict with the artifact and the report."""
    from training.reporting.report import write_report  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        write_report(judged, page)
        tracking.log_run("gate", document, files=[artifact, page])


def _gate_daily(
    dataset: Path, artifact: Path, ledger: Path, keys: tuple[Path, Path], *, track: bool, as_json: bool
) -> None:
    """The gate of the daily coach, on a daily log."""
    from training.daily.train import judge_daily  # noqa: PLC0415

    with clear_errors("judging") as status:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        document = judge_daily(dataset, artifact, ledger, now, status.update, keys=keys)
        log_afterwards(track, lambda tracking: tracking.log_run("gate", document, files=[artifact]))
    if as_json:
        show_json(document)
    else:
        shown = console()
        shown.print(f"[bold]{document['verdict']}[/bold]  {document['policy_id']}", highlight=False)
        for reason in document["reasons"]:
            shown.print(f"  {reason}", highlight=False, soft_wrap=True)
        counted = f"{document['days']} days of {document['households']} households, look {document['look']}"
        shown.print(counted, highlight=False)
    exit_by(document["verdict"])


@judge.command()
def report(
    dataset: Dataset,
    artifact: Artifact,
    out: Annotated[Path, typer.Option(help="The HTML file to write.")] = Path("report.html"),
    ledger: Ledger = LEDGER,
    odds_ratio: OddsRatio = None,
    few_people: FewPeople = "",
    key: Key = KEY,
    trusted: Trusted = TRUSTED,
    jobs: Jobs = -1,
    track: Track = True,
    as_json: Json = False,
) -> None:
    """Write one self-contained HTML page about a candidate, with the verdict first.

    It runs the gate as `gate` does: the verdict is written on the candidate's card, and the look is recorded in the
    ledger.
    """
    from training.budget.run_gate import judge_artifact  # noqa: PLC0415
    from training.reporting.report import write_report  # noqa: PLC0415

    with clear_errors("judging") as status:
        judged = judge_artifact(
            dataset,
            artifact,
            ledger=ledger,
            odds_ratio=odds_ratio,
            few_people=few_people,
            keys=(key, trusted),
            jobs=jobs,
            progress=status.update,
        )
        status.update("drawing")
        write_report(judged, out)
        log_afterwards(
            track,
            lambda tracking: tracking.log_run(
                "report", judged.summary() | {"policy_id": judged.policy.policy_id}, files=[out]
            ),
        )
    if as_json:
        show_json(judged.summary() | {"policy_id": judged.policy.policy_id, "page": str(out)})
    else:
        typer.echo(f"{out}: {judged.policy.policy_id}, {judged.judgement.verdict}")


@judge.command()
def replay(
    dataset: Dataset,
    artifacts: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders of the artifacts that acted.", exists=True, file_okay=False),
    ] = None,
    track: Track = True,
    as_json: Json = False,
) -> None:
    """Draw every logged decision again from its probabilities and seed, and recompute the probabilities.

    Exit code 1 when anything differs.
    """
    from coach_model.budget.coach import CONTRACT  # noqa: PLC0415
    from coach_model.onnx_policy import load_policy  # noqa: PLC0415
    from data.packages.reader import read_package  # noqa: PLC0415
    from training.budget.replay import replay as replay_log  # noqa: PLC0415

    with clear_errors("replaying"):
        policies = [load_policy(folder, CONTRACT) for folder in artifacts or []]
        package = read_package(dataset)
        found = replay_log(package, {policy.policy_id: policy for policy in policies})
        document = asdict(found) | {"identical": found.identical, "dataset": package.digest}
        log_afterwards(track, lambda tracking: tracking.log_run("replay", document))
    if as_json:
        show_json(document)
    else:
        said = "no difference" if found.identical else "DIFFERENT"
        gap = f"largest difference of a probability {found.largest_gap:.1e}"
        typer.echo(f"{found.decisions} decisions, {found.drawn} of them drawn at random: {said} ({gap})")
        for what, rows in found.differences.items():
            if rows:
                typer.echo(f"  {what}: {rows} decisions")
        for policy_id, rows in found.without_artifact.items():
            errors.print(f"[yellow]not recomputed:[/yellow] {rows} decisions with {policy_id}", highlight=False)
    if not found.identical:
        raise typer.Exit(1)


@judge.command()
def audit(dataset: Dataset, track: Track = True, as_json: Json = False) -> None:
    """Check that decisions were drawn with the logged probabilities. For researchers, before an analysis.

    Exit code 1 when a check fails.
    """
    from data.logs.budget import budget_log  # noqa: PLC0415
    from data.packages.reader import read_package  # noqa: PLC0415
    from training.budget.audit import audit as audit_log  # noqa: PLC0415

    with clear_errors("auditing"):
        package = read_package(dataset)
        found = audit_log(budget_log(package), package)
        document = asdict(found) | {"fine": found.fine, "dataset": package.digest}
        log_afterwards(track, lambda tracking: tracking.log_run("audit", document))
    if as_json:
        show_json(document)
    else:
        table = Table("", "", "found", show_edge=False)
        words = {True: "[green]fine[/green]", False: "[red]failed[/red]", None: "–"}
        for check in found.checks:
            table.add_row(words[check.fine], check.what, check.found)
        console().print(table)
    if not found.fine:
        raise typer.Exit(1)


@judge.command()
def shadow(dataset: Dataset, track: Track = True, as_json: Json = False) -> None:
    """Count how often a challenger in shadow mode would have decided differently. It compares decisions, not values."""
    from data.packages.reader import read_package  # noqa: PLC0415
    from training.budget.shadow import shadow as compare  # noqa: PLC0415

    with clear_errors("comparing"):
        package = read_package(dataset)
        found = compare(package)
        log_afterwards(
            track,
            lambda tracking: tracking.log_run(
                "shadow", {"dataset": package.digest, "challengers": [asdict(one) for one in found]}
            ),
        )
    if as_json:
        show_json([asdict(one) for one in found])
        return
    table = Table("challenger", "decisions", "differs", "wants", "culture", "savings", "from the rules")
    for one in found:
        levers = [f"{share:.1%}" for share in one.by_lever.values()]
        table.add_row(one.policy_id, str(one.decisions), f"{one.differs:.1%}", *levers, f"{one.differs_from_rules:.1%}")
    console().print(table)
