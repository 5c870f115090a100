"""The format of a backup file: two lines of text, then what SQLite or pg_dump wrote. Digests cover every byte.

    buddy-coach-backup/1 <SHA-256 of the second line>
    {"kind": "sqlite", "revision": "0008", "taken_at": …, "version": …, "size": …, "sha256": …}
    …

`head -n 2` shows the description, `tail -n +3` the database itself.
"""

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

FORMAT = b"buddy-coach-backup/1"
LONGEST_LINE = 4096
PART_BYTES = 1 << 20


class BackupDamaged(Exception):
    """The file is not a complete backup; the message says what is wrong."""


@dataclass(frozen=True)
class Manifest:
    """The description of a backup; `taken_at` is when it began, `revision` that of its tables."""

    kind: str
    revision: str
    taken_at: datetime
    version: str
    size: int
    sha256: str


def pack(payload: Path, file: Path, *, kind: str, revision: str, taken_at: datetime, version: str) -> None:
    """Write `file` from the output of SQLite or pg_dump. It gets its name once it is complete and on disk.

    Raises FileExistsError if `file` exists.
    """
    digest, size = _digest(payload)
    manifest = Manifest(kind, revision, taken_at, version, size, digest)
    line = json.dumps(asdict(manifest) | {"taken_at": taken_at.isoformat()}).encode()
    part = payload.with_name("packed")  # on the file system of `file`, and swept if this process is killed
    try:
        with payload.open("rb") as source, open(part, "xb", opener=_private) as target:
            target.write(FORMAT + b" " + hashlib.sha256(line).hexdigest().encode() + b"\n" + line + b"\n")
            shutil.copyfileobj(source, target, PART_BYTES)
            target.flush()
            os.fsync(target.fileno())
        os.link(part, file)
    finally:
        part.unlink(missing_ok=True)


def read_manifest(file: BinaryIO) -> Manifest | None:
    """The description; None for a file of an older version, without our first line. Raises BackupDamaged."""
    first = file.readline(LONGEST_LINE)
    name, _, rest = first.partition(b" ")
    if name != FORMAT:
        if name[:19] == FORMAT[:19]:
            raise BackupDamaged("it is of another format than this version reads")
        file.seek(0)
        return None
    line = file.readline(LONGEST_LINE)
    if not line.endswith(b"\n") or rest != hashlib.sha256(line[:-1]).hexdigest().encode() + b"\n":
        raise BackupDamaged("its description is damaged")
    told = json.loads(line)
    return Manifest(**told | {"taken_at": datetime.fromisoformat(told["taken_at"])})


def unpack(file: BinaryIO, manifest: Manifest | None, payload: Path) -> None:
    """Write what follows the description into `payload`. Raises BackupDamaged; then `payload` is unusable."""
    digest, size = hashlib.sha256(), 0
    with open(payload, "xb", opener=_private) as target:
        while part := file.read(PART_BYTES):
            digest.update(part)
            size += len(part)
            target.write(part)
        target.flush()
        os.fsync(target.fileno())
    if manifest is not None and size != manifest.size:
        raise BackupDamaged(f"its checksum is wrong: {size} bytes where {manifest.size} were written")
    if manifest is not None and digest.hexdigest() != manifest.sha256:
        raise BackupDamaged("its checksum is wrong: bytes of it were changed")


def _digest(file: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with file.open("rb") as opened:
        while part := opened.read(PART_BYTES):
            digest.update(part)
            size += len(part)
    return digest.hexdigest(), size


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
