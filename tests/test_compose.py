"""compose.yaml: the production profile keeps its data and has its own password."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

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


def test_docker_reads_it_as_we_do() -> None:
    """Where there is Docker Compose; the other tests read the file themselves."""
    docker = shutil.which("docker")
    version = subprocess.run([docker, "compose", "version"], capture_output=True, check=False) if docker else None
    if docker is None or version is None or version.returncode:
        return
    command = [docker, "compose", "--profile", "postgres", "config", "--quiet"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
