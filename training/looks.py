"""The ledger of looks: who was judged on which data, when, and with which verdict. Looking again is paid for."""

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from data.package import Package

DEFAULT_LEDGER = Path("var/gate-looks.jsonl")


@dataclass(frozen=True)
class Look:
    """One look of the gate at a study."""

    at: str
    """Moment, ISO 8601, UTC."""
    study: str
    dataset: str
    """Digest of the package."""
    policy_id: str
    number: int
    """1 for the first look at the study, then counting; the same candidate on the same data is the same look."""
    level: float
    verdict: str


def study_of(package: Package) -> str:
    """What the looks of a package are counted by: the versions that its participants consented to; of a simulated
    study also how it was simulated."""
    versions = "+".join(sorted(set(package.columns("participants", "study_version")["study_version"])))
    config = package.about.get("config")
    return f"{versions} {json.dumps(config, sort_keys=True)}" if config else versions


def number_of_look(ledger: Path, study: str, dataset: str, policy_id: str) -> int:
    """The number that a look has or would have."""
    known = looks(ledger, study)
    for look in known:
        if (look.dataset, look.policy_id) == (dataset, policy_id):
            return look.number
    return 1 + max((look.number for look in known), default=0)


def looks(ledger: Path, study: str) -> list[Look]:
    """All looks at a study. Raises ValueError where the ledger cannot be read: it is never begun anew in silence."""
    if not ledger.exists():
        return []
    try:
        lines = ledger.read_text(encoding="utf-8").splitlines()
        found = [Look(**json.loads(line)) for line in lines if line.strip()]
    except (ValueError, TypeError) as error:
        raise ValueError(f"{ledger}: not a ledger of looks ({error})") from error
    return [look for look in found if look.study == study]


def enter(ledger: Path, look: Look) -> None:
    """Add a look, unless this candidate was judged on these data with this verdict before. Several processes may."""
    ledger.parent.mkdir(parents=True, exist_ok=True)
    with ledger.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        same = (look.study, look.dataset, look.policy_id)
        if any((one.study, one.dataset, one.policy_id) == same for one in looks(ledger, look.study)):
            return
        file.write(json.dumps(asdict(look)) + "\n")
        file.flush()
        os.fsync(file.fileno())
