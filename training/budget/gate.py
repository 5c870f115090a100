"""The gate: decides from the evidence whether a candidate may replace the rules. `training.budget.evidence` gathers the
evidence; this module does no I/O.

There are three verdicts. "insufficient evidence" is not "reject": it means that the data cannot decide. It never
promotes.
"""

from dataclasses import dataclass

from coach_model.budget.study import Phase
from training.budget.evidence import PLANNED_POWER, Evidence
from training.budget.guardrails import MINIMUM_RELEVANT_DIFFERENCE, GuardrailResult
from training.budget.segments import LEARNED, LEVEL, WORST
from training.budget.selection import LARGEST
from training.registry.verdicts import INSUFFICIENT, PROMOTE, REJECT, Verdict

OF_OTHERS = "no confirm phase of its own"
"""Phase of rounds that did not try the candidate."""


@dataclass(frozen=True)
class Judgement:
    """A verdict and its reasons."""

    verdict: Verdict
    reasons: list[str]


STANDINGS = {
    "kept": "kept",
    "not seen": "no harm is shown, but the data are too few to exclude one",
    "doubtful": "there is a harm, likelier than not beyond the margin",
    "broken": "broken",
}
NOT_TRIED = "only explore data, or confirm phases of others: a promotion needs a confirm phase that tried it"


def level_of_look(look: int) -> float:
    """The one-sided error level of look number `look` (from 1) at a study: 0.025 / look².

    All looks after the first have together at most 0.64 of the first one's level, for any number of candidates and
    looks.
    """
    return LEVEL / look**2


def judge(evidence: Evidence) -> Judgement:
    """The verdict on a candidate, with all reasons for it."""
    if evidence.phase == OF_OTHERS:
        return Judgement(INSUFFICIENT, [NOT_TRIED, *_support(evidence)])
    if evidence.phase != Phase.CONFIRM:
        return Judgement(INSUFFICIENT, ["only explore data: a promotion needs a confirm phase", *_support(evidence)])
    if evidence.difference is None:
        return Judgement(INSUFFICIENT, _support(evidence))
    against = _against(evidence)
    if against:
        return Judgement(REJECT, against)
    doubts = _doubts(evidence)
    if doubts:
        return Judgement(INSUFFICIENT, [*doubts, *_needed(evidence)])
    found = evidence.difference
    bound = f"at least {found.low:+.4f} with {1 - evidence.level:.1%} confidence ({evidence.method})"
    better = f"better than the rules by {found.estimate:+.4f} a week, {bound}"
    return Judgement(PROMOTE, [better, *_shown(evidence)])


def _support(evidence: Evidence) -> list[str]:
    return [f"too little overlap: {problem}" for problem in evidence.overlap.problems]


def _against(evidence: Evidence) -> list[str]:
    found = evidence.difference
    reasons = []
    if found is not None and found.high < 0:
        reasons.append(f"worse than the rules: {found.estimate:+.4f} a week, at most {found.high:+.4f}")
    for rail in evidence.guardrails:
        if rail.standing == "broken" and rail.difference is not None:
            change = f"{rail.difference.estimate:+.4f}, at most {rail.difference.high:+.4f}"
            reasons.append(f"guardrail {rail.name} ({rail.label}) falls: {change}, margin {-rail.margin:.4g}")
    return reasons


def _doubts(evidence: Evidence) -> list[str]:
    found, doubts = evidence.difference, []
    if found is not None and found.low <= 0:
        doubts.append(f"the lower bound of the difference to the rules is {found.low:+.4f}, not above zero")
    doubts += [
        f"guardrail {rail.name} ({rail.label}): {_told(rail)}"
        for rail in evidence.guardrails
        if rail.standing in {"doubtful", "unknown"}
    ]
    for segment in evidence.segments:
        if segment.harmed and segment.difference is not None:
            change = f"{segment.difference.estimate:+.4f} (Holm-adjusted p {segment.harm_p_value:.4f})"
            doubts.append(f"{segment.by} {segment.name} is harmed: {change}")
    selection = evidence.selection
    if found is not None and found.low > 0 and selection is not None and selection.difference.low <= 0:
        doubts.append(
            f"missing outcomes could explain it: {selection.candidate_observed:.1%} and "
            f"{selection.reference_observed:.1%} were observed under candidate and rules; if their odds of being "
            f"observed depend on the outcome by a factor of {selection.odds_ratio:g} in each arm, the lower bound is "
            f"{selection.difference.low:+.4f}, and it is zero at a factor of {selection.overturned_at or LARGEST:.2f}"
        )
    return doubts


def _shown(evidence: Evidence) -> list[str]:
    """What was shown about harm and about missing outcomes, and what was not."""
    rails = [f"{rail.name}: {_told(rail)}" for rail in evidence.guardrails]
    tested = [one for one in evidence.segments if one.difference is not None]
    told = [f"no harm was found in {len(tested)} segments, which does not show that there is none"] if tested else []
    told += [
        f"where the least gain is expected (the {WORST}): {one.difference.estimate:+.4f}, "
        f"at least {one.difference.low:+.4f}"
        for one in tested
        if (one.by, one.name) == (LEARNED, WORST) and one.difference is not None
    ]
    selection = evidence.selection
    if selection is not None:
        at = f"{selection.overturned_at:.1f}" if selection.overturned_at else f"over {LARGEST:.0f}"
        told.append(
            f"missing outcomes could explain it only if the odds of being observed depended on the outcome by a factor "
            f"of {at} in both arms, in opposite directions; {selection.odds_ratio:g} was stated"
        )
    return [*rails, *told]


def _told(rail: GuardrailResult) -> str:
    """A guardrail's result in words."""
    if rail.difference is None:
        return "nothing is known"
    numbers = f"{rail.difference.estimate:+.4f}, at least {rail.difference.low:+.4f}, margin {-rail.margin:.4g}"
    return f"{STANDINGS[rail.standing]} ({numbers})"


def _needed(evidence: Evidence) -> list[str]:
    needed = evidence.participants_needed
    if needed is None:
        return []
    more = max(needed - evidence.participants, 0)
    about = f"a difference of {MINIMUM_RELEVANT_DIFFERENCE} to be seen with {PLANNED_POWER:.0%} power"
    if more == 0:
        return [f"{evidence.participants} participants are enough for {about}; do not wait for a chance result"]
    return [f"{more} more participants ({needed} in all) are needed for {about}"]
