"""The use case of `buddy-train gate`: judge an artifact on a study, record the look, write the verdict on its card."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from coach_model.budget.actions import LEVELS, Levels
from coach_model.budget.coach import CONTRACT, composite_levels
from coach_model.budget.study import Phase
from coach_model.exploration import one_hot
from coach_model.onnx_policy import OnnxPolicy, load_policy
from data.logs.budget import BudgetLog, budget_log
from data.packages.reader import Package, read_package
from training.budget import interim_looks
from training.budget.evidence import Evidence, gather
from training.budget.gate import OF_OTHERS, Judgement, judge, level_of_look
from training.budget.reward_model import crossfitted_reward
from training.budget.train import ALL_PARTICIPANTS, LEARNED_FROM
from training.ope.estimators import Matrix
from training.ope.overlap import overlap
from training.registry import signing
from training.registry.artifact import write_artifact

DECIMALS = 6
type Progress = Callable[[str], None]


@dataclass(frozen=True)
class Judged:
    """A verdict with the data and the evidence that it is based on."""

    policy: OnnxPolicy
    package: Package
    log: BudgetLog
    levels: Levels  # (n, 3) the levels that the candidate would take
    expected_reward: Matrix  # (n, 3, 5) cross-fitted q̂
    evidence: Evidence
    judgement: Judgement
    look: interim_looks.Look

    def summary(self) -> dict[str, Any]:
        """The result for the card, the JSON output and MLflow."""
        return {
            "verdict": self.judgement.verdict,
            "reasons": self.judgement.reasons,
            "look": self.look.number,
            "few_people": self.look.few_people,
            "studies": list(interim_looks.studies_of(self.package, self.log)),
            "synthetic": bool(self.package.about.get("synthetic", False)),
            "dataset": self.package.digest,
            "learned_from": ALL_PARTICIPANTS if learned_from_all(self.policy) else "the training split",
            "judged": "the shipped artifact: best eligible level, rules outside the support",
            "evidence": rounded(asdict(self.evidence)),
        }


def judge_artifact(
    dataset: Path,
    artifact: Path,
    *,
    ledger: Path = interim_looks.DEFAULT_LEDGER,
    planned_rounds: int | None = None,
    odds_ratio: float | None = None,
    few_people: str = "",
    keys: tuple[Path, Path] = (signing.KEY, signing.TRUSTED),
    jobs: int = 1,
    progress: Progress = lambda _: None,
) -> Judged:
    """Judge the artifact on the confirm phase in `dataset` that tried it, record the look, and write the verdict. It is
    signed (`training.registry.signing`): `keys` are the files of the gate's key and of the trusted ones.

    Confirm rounds of other candidates count only for participants of the evaluation split. The intervals are a
    confidence sequence from the second look at a study on, and when `planned_rounds` announces further looks; each
    later look has a smaller error level. `odds_ratio` is stated before the first look and recorded: how much missing
    outcomes may depend on their own values (`training.budget.selection`). `few_people` is the reason for which one
    participant may have more than 5 % of the weight. Raises InvalidPackage, ArtifactMissing,
    ArtifactRefused, ValueError.
    """
    progress(f"reading {dataset}")
    package, policy, signer = read_package(dataset), load_policy(artifact, CONTRACT), signing.signing_key(*keys)
    log, tried = rounds_to_judge_by(budget_log(package), policy)
    studies, at = interim_looks.studies_of(package, log), datetime.now(UTC).isoformat(timespec="seconds")
    look = interim_looks.claim(
        ledger, at, studies, package.digest, policy.policy_id, planned_rounds, odds_ratio, few_people
    )
    progress(f"judging on {len(log)} decisions, look {look.number} at the study")
    levels = composite_levels(policy, log.context)
    candidate, rules = (one_hot(taken, len(LEVELS)) for taken in (levels, log.rules))
    enough = overlap(log, candidate, rules, few_people=bool(look.few_people)).sufficient
    expected = crossfitted_reward(log, jobs=jobs) if enough else np.zeros(candidate.shape)
    evidence = gather(
        log,
        candidate,
        rules,
        expected,
        level=level_of_look(look.number),
        planned_rounds=look.planned_rounds or (len(log) if look.number > 1 else None),
        odds_ratio=look.odds_ratio,
        few_people=bool(look.few_people),
    )
    evidence = evidence if tried else replace(evidence, phase=OF_OTHERS)
    judged = Judged(policy, package, log, levels, expected, evidence, judge(evidence), look)
    look = interim_looks.conclude(ledger, look, judged.judgement.verdict)
    card = dict(policy.card) | {"verdict": judged.judgement.verdict, "reasons": judged.judgement.reasons}
    card |= {"gate": judged.summary()}
    write_artifact(artifact, policy.graph, card)
    signing.sign_judged(artifact, policy.graph, card, asdict(look), signer)
    return judged


def rounds_to_judge_by(log: BudgetLog, policy: OnnxPolicy) -> tuple[BudgetLog, bool]:
    """The rounds for evaluating a candidate, and whether any confirm phase tried it.

    When one did: its confirm rounds, and the confirm rounds of other candidates from the evaluation split, unless the
    candidate learned from all participants. Otherwise: all rounds of the evaluation split, which cannot promote. Raises
    ValueError when fewer than two participants are left.
    """
    confirm = log.phase == Phase.CONFIRM
    own = confirm & (log.candidate_id == policy.policy_id)
    tried = bool(own.any())
    unseen = ~log.learns & (not tried or not learned_from_all(policy))
    rows = own | (confirm & unseen) if tried else unseen
    if len(np.unique(log.participant[rows])) < 2:  # noqa: PLR2004 - an interval needs two
        raise ValueError(f"there are too few decisions to evaluate {policy.policy_id}")
    return log.where(rows), tried


def learned_from_all(policy: OnnxPolicy) -> bool:
    """Whether the policy learned from all explore rounds of its study, so that only fresh draws can judge it."""
    training = policy.card.get("training")
    return isinstance(training, dict) and training.get(LEARNED_FROM) == ALL_PARTICIPANTS


def rounded(value: Any) -> Any:
    """A document with every float rounded. Floats that JSON cannot hold (NaN, infinity) become None."""
    match value:
        case dict():
            return {name: rounded(inner) for name, inner in value.items()}
        case list() | tuple():
            return [rounded(inner) for inner in value]
        case float() | np.floating():
            return round(float(value), DECIMALS) if np.isfinite(value) else None
        case np.integer() | np.bool_():
            return value.item()
    return value
