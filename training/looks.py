"""The ledger of looks: who was judged on which data, when, how, and with which verdict. Looking again is paid for."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO

from data.budget_log import BudgetLog
from data.package import Package

DEFAULT_LEDGER = Path("var/gate-looks.jsonl")


@dataclass(frozen=True)
class Look:
    """One look of the gate at one or more studies. It is claimed before anything is judged."""

    at: str
    """Moment, ISO 8601, UTC."""
    studies: tuple[str, ...]
    dataset: str
    """Digest of the package."""
    policy_id: str
    number: int
    """1 for the first look at a study, then counting; the same candidate on the same data is the same look."""
    planned_rounds: int | None
    """Of an interim look, so that judging the same data again means the same; None for a last one."""
    verdict: str = ""


class LookedAtOtherwise(ValueError):
    """The same candidate was judged on the same data with another plan."""


def studies_of(package: Package, log: BudgetLog) -> tuple[str, ...]:
    """What looks are counted by: each version that somebody in `log` consented to; of a simulated study also how it
    was simulated."""
    config = package.about.get("config")
    how = f" {json.dumps(config, sort_keys=True)}" if config else ""
    return tuple(f"{version}{how}" for version in sorted(set(log.study)))


def claim(
    ledger: Path, at: str, studies: tuple[str, ...], dataset: str, policy_id: str, planned_rounds: int | None
) -> Look:
    """The look at these data, with a number of its own; one that was taken before is the same look again.

    Several processes may. Raises LookedAtOtherwise where `planned_rounds` is another than it was, and ValueError where
    the ledger cannot be read: it is never begun anew in silence.
    """
    with _locked(ledger) as file:
        known = looks(ledger)
        for look in known:
            if (look.dataset, look.policy_id) == (dataset, policy_id):
                if planned_rounds not in {None, look.planned_rounds}:
                    before = f"with {look.planned_rounds} rounds planned" if look.planned_rounds else "as a last look"
                    raise LookedAtOtherwise(f"{policy_id} was judged on these data before, {before}")
                return look
        number = 1 + max((look.number for look in known if set(look.studies) & set(studies)), default=0)
        look = Look(at, studies, dataset, policy_id, number, planned_rounds)
        _write(file, look)
        return look


def conclude(ledger: Path, look: Look, verdict: str) -> None:
    """Enter the verdict of a look that was claimed."""
    with _locked(ledger) as file:
        if look.verdict != verdict:
            _write(file, replace(look, verdict=verdict))


def looks(ledger: Path) -> list[Look]:
    """All looks as they were concluded last, in the order in which they were claimed. Raises ValueError."""
    if not ledger.exists():
        return []
    found: dict[tuple[str, str], Look] = {}
    try:
        for line in ledger.read_text(encoding="utf-8").splitlines():
            if line.strip():
                told = json.loads(line)
                look = Look(**told | {"studies": tuple(told["studies"])})
                found[look.dataset, look.policy_id] = look
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{ledger}: not a ledger of looks ({error})") from error
    return list(found.values())


@contextmanager
def _locked(ledger: Path) -> Iterator[IO[str]]:
    ledger.parent.mkdir(parents=True, exist_ok=True)
    with ledger.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _write(file: IO[str], look: Look) -> None:
    file.write(json.dumps(asdict(look)) + "\n")
    file.flush()
    os.fsync(file.fileno())
