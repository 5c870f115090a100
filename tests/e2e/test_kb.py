"""`kb.sh`, the reference's shell client, against the real service and against servers that record its requests."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.actors.family import Family
from tests.support.kb import KB, kb
from tests.support.local_servers import free_port
from tests.support.serving import Service

TOKEN = "kb_live_" + "5" * 32
ANSWER = b'{"ok": true, "data": {}}'

pytestmark = pytest.mark.skipif(
    not (shutil.which("bash") and shutil.which("curl") and shutil.which("jq")), reason="kb.sh needs bash, curl and jq"
)


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The message on stderr of a run that must fail."""
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr
    return done.stderr


@contextmanager
def listener(
    status: int = 200, answer: bytes = ANSWER, hold: threading.Event | None = None
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that gives every request the same answer, after `hold` is set, and records the requests."""
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked.append({"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body})
            if hold is not None:
                hold.wait(30)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - the names in http.server

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def test_a_todo_lives_and_ends_by_way_of_the_shell(stored: Service) -> None:
    family = Family(stored)

    def data(*arguments: str) -> Any:
        done = kb(*arguments, url=stored.url, token=family.token)
        assert (done.returncode, done.stderr) == (0, "")
        said = json.loads(done.stdout)
        assert said["ok"] is True
        return said["data"]

    assert data("get", "/health") == {"version": "1"}
    todo = data("post", "/todos", '{"title": "Read bedtime story", "frequency": "daily"}')["id"]
    edited = data("put", f"/todos/{todo}", '{"title": "Read \\"Gute Nacht\\", 絵本 & it\'s $HOME `pwd` 100%"}')
    assert edited["title"] == 'Read "Gute Nacht", 絵本 & it\'s $HOME `pwd` 100%'
    assert data("post", f"/todos/{todo}/complete", "")["notes"] is None
    assert data("post", f"/todos/{todo}/complete")["action"] == "completed"
    assert data("get", "/history?days=7&action_type=completed")["total_actions"] == 1
    assert data("get", f"/todos/{todo}") == family.read(f"/todos/{todo}")
    assert data("delete", f"/todos/{todo}") == {"todo_id": todo, "active": False}


def test_what_the_service_refuses_goes_to_stderr_and_the_exit_code_is_1(running: Service) -> None:
    token = Family(running).token
    for arguments, code in (
        (("get", "/todos/2000000000"), "NOT_FOUND"),
        (("post", "/todos", "{"), "VALIDATION_ERROR"),
        (("post", "/me"), "VALIDATION_ERROR"),
        (("get", "/nothing"), "NOT_FOUND"),
    ):
        said = json.loads(refused(kb(*arguments, url=running.url, token=token)))
        assert (said["ok"], said["code"]) == (False, code)
    assert json.loads(refused(kb("get", "/me", url=running.url, token=TOKEN)))["code"] == "UNAUTHORIZED"


def test_the_url_may_end_with_a_slash_and_health_needs_no_token(running: Service) -> None:
    done = kb("get", "/health", url=f"{running.url}/")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"ok": True, "data": {"version": "1"}})


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, b'{"ok": false, "error": "no", "code": "NOT_FOUND"}'),
        (200, b"<html>a proxy's page</html>"),
        (200, b""),
        (302, ANSWER),
        (502, b"<html>Bad Gateway</html>"),
        (500, ANSWER),
    ],
)
def test_what_is_not_the_services_yes_is_a_failure(status: int, answer: bytes) -> None:
    with listener(status, answer) as (url, _):
        done = kb("get", "/me", url=url, token=TOKEN)
    assert (done.returncode, done.stdout) == (1, "")
    said = answer.decode() or f"HTTP {status}"
    assert "".join(said.split()) == "".join(done.stderr.split())


def test_a_service_that_does_not_answer_is_a_failure_that_is_explained() -> None:
    assert "curl: (7)" in refused(kb("get", "/me", url=f"http://127.0.0.1:{free_port()}", token=TOKEN))
    large = json.dumps({"title": "x" * 100_000})
    assert "curl: (7)" in refused(kb("post", "/todos", large, url=f"http://127.0.0.1:{free_port()}", token=TOKEN))


def test_wrong_uses_are_explained_before_anything_is_sent() -> None:
    with listener() as (url, asked):
        for arguments, said in (
            (("patch", "/me"), "one of get, post, put, delete"),
            (("GET", "/me"), "one of get, post, put, delete"),
            (("get", "me"), "a path begins with /"),
            (("get",), "a path begins with /"),
            (("get", ""), "a path begins with /"),
            (("get", "/me", "{}", "more"), "at most a method, a path and a body"),
            ((), "kb.sh get|post|put|delete PATH [BODY]"),
        ):
            assert said in refused(kb(*arguments, url=url, token=TOKEN))
        assert "KINDERBUD_API_URL" in refused(kb("get", "/me", token=TOKEN))
        assert "KINDERBUD_API_KEY" in refused(kb("get", "/me", url=url))
        assert asked == []
    helped = kb("--help")
    assert (helped.returncode, helped.stderr) == (0, "")
    assert "kb.sh get|post|put|delete PATH [BODY]" in helped.stdout


@pytest.mark.parametrize("missing", ["curl", "jq"])
def test_a_tool_that_is_not_installed_is_named(tmp_path: Path, missing: str) -> None:
    for tool in {"bash", "env", "sed", "curl", "jq"} - {missing}:
        (tmp_path / tool).symlink_to(shutil.which(tool) or tool)
    done = kb("get", "/me", url="http://127.0.0.1:1", token=TOKEN, path=str(tmp_path))
    assert refused(done) == f"error: {missing} is not installed\n"


@pytest.mark.parametrize(
    "body",
    [
        '{"notes": "She loved it today!"}',
        '{"notes": "„quoted“, it\'s \\"quoted\\" \\\\ $(id) `id` %s &"}',
        '{"notes": "絵本を読む 👩‍👧 قصة"}',
        '{"notes":\n\t"two lines"}\n\n',
        "@/etc/passwd",
        "-",
        "x" * 100_000,
    ],
    ids=["plain", "quotes", "scripts", "lines", "a file's name", "a dash", "long"],
)
def test_a_body_arrives_exactly_as_it_was_given(body: str) -> None:
    with listener() as (url, asked):
        assert kb("post", "/todos/1/complete", body, url=url, token=TOKEN).returncode == 0
    (request,) = asked
    assert request["body"] == body.encode()
    assert request["headers"]["Content-Type"] == "application/json"
    assert request["headers"]["Authorization"] == f"Bearer {TOKEN}"
    assert (request["method"], request["path"]) == ("POST", "/api/v1/todos/1/complete")


@pytest.mark.parametrize(
    "path", ["/history?days=[1-3]", "/todos?status={pending,completed}", "/today?x=a%20b&y=%5B1%5D"]
)
def test_a_path_is_sent_once_and_as_it_was_given(path: str) -> None:
    with listener() as (url, asked):
        done = kb("get", path, url=url, token=TOKEN)
    assert (done.returncode, done.stderr) == (0, "")
    assert [(request["method"], request["path"], request["body"]) for request in asked] == [
        ("GET", f"/api/v1{path}", b"")
    ]


def test_the_token_stands_on_no_command_line_and_in_no_file() -> None:
    """While curl waits for its answer, the test searches all that /proc shows to every user."""
    hold = threading.Event()
    with listener(hold=hold) as (url, asked):
        environment = {"PATH": os.environ["PATH"], "KINDERBUD_API_URL": url, "KINDERBUD_API_KEY": TOKEN}
        process = subprocess.Popen([KB, "get", "/me"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            while not asked:
                assert process.poll() is None
            lines = command_lines()
        finally:
            hold.set()
            process.communicate(timeout=30)
    assert process.returncode == 0
    assert asked[0]["headers"]["Authorization"] == f"Bearer {TOKEN}"
    assert [line for line in lines if line.startswith(b"curl\0") and url.encode() in line]  # curl was visible then
    assert [line for line in lines if TOKEN.encode() in line] == []


def command_lines() -> list[bytes]:
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(file.read_bytes())
        except OSError:
            continue  # the process ended meanwhile
    return found
