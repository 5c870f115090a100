"""`buddy`: run the service."""

import sys
from typing import Annotated

import typer
from pydantic import ValidationError

from api.settings import Settings

DRAIN_SECONDS = 25
"""After SIGTERM, how long open requests may take."""

app = typer.Typer(
    help="Run Buddy Coach. Settings are environment variables; .env.example explains each.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _main() -> None:
    """Makes typer keep sub-commands."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Where to listen; HOST, else 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; PORT, else 8000.", min=0, max=65535)] = None,
) -> None:
    """Serve the API until SIGINT or SIGTERM."""
    import uvicorn  # noqa: PLC0415 - `buddy --help` should not wait for the service

    from api.app import create_app  # noqa: PLC0415

    settings = _settings()
    uvicorn.run(
        create_app(settings),
        host=host or settings.host,
        port=settings.port if port is None else port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors():
            print(f"error: {'.'.join(map(str, problem['loc'])).upper()}: {problem['msg']}", file=sys.stderr)
        raise typer.Exit(2) from error
