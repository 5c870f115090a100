"""What `buddy serve` imports before its first answer. Importing is nearly all of a start, and a count is the same on a
busy machine."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from tests.support.forking import run
from tests.support.local_servers import free_port
from tests.support.serving import CLIENT, DEFAULTS

NOT_NEEDED = {
    "alembic": "the tables are those of this version",
    "anthropic": "no family has a key of Claude's",
    "fastadmin": "no one opened the admin",
    "jinja2": "no family opened a page",
    "jwt": "no one logged in to the admin",
    "mako": "a part of alembic",
    "redis": "REDIS_URL is not set",
}
MOST_MODULES = 1_460
"""Those of Python, of the libraries and of ours together; 1,425 with Python 3.12 when this was written."""
STARTING_SECONDS = 120


def imported(folder: Path) -> list[str]:
    """The modules that a new process imported until it answered a suggestion, on a database of this version."""
    environment = {name: value for name, value in os.environ.items() if name != "COACH_MODEL_DIR"} | DEFAULTS
    assert run("db", "upgrade", cwd=folder, env=environment).returncode == 0
    port, report = free_port(), folder / "imports.txt"
    command = [sys.executable, "-X", "importtime", "-m", "api", "serve", "--port", str(port)]
    with report.open("wb") as errors:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=errors)
    try:
        _first_answer(port)
        return re.findall(r"^import time: +\d+ \| +\d+ \| *(\S+)$", report.read_text(errors="replace"), re.MULTILINE)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STARTING_SECONDS)


def _first_answer(port: int) -> None:
    deadline = time.monotonic() + STARTING_SECONDS
    while True:
        try:
            answer = CLIENT.post(f"http://127.0.0.1:{port}/coach/suggestions", json=EXAMPLE_CONTEXT)
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            assert answer.json()["source"] == "policy"
            return


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return imported(tmp_path_factory.mktemp("start"))


def test_what_the_first_answer_does_not_need_is_not_imported(modules: list[str]) -> None:
    assert "api.app" in modules
    found = sorted({module.partition(".")[0] for module in modules} & set(NOT_NEEDED))
    assert found == [], [f"{name}, although {NOT_NEEDED[name]}" for name in found]


def test_the_number_of_imported_modules_has_a_budget(modules: list[str]) -> None:
    by_library: dict[str, int] = {}
    for module in modules:
        library = module.partition(".")[0]
        by_library[library] = by_library.get(library, 0) + 1
    most = dict(sorted(by_library.items(), key=lambda pair: -pair[1])[:15])
    assert len(modules) <= MOST_MODULES, f"{len(modules)} modules, among them {most}"


def test_importing_the_app_has_no_effects(tmp_path: Path) -> None:
    """No file, no thread, no output, no environment variable, and no handler of logs or signals."""
    code = """
import logging, os, signal, threading
before = dict(os.environ), signal.getsignal(signal.SIGTERM), list(logging.root.handlers)
import api.app
assert before == (dict(os.environ), signal.getsignal(signal.SIGTERM), list(logging.root.handlers))
assert threading.active_count() == 1
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert list(tmp_path.iterdir()) == []
