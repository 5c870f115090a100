"""The ledger of interim looks: which policy was judged on which data, when, and with which verdict. Every further look
at a study has a smaller error level."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO

from coach_model.regular_files import FileRefused, check_regular, read_regular_text
from data.logs.budget import BudgetLog
from data.packages.reader import Package
from training.budget.selection import LARGEST, STATED_ODDS_RATIO

DEFAULT_LEDGER = Path("var/gate-looks.jsonl")


@dataclass(frozen=True)
class Look:
    """One look of the gate at one or more studies. It is claimed before the evidence is gathered."""

    at: str
    """Time of the look, ISO 8601, UTC."""
    studies: tuple[str, ...]
    dataset: str
    """Digest of the package."""
    policy_id: str
    number: int
    """1 for the first look at a study, then counting up. The same candidate on the same data is the same look."""
    planned_rounds: int | None
    """The planned number of rounds of an interim look, kept so that the same look can be repeated; None for a final
    look."""
    verdict: str = ""
    odds_ratio: float = STATED_ODDS_RATIO
    """The stated limit of selection by missing outcomes (`training.budget.selection`)."""
    few_people: str = ""
    """The reason for which one participant may have more than 5 % of the weight; empty if none may."""


class LookedAtOtherwise(ValueError):
    """The same candidate was judged on the same data with another number of planned rounds or another odds ratio."""


def studies_of(package: Package, log: BudgetLog) -> tuple[str, ...]:
    """The names of the studies for which looks are counted: each study version in `log`. A simulated study's name
    includes its configuration."""
    config = package.about.get("config")
    suffix = f" {json.dumps(config, sort_keys=True)}" if config else ""
    return tuple(f"{version}{suffix}" for version in sorted(set(log.study)))


def claim(
    ledger: Path,
    at: str,
    studies: tuple[str, ...],
    dataset: str,
    policy_id: str,
    planned_rounds: int | None,
    odds_ratio: float | None = None,
    few_people: str = "",
) -> Look:
    """Record a look at these data and return it with its number. A look at the same data by the same policy is returned
    as it was recorded. `odds_ratio` None is the default, or what was recorded. `few_people` is recorded with the look.

    The odds ratio is stated once for a study: every further look has that of the first. A reason for few people may
    come later, since it widens nothing. Several processes may call it at the same time. Raises LookedAtOtherwise when
    `planned_rounds` or `odds_ratio` differs from the recorded one, and ValueError for an odds ratio that is none, and
    when the ledger cannot be read. An unreadable ledger is never replaced.
    """
    if odds_ratio is not None and not 1 <= odds_ratio <= LARGEST:
        raise ValueError(f"an odds ratio of being observed is from 1 to {LARGEST:g}, not {odds_ratio}")
    with _locked(ledger) as file:
        known = looks(ledger)
        for recorded in known:
            look = recorded
            if (look.dataset, look.policy_id) == (dataset, policy_id):
                if planned_rounds not in {None, look.planned_rounds}:
                    before = f"with {look.planned_rounds} rounds planned" if look.planned_rounds else "as a final look"
                    raise LookedAtOtherwise(f"{policy_id} was judged on these data before, {before}")
                _check_stated(odds_ratio, look)
                if few_people and few_people != look.few_people:
                    look = replace(look, few_people=few_people)
                    _write(file, look)
                return look
        earlier = [look for look in known if set(look.studies) & set(studies)]
        for look in earlier:
            _check_stated(odds_ratio, look)
        number = 1 + max((look.number for look in earlier), default=0)
        stated = max((look.odds_ratio for look in earlier), default=odds_ratio or STATED_ODDS_RATIO)
        look = Look(at, studies, dataset, policy_id, number, planned_rounds, odds_ratio=stated, few_people=few_people)
        _write(file, look)
        return look


def _check_stated(odds_ratio: float | None, look: Look) -> None:
    """Raises LookedAtOtherwise when another odds ratio was stated for the study of `look`."""
    if odds_ratio not in {None, look.odds_ratio}:
        at = f"look {look.number} at this study, by {look.policy_id}"
        raise LookedAtOtherwise(f"an odds ratio of {look.odds_ratio:g} was stated before {at}")


def conclude(ledger: Path, look: Look, verdict: str) -> Look:
    """Record the verdict of a claimed look, and return it with the verdict."""
    concluded = replace(look, verdict=verdict)
    with _locked(ledger) as file:
        if look.verdict != verdict:
            _write(file, concluded)
    return concluded


def looks(ledger: Path) -> list[Look]:
    """All looks with their latest verdicts, in the order of their claims. Raises ValueError for an unreadable
    ledger."""
    found: dict[tuple[str, str], Look] = {}
    try:
        for line in read_regular_text(ledger).splitlines():
            if line.strip():
                entry = json.loads(line)
                look = Look(**entry | {"studies": tuple(entry["studies"])})
                found[look.dataset, look.policy_id] = look
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{ledger}: not a ledger of looks ({error})") from error
    return list(found.values())


@contextmanager
def _locked(ledger: Path) -> Iterator[IO[str]]:
    try:
        check_regular(ledger)
    except FileRefused as error:
        raise ValueError(f"{ledger}: not a ledger of looks ({error})") from error
    ledger.parent.mkdir(parents=True, exist_ok=True)
    with ledger.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _write(file: IO[str], look: Look) -> None:
    file.write(json.dumps(asdict(look)) + "\n")
    file.flush()
    os.fsync(file.fileno())
