"""`kb.sh`, the reference's shell client."""

import os
import subprocess
from pathlib import Path

KB = Path(__file__).parents[2] / "scripts" / "kb.sh"


def kb(
    *arguments: str, url: str = "", token: str = "", path: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the script. An empty `url` or `token` is not set at all."""
    given = {"KINDERBUD_API_URL": url, "KINDERBUD_API_KEY": token}
    own = {"PATH": path or os.environ["PATH"]} | {name: value for name, value in given.items() if value} | environment
    return subprocess.run([KB, *arguments], env=own, capture_output=True, text=True, check=False, timeout=60)
