"""Commands that change the served policy: `promote`, `rollback`."""

from dataclasses import asdict
from typing import Annotated

import typer

from coach_model.onnx_policy import PROMOTED
from training.cli.shell import Artifact, Json, Models, Track, clear_errors, show_json

serve = typer.Typer()


@serve.command()
def promote(
    artifact: Artifact,
    models: Models = PROMOTED,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Install it as a challenger: its decisions are logged but not served.")
    ] = False,
    despite: Annotated[str, typer.Option(help="Promote without the gate's verdict; the text is the reason.")] = "",
    track: Track = True,
    as_json: Json = False,
) -> None:
    """Serve a policy that the gate has promoted. A running service loads it by itself. The former policy is kept."""
    from training.registry import promote as promoting  # noqa: PLC0415 - keeps --help fast

    with clear_errors("promoting") as status:
        if shadow:
            policy_id = promoting.put_in_shadow(artifact, models).policy_id
            document: dict[str, object] = {"action": "shadow", "policy_id": policy_id}
            said = f"{models}: {policy_id} decides in shadow mode"
        else:
            change = promoting.promote(artifact, models, despite=despite)
            document, policy_id = asdict(change), change.policy_id
            said = f"{models}: {policy_id} is served from now on"
        if track:
            from training.registry.tracking import set_alias  # noqa: PLC0415

            status.update("telling MLflow")
            set_alias("challenger" if shadow else "champion", policy_id, artifact)
    if as_json:
        show_json(document)
    else:
        typer.echo(said)


@serve.command()
def rollback(
    models: Models = PROMOTED,
    coach: Annotated[str, typer.Option(help="The coach: `budget` or `daily`.")] = "budget",
    shadow: Annotated[bool, typer.Option("--shadow", help="Remove the challenger from shadow mode instead.")] = False,
    track: Track = True,
    as_json: Json = False,
) -> None:
    """Serve the policy that was served before the last promotion."""
    from training.registry import promote as promoting  # noqa: PLC0415

    with clear_errors("rolling back") as status:
        if shadow:
            promoting.take_from_shadow(models)
            document: dict[str, object] = {"action": "end of shadow"}
            said = f"{models}: the challenger is removed from shadow mode"
        else:
            if coach not in promoting.CONTRACTS:
                raise ValueError(f"there is no coach {coach!r}; there are {' and '.join(promoting.CONTRACTS)}")
            change = promoting.rollback(models, coach)
            document, said = asdict(change), f"{models}: {change.policy_id} is served again"
            if track:
                from training.registry.tracking import set_alias  # noqa: PLC0415

                status.update("telling MLflow")
                set_alias("champion", change.policy_id, models / coach)
    if as_json:
        show_json(document)
    else:
        typer.echo(said)
