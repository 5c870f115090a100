"""A Chromium for the tests. Its pages are opened in browsing.py."""

import os
import shutil
from collections.abc import Mapping

from tests.support.local_servers import ServiceMissing

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",  # root in a container has no sandbox; the tests show the browser only our own pages
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium(environ: Mapping[str, str]) -> str:
    """The path of a Chromium. Raises ServiceMissing."""
    given = environ.get("CHROMIUM")
    path = environ.get("PATH", os.defpath)
    found = (shutil.which(name, path=path) for name in ([given] if given else CHROMIUM_NAMES))
    chromium = next(filter(None, found), None)
    if chromium is None:
        raise ServiceMissing(
            "CHROMIUM is set, but cannot be run."
            if given
            else "No Chromium: install the package chromium, or set CHROMIUM to a browser's path."
        )
    return chromium
