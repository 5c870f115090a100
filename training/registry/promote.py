"""Installs artifacts in the service's model folder, keeps the former ones, and rolls back. Works on files only."""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from coach_model.budget.coach import CONTRACT as BUDGET
from coach_model.daily.coach import CONTRACT as DAILY
from coach_model.onnx_policy import (
    CARD_FILE,
    CHALLENGER,
    GRAPH_FILE,
    PROMOTED,
    ArtifactMissing,
    ArtifactRefused,
    Contract,
    OnnxPolicy,
    load_policy,
    read_artifact_file,
)
from coach_model.regular_files import FileRefused, check_regular, read_regular, read_regular_text
from training.registry.artifact import write_artifact
from training.registry.signing import TRUSTED, VERDICT_FILE, NotSigned, verified
from training.registry.verdicts import PROMOTE, Refused

CONTRACTS = {contract.coach: contract for contract in (BUDGET, DAILY)}
HISTORY = "history"
LEDGER = "history.jsonl"
LOCK = ".lock"
SERVING_ACTIONS = frozenset({"promote", "rollback"})
"""The actions that change the served policy; the others change the challenger in shadow mode."""


class NotPromoted(Refused):
    """The artifact must not be served, or there is no former artifact to go back to; the message says why."""


@dataclass(frozen=True)
class Change:
    """One line of the history."""

    at: str
    action: str
    policy_id: str
    before: str | None
    verdict: str
    reason: str = ""


def promote(artifact: Path, models: Path = PROMOTED, *, despite: str = "", trusted: Path = TRUSTED) -> Change:
    """Serve the artifact from now on. A running service loads it by itself. Promotions of several processes follow each
    other.

    Raises NotPromoted unless a gate whose key is in the file `trusted` has signed the verdict `promote` for just this
    artifact. `despite` overrides this; it is the reason, and the history keeps it. Raises ArtifactMissing,
    ArtifactRefused.
    """
    contract = contract_of(artifact)
    policy = load_policy(artifact, contract)
    if not despite:
        _check_verdict(artifact, policy, trusted)
    with _alone(models):
        return _serve(policy, contract, models, despite, _signed(artifact))


def _check_verdict(artifact: Path, policy: OnnxPolicy, trusted: Path) -> None:
    verdict = str(policy.card.get("verdict", ""))
    if verdict != PROMOTE:
        raise NotPromoted(f"{policy.policy_id}: the gate's verdict is {verdict!r}; `buddy-train gate` judges it")
    try:
        statement = verified(artifact, policy, trusted)
    except NotSigned as error:
        raise NotPromoted(str(error)) from error
    if statement.synthetic:
        raise NotPromoted(f"{policy.policy_id}: judged on invented people; use --despite REASON to serve it anyway")


def _signed(artifact: Path) -> bytes | None:
    """The signed verdict, for the history."""
    with contextlib.suppress(FileNotFoundError, FileRefused):
        return read_regular(artifact / VERDICT_FILE)
    return None


def _serve(policy: OnnxPolicy, contract: Contract, models: Path, despite: str, signed: bytes | None) -> Change:
    verdict = str(policy.card.get("verdict", ""))
    before, changes = _served(models, contract), _changes(models, contract)
    last = changes[-1].policy_id if changes else None
    if before is not None and before.graph == policy.graph:
        if last in {None, policy.policy_id}:
            raise NotPromoted(f"{policy.policy_id} is served already")
        return _enter(
            models, Change(_now(), "promote", policy.policy_id, last, verdict, despite)
        )  # an earlier promotion was interrupted before this line
    if not changes and before is not None:
        _keep(models, before)
    _keep(models, policy, signed)
    write_artifact(models / contract.coach, policy.graph, dict(policy.card))
    old = before.policy_id if before else last
    return _enter(models, Change(_now(), "promote", policy.policy_id, old, verdict, despite))


def contract_of(artifact: Path) -> Contract:
    """The contract of the coach that the artifact belongs to. Raises ArtifactRefused for an unknown coach."""
    try:
        card = read_artifact_file(artifact / CARD_FILE)
        if card is None:
            return BUDGET  # loading the artifact then raises an error that names the missing file
        coach = json.loads(card)["coach"]
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactRefused(f"{artifact / CARD_FILE}: not a policy card ({type(error).__name__})") from error
    if coach not in CONTRACTS:
        raise ArtifactRefused(f"{artifact / CARD_FILE}: there is no coach {coach!r}")
    return CONTRACTS[coach]


def rollback(models: Path = PROMOTED, coach: str = BUDGET.coach) -> Change:
    """Serve the artifact that was served before the coach's last promotion that is not rolled back. Raises NotPromoted
    when there is no such artifact."""
    if not models.exists():
        raise NotPromoted(f"{models}: there is nothing to go back to")
    with _alone(models):
        return _roll_back(models, CONTRACTS[coach])


def _roll_back(models: Path, contract: Contract) -> Change:
    stack: list[tuple[str, str | None]] = []
    for change in _changes(models, contract):
        if change.action == "promote":
            stack.append((change.policy_id, change.before))
        elif change.action == "rollback" and stack:
            stack.pop()
    if not stack or stack[-1][1] is None:
        raise NotPromoted(f"{models}: there is nothing to go back to")
    current, target = stack[-1]
    policy = load_policy(_kept(models, str(target)), contract)
    write_artifact(models / contract.coach, policy.graph, dict(policy.card))
    return _enter(models, Change(_now(), "rollback", policy.policy_id, current, str(policy.card.get("verdict", ""))))


def put_in_shadow(artifact: Path, models: Path = PROMOTED) -> OnnxPolicy:
    """Install the artifact as the challenger: its decisions are logged but not served. It needs no verdict. Raises
    NotPromoted, before anything changes, when the history cannot be read."""
    policy = load_policy(artifact, BUDGET)
    with _alone(models):
        _changes(models, BUDGET)
        write_artifact(_challenger(models), policy.graph, dict(policy.card))
        _enter(models, Change(_now(), "shadow", policy.policy_id, None, str(policy.card.get("verdict", ""))))
    return policy


def take_from_shadow(models: Path = PROMOTED) -> None:
    """Remove the challenger. Raises NotPromoted when there is none, or when the history cannot be read."""
    if not models.exists():
        raise NotPromoted(f"{models}: there is no challenger in shadow mode")
    with _alone(models):
        _changes(models, BUDGET)
        if not _challenger(models).exists():
            raise NotPromoted(f"{models}: there is no challenger in shadow mode")
        shutil.rmtree(_challenger(models))
        _enter(models, Change(_now(), "end of shadow", "", None, ""))


@contextlib.contextmanager
def _alone(models: Path) -> Iterator[None]:
    """Wait for other promotions and rollbacks into this folder, which would leave a graph with another one's card. The
    lock's file stays: others may wait for it."""
    models.mkdir(parents=True, exist_ok=True)
    with (models / LOCK).open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _served(models: Path, contract: Contract) -> OnnxPolicy | None:
    """The policy that the service serves now: from `models`; if that is the default folder, else the packaged artifact.
    None when there is none, or only half a pair from an interrupted promotion."""
    packaged = Path(str(resources.files("coach_model"))) / "artifacts" / contract.coach
    for folder in (models / contract.coach, *([packaged] if models == PROMOTED else [])):
        with contextlib.suppress(ArtifactMissing, ArtifactRefused):
            return load_policy(folder, contract)
    return None


def _challenger(models: Path) -> Path:
    return models / f"{BUDGET.coach}{CHALLENGER}"


def _kept(models: Path, policy_id: str) -> Path:
    return models / HISTORY / policy_id.replace("/", "-").replace("+", "-")


def _keep(models: Path, policy: OnnxPolicy, signed: bytes | None = None) -> None:
    folder = _kept(models, policy.policy_id)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in ((GRAPH_FILE, policy.graph), (CARD_FILE, policy.card_bytes), (VERDICT_FILE, signed)):
        if content is not None:
            (folder / name).write_bytes(content)


def _changes(models: Path, contract: Contract) -> list[Change]:
    """The changes of the coach's served policy, oldest first. Raises NotPromoted for a strange or damaged history, so
    read it before anything changes."""
    ledger = models / LEDGER
    try:
        changes = [Change(**json.loads(line)) for line in read_regular_text(ledger).splitlines() if line]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise NotPromoted(f"{ledger}: not a history of promotions ({error})") from error
    mine = f"{contract.coach}/"
    return [change for change in changes if change.action in SERVING_ACTIONS and change.policy_id.startswith(mine)]


def _enter(models: Path, change: Change) -> Change:
    check_regular(models / LEDGER)
    with (models / LEDGER).open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(change)) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return change


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
