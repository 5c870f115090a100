"""The command `buddy-train`: trains, evaluates, promotes and analyses policies."""

import typer

from training.cli.analyse import analyse
from training.cli.judge import judge
from training.cli.learn import learn
from training.cli.serve import serve

app = typer.Typer(
    help="Train, evaluate and inspect the coach's policies. Every command reads and writes files only.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for commands in (learn, judge, serve, analyse):
    app.add_typer(commands)
