"""Shared parts of the commands of `buddy-train`: options, errors in one line, tables and JSON."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.status import Status

from coach_model.onnx_policy import ArtifactMissing, ArtifactRefused
from training.registry.verdicts import INSUFFICIENT, PROMOTE, Refused

errors = Console(stderr=True)
COMMAND: ContextVar[typer.Context] = ContextVar("COMMAND")
"""The command that runs; typer has no public way to ask for it."""
REFUSED, FAILED, UNDECIDED = 1, 2, 3
"""Exit codes: what was asked for is refused, could not be done, cannot be decided by these data. 2 is a wrong option,
too."""
WIDE = 160
"""Width in characters of a table that goes to a file or a pipe, so that nothing is cut off."""


def _jobs(count: int) -> int:
    if count == 0:
        raise typer.BadParameter("0 workers can do no work; -1 means one per core")
    return count


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
Track = Annotated[bool, typer.Option(help="Log the run to MLflow (MLFLOW_TRACKING_URI, else var/mlflow.db).")]
Dataset = Annotated[Path, typer.Argument(help="Folder of the dataset package.", exists=True, file_okay=False)]
Artifact = Annotated[Path, typer.Argument(help="Folder of policy.onnx and policy.json.", exists=True, file_okay=False)]
Jobs = Annotated[
    int, typer.Option(min=-1, callback=_jobs, help="Number of threads or processes; -1 means one per core.")
]
Models = Annotated[Path, typer.Option(envvar="COACH_MODEL_DIR", help="Where the service looks for artifacts.")]


@contextmanager
def clear_errors(doing: str) -> Iterator[Status]:
    """Shows progress on a terminal. An expected error ends the command with one line: exit code 1 (`REFUSED`) if what
    was asked for is refused, 2 (`FAILED`) if it could not be done."""
    try:
        with errors.status(doing) as status:
            yield status
    except (ValueError, OSError, ArtifactMissing, ArtifactRefused) as error:
        errors.print(f"[red]error:[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(REFUSED if isinstance(error, Refused) else FAILED) from error


def log_afterwards(track: bool, log: Callable[[ModuleType], object]) -> None:
    """Log to MLflow once the command has printed its result: `log` gets `training.registry.tracking`. When that fails,
    a warning says so; the result and the exit code stay what they are."""

    def run() -> None:
        from training.registry import tracking  # noqa: PLC0415 - keeps --help fast

        try:
            with errors.status("logging to MLflow"), tracking.tracked():
                log(tracking)
        except tracking.TrackingFailed as failed:
            errors.print(
                f"[yellow]warning:[/yellow] not logged: {escape(str(failed))}", highlight=False, soft_wrap=True
            )

    if track:
        COMMAND.get().call_on_close(run)


def exit_by(verdict: str) -> None:
    """Exit with the code of a gate's verdict: 0 for `promote`."""
    if verdict != PROMOTE:
        raise typer.Exit(UNDECIDED if verdict == INSUFFICIENT else REFUSED)


def console() -> Console:
    """The console for tables on the standard output."""
    shown = Console()
    return shown if shown.is_terminal else Console(width=WIDE)


def show_json(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, default=str))


def interval(found: Mapping[str, float] | Any) -> str:
    """An interval as text, such as `+0.0301 (+0.0201 to +0.0401)`."""
    values = found if isinstance(found, Mapping) else vars(found)
    return f"{values['estimate']:+.4f} ({values['low']:+.4f} to {values['high']:+.4f})"
