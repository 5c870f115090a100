"""compose.yaml: the production profile keeps its data and has its own password."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values

from api.http.server import FINISH_SECONDS
from api.settings import Settings

OF_THE_IMAGE = {"HOST", "PORT", "COACH_MODEL_DIR"}
"""The image decides where it listens, and its volume holds the models."""
ROOT = Path(__file__).parents[1]
DATA = "/var/lib/postgresql/data"


@pytest.fixture(scope="module")
def composed() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


def of_profile(composed: dict[str, Any], name: str) -> dict[str, dict[str, Any]]:
    """The services that run with this profile."""
    return {key: one for key, one in composed["services"].items() if name in one.get("profiles", [name])}


def mounts(one: dict[str, Any]) -> dict[str, str]:
    return {target: source for source, _, target in (entry.partition(":") for entry in one.get("volumes", []))}


def test_production_keeps_what_it_stores(composed: dict[str, Any]) -> None:
    services = of_profile(composed, "postgres")
    servers = {name: one for name, one in services.items() if one["image"].startswith("postgres")}
    assert len(servers) == 1
    for one in servers.values():
        assert composed["volumes"].keys() >= {mounts(one)[DATA]}
        assert "tmpfs" not in one
        assert "ports" not in one
    for name, one in services.items():
        told = str(one)
        assert not any(word in told for word in ("fsync=off", "trust", "synchronous_commit=off")), name
        assert one["restart"] == "unless-stopped"
    assert all("healthcheck" in one for name, one in services.items() if name != "coach")
    assert services["coach"]["depends_on"]["database"]["condition"] == "service_healthy"


def test_the_password_has_no_default(composed: dict[str, Any]) -> None:
    environment = composed["services"]["database"]["environment"]
    assert environment["POSTGRES_PASSWORD"] == "${POSTGRES_PASSWORD:-}"
    assert "POSTGRES_HOST_AUTH_METHOD" not in environment


def test_test_servers_are_no_part_of_production(composed: dict[str, Any]) -> None:
    tested = {name for name, one in composed["services"].items() if one.get("profiles") == ["test"]}
    assert tested == {"postgres", "redis"}
    assert not tested & of_profile(composed, "postgres").keys()


def test_settings_are_made_once_and_differ_each_time(tmp_path: Path) -> None:
    def made() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ROOT / "scripts" / "postgres-env"], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    def settings(printed: str) -> dict[str, str]:
        pairs = (line.partition("=") for line in printed.splitlines() if "=" in line)
        return {name: value for name, _, value in pairs}

    first, second = settings(made().stdout), settings(made().stdout)
    for name in ("POSTGRES_PASSWORD", "SECRET_KEY"):
        assert len(first[name]) == 64
        assert first[name] != second[name]
    assert first["DATABASE_URL"] == f"postgresql://buddy:{first['POSTGRES_PASSWORD']}@database/buddy"
    (tmp_path / ".env").write_text(made().stdout, encoding="utf-8")
    again = made()
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith("error: .env has")


def test_every_setting_is_handed_on(composed: dict[str, Any]) -> None:
    handed = {entry.partition("=")[0] for entry in composed["services"]["coach"]["environment"]}
    assert {name.upper() for name in Settings.model_fields} - handed == OF_THE_IMAGE
    assert handed <= {name.upper() for name in Settings.model_fields}


def test_it_is_killed_only_after_the_longest_drain(composed: dict[str, Any]) -> None:
    (longest,) = [bound.le for bound in Settings.model_fields["drain_seconds"].metadata if hasattr(bound, "le")]
    given = int(composed["services"]["coach"]["stop_grace_period"].removesuffix("s"))
    assert given > float(longest) + FINISH_SECONDS


@pytest.mark.parametrize("before", [None, "", (ROOT / ".env.example").read_text(encoding="utf-8")])
def test_settings_are_added_to_a_copy_of_the_example(before: str | None, tmp_path: Path) -> None:
    """As both docs say: with or without `cp .env.example .env` before. The last line of a name counts."""
    env = tmp_path / ".env"
    if before is not None:
        env.write_text(before, encoding="utf-8")
        env.chmod(0o644)
    command = f"umask 022; {ROOT / 'scripts' / 'postgres-env'} >> .env"
    subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, check=True)
    assert env.stat().st_mode & 0o777 == 0o600
    read = dotenv_values(env)
    assert read["DATABASE_URL"] == f"postgresql://buddy:{read['POSTGRES_PASSWORD']}@database/buddy"
    assert read["REDIS_URL"]
    written = env.read_bytes()
    again = subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, check=False, capture_output=True)
    assert (again.returncode, env.read_bytes()) == (1, written)


@pytest.mark.parametrize("line", ["DATABASE_URL=postgresql://other", "export DATABASE_URL=x", " SECRET_KEY = abc"])
def test_what_an_operator_chose_is_not_overruled(line: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"{line}\n", encoding="utf-8")
    script = ROOT / "scripts" / "postgres-env"
    done = subprocess.run([script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")


def test_docker_reads_it_as_we_do() -> None:
    """Where there is Docker Compose; the other tests read the file themselves."""
    docker = shutil.which("docker")
    version = subprocess.run([docker, "compose", "version"], capture_output=True, check=False) if docker else None
    if docker is None or version is None or version.returncode:
        return
    command = [docker, "compose", "--profile", "postgres", "config", "--quiet"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
