"""The command `buddy-train`: trains, evaluates, promotes and analyses policies."""

import sys

import typer

from training.cli.analyse import analyse
from training.cli.judge import judge
from training.cli.learn import learn
from training.cli.serve import serve
from training.cli.shell import COMMAND

app = typer.Typer(
    help="Train, evaluate and inspect the coach's policies. Every command reads and writes files only.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for commands in (learn, judge, serve, analyse):
    app.add_typer(commands)


@app.callback()
def _main(context: typer.Context) -> None:
    """Arguments are text in UTF-8: a shell passes other bytes as half characters, which no file of ours can hold."""
    if any("\ud800" <= character <= "\udfff" for argument in sys.argv for character in argument):
        print("error: an argument is no text in UTF-8", file=sys.stderr)
        raise typer.Exit(2)
    COMMAND.set(context)
