"""A stranger who has nothing but the OpenAPI document, and tries everything that it allows and forbids."""

import subprocess
import sys
from pathlib import Path

from tests.serving import Service

ROOT = Path(__file__).parents[2]
EXAMPLES = 15
"""For each operation; `schemathesis run` by hand takes more."""
A_NEW_USER_HAS_NOTHING = "ensure_resource_availability"
"""The one check that does not hold here: a user who was just created has no profile, and 404 says so."""


def test_nothing_that_a_stranger_sends_is_answered_otherwise_than_documented(stored: Service, tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(ROOT / "schemathesis.toml")]
    options = ["--checks", "all", "--exclude-checks", A_NEW_USER_HAS_NOTHING, "-n", str(EXAMPLES), "--seed", "1"]
    done = subprocess.run(
        [*command, "run", f"{stored.url}/openapi.json", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
