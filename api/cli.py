"""`buddy`."""

import typer

app = typer.Typer()
