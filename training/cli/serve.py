"""Commands that change the served policy: `promote`, `rollback`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from coach_model.onnx_policy import PROMOTED
from training.cli.shell import Artifact, Json, Models, Track, clear_errors, log_afterwards, show_json

serve = typer.Typer()
KEY, TRUSTED = Path("var/gate-key.pem"), Path("var/gate-trusted.txt")


@serve.command()
def promote(
    artifact: Artifact,
    models: Models = PROMOTED,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Install it as a challenger: its decisions are logged but not served.")
    ] = False,
    despite: Annotated[str, typer.Option(help="Promote without the gate's verdict; the text is the reason.")] = "",
    trusted: Annotated[
        Path, typer.Option(envvar="GATE_TRUSTED_KEYS", help="File with the public keys of gates, one a line.")
    ] = TRUSTED,
    track: Track = True,
    as_json: Json = False,
) -> None:
    """Serve a policy that the gate has promoted. A running service loads it by itself. The former policy is kept.

    The verdict must be signed by a gate that this machine trusts, for just this graph and card. The gates of this
    machine are trusted; `buddy-train gate-key` prints the line for other machines.
    """
    from training.registry import promote as promoting  # noqa: PLC0415 - keeps --help fast

    with clear_errors("promoting"):
        if shadow:
            policy_id = promoting.put_in_shadow(artifact, models).policy_id
            document: dict[str, object] = {"action": "shadow", "policy_id": policy_id}
            said = f"{models}: {policy_id} decides in shadow mode"
        else:
            change = promoting.promote(artifact, models, despite=despite, trusted=trusted)
            document, policy_id = asdict(change), change.policy_id
            said = f"{models}: {policy_id} is served from now on"
        alias = "challenger" if shadow else "champion"
        log_afterwards(track, lambda tracking: tracking.set_alias(alias, policy_id, artifact))
    if as_json:
        show_json(document)
    else:
        typer.echo(said)


@serve.command(name="gate-key")
def gate_key(
    key: Annotated[Path, typer.Option(envvar="GATE_KEY", help="The gate's private key; made if it is missing.")] = KEY,
    trusted: Annotated[
        Path, typer.Option(envvar="GATE_TRUSTED_KEYS", help="File with the public keys of gates, one a line.")
    ] = TRUSTED,
    trust: Annotated[
        str | None, typer.Option(help="Trust another machine's gate: the line that its `gate-key` prints.")
    ] = None,
) -> None:
    """Print the public key with which this machine's gate signs its verdicts, or trust that of another machine."""
    from training.registry import signing  # noqa: PLC0415 - keeps --help fast

    with clear_errors("reading the key"):
        if trust is not None:
            signing.trust(trust.strip(), trusted)
            typer.echo(f"{trusted}: verdicts of this key are trusted from now on")
        else:
            typer.echo(signing.public_line(signing.signing_key(key, trusted).public_key()))


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

    with clear_errors("rolling back"):
        if shadow:
            promoting.take_from_shadow(models)
            document: dict[str, object] = {"action": "end of shadow"}
            said = f"{models}: the challenger is removed from shadow mode"
        else:
            if coach not in promoting.CONTRACTS:
                raise ValueError(f"there is no coach {coach!r}; there are {' and '.join(promoting.CONTRACTS)}")
            change = promoting.rollback(models, coach)
            document, said = asdict(change), f"{models}: {change.policy_id} is served again"
            log_afterwards(track, lambda tracking: tracking.set_alias("champion", change.policy_id, models / coach))
    if as_json:
        show_json(document)
    else:
        typer.echo(said)
