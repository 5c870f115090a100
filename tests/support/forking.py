"""Our own commands, each in a process, a folder and an environment of its own, but forked from a process that has
imported all of it before. Starting Python and importing takes over a second, forking takes milliseconds, and the tests
start hundreds. Some start from a shell nevertheless, as an operator does: `tests.support.serving.service` can.
"""

import importlib
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

type Buddy = Callable[..., subprocess.CompletedProcess[str]]

CLI = "api.cli.main:main"
PRELOADED = [
    *("tests.support.lived", "api.cli.main", "api.db.migrate", "api.kakei.exports.process", "fastadmin"),
    *("api.http.server", "uvicorn.loops.auto", "uvicorn.lifespan.on"),
]
"""No library of training, and nothing that starts a thread."""

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(PRELOADED)


class Forked:
    """A running command, with what tests ask of `subprocess.Popen`."""

    def __init__(self, process: "BaseProcess") -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Raises `subprocess.TimeoutExpired`."""
        self._process.join(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return code

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


def start(
    program: str, arguments: list[str], folder: Path, environment: Mapping[str, str], out: Path, err: Path
) -> Forked:
    """`module:function` with `arguments` as its command line; what it prints is added to `out` and `err`."""
    command = ["buddy", *arguments]
    told = (program, command, str(folder), dict(environment), str(out), str(err))
    process = _processes.Process(target=_become, args=told, name=" ".join(command), daemon=True)
    process.start()
    return Forked(process)


def run(
    *arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`buddy` with these arguments, to its end."""
    with tempfile.TemporaryDirectory(prefix="buddy-said-") as said:
        out, err = Path(said, "out"), Path(said, "err")
        code = start(CLI, [*arguments], cwd or Path.cwd(), os.environ if env is None else env, out, err).wait()
        return subprocess.CompletedProcess(["buddy", *arguments], code, out.read_text("utf-8"), err.read_text("utf-8"))


def buddy(folder: Path, **environment: str) -> Buddy:
    """`buddy` in a folder and with these settings only."""

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run(*arguments, cwd=folder, env={"PATH": os.environ["PATH"]} | environment)

    return command


def _become(program: str, command: list[str], folder: str, environment: dict[str, str], out: str, err: str) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for descriptor, path in ((1, out), (2, err)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.argv = command
    module, _, function = program.partition(":")
    getattr(importlib.import_module(module), function)()
