"""`buddy secrets`: replaces an old SECRET_KEY."""

import json
from dataclasses import asdict
from pathlib import Path

import typer

from api.console import Json, exit_on, read_settings, with_database

secrets_app = typer.Typer(help="Manage SECRET_KEY.", no_args_is_help=True)


@secrets_app.callback()
def _main() -> None:
    """Makes Typer keep the name of the sub-command."""


@secrets_app.command()
def rotate(as_json: Json = False) -> None:
    """Encrypt all values again with the newest key, so that an older one can be removed.

    With SECRET_KEY: set `new,old`, restart the service, run this while it runs, then set `new` alone. With the key file
    of SQLite: stop the service and run this; it makes the new key itself. It keeps the old key in `secret-key.retired`
    for older backups; delete that file together with the last of them. If it is interrupted, run it again.
    """
    from api.auth import key_file  # noqa: PLC0415 - help should not wait
    from api.auth.key_rotation import Progress  # noqa: PLC0415
    from api.auth.key_rotation import rotate as encrypt_again  # noqa: PLC0415
    from api.auth.keyring import Keyring, SecretMissing, key_file_of, keyring  # noqa: PLC0415
    from api.db.service_lock import ServiceRuns, file_lock  # noqa: PLC0415

    settings = read_settings()

    def told(progress: Progress) -> None:
        typer.echo(f"{progress.seen} looked at, {progress.rotated} encrypted again", err=True)

    def run(ring: Keyring) -> Progress:
        return with_database(settings, lambda database: encrypt_again(database, ring, told))

    with exit_on(SecretMissing, ServiceRuns, key_file.KeyFileBroken):
        if settings.secret_key is not None:
            done, retired = run(keyring(settings)), "older keys may be taken out of SECRET_KEY"
        else:
            file: Path = key_file_of(settings)
            with file_lock(settings.database, exclusive=True):
                keys, _ = key_file.read_or_make(file)
                kept = key_file.retired_keys(file)
                if len(keys) == 1:
                    keys = [key_file.new_key(), *keys]
                    key_file.write(file, keys, replace=True)
                aside = key_file.retired_file(file)
                done, retired = run(Keyring([*keys, *kept])), f"older keys are in {aside}, for backups of before"
                if not done.lost:
                    key_file.write(aside, list(dict.fromkeys([*keys[1:], *kept])), replace=True)
                    key_file.write(file, keys[:1], replace=True)
    if as_json:
        typer.echo(json.dumps(asdict(done)))
    if done.lost:
        typer.echo(f"error: {done.lost} values are opened by none of the keys: keep every key", err=True)
        raise typer.Exit(1)
    if not as_json:
        typer.echo(f"{done.rotated} of {done.seen} values encrypted again; {retired}")
