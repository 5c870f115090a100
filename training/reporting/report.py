"""One self-contained HTML page about a candidate, for the people who decide about its promotion. The page loads nothing
from elsewhere: its plots are inline SVG."""

import html
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from coach_model.budget.actions import CHANGE_PERCENT, LEVELS, LEVERS
from coach_model.budget.coach import composite_levels
from coach_model.budget.context import FEATURES
from coach_model.exploration import one_hot
from training.budget.card_evaluation import truth_of
from training.budget.guardrails import MINIMUM_RELEVANT_DIFFERENCE
from training.budget.missingness import observation_probability
from training.budget.run_gate import Judged, rounded
from training.budget.selection import LARGEST
from training.ope.estimators import Matrix, importance_weight
from training.ope.intervals import Interval
from training.ope.valuation import UNBIASED, value_of
from training.reporting.plots import CANDIDATE, INK, RULES, forest, svg

VERDICTS = {
    "promote": ("#0f766e", "The candidate may replace the rules."),
    "reject": ("#b42318", "The candidate must not replace the rules."),
    "insufficient evidence": ("#b54708", "The data are not enough for a decision. Nothing changes."),
}
SEGMENT_HEIGHT = 0.28
"""Height in inches of a line in a plot of intervals."""


def write_report(judged: Judged, out: Path) -> None:
    """Write the page about a judged candidate to `out`."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page(judged), encoding="utf-8")


def page(judged: Judged) -> str:
    """The page as HTML."""
    colour, meaning = VERDICTS[judged.judgement.verdict]
    is_synthetic = judged.package.about.get("synthetic")
    synthetic = "<p class=synthetic>Synthetic data: all people are simulated.</p>" if is_synthetic else ""
    style = resources.files("training").joinpath("report.css").read_text(encoding="utf-8")
    sections = [
        ("Value compared with the rules", _value(judged)),
        ("True values, known in a simulation only", _truth(judged)),
        ("Where it differs from the rules, and why", _differences(judged)),
        ("Support and weights", _support(judged)),
        ("Guardrails", _guardrails(judged)),
        ("Segments", _segments(judged)),
        ("Missing outcomes", _missing(judged)),
        ("The card", _card(judged)),
    ]
    body = "".join(f"<section><h2>{title}</h2>{content}</section>" for title, content in sections if content)
    reasons = "".join(f"<li>{_text(reason)}</li>" for reason in judged.judgement.reasons)
    evidence = judged.evidence
    few = f"<li>few people, on purpose: {_text(judged.look.few_people)}</li>" if judged.look.few_people else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{_text(judged.policy.policy_id)}: {judged.judgement.verdict}</title><style>{style}</style></head>
<body><main><header><p class=who>Candidate {_text(judged.policy.policy_id)}</p>
<h1 style="color:{colour}">{judged.judgement.verdict.capitalize()}</h1><p class=meaning>{meaning}</p>{synthetic}
<ul class=reasons>{reasons}{few}</ul>
<p class=facts>{evidence.rounds:,} decisions of {evidence.participants:,} participants in the {evidence.phase} phase,
{evidence.observed_share:.0%} of outcomes observed; look {judged.look.number} at this study, judged at a one-sided level
of {evidence.level:.3g} by a {evidence.method}. Dataset {judged.package.digest[:12]}.</p></header>
{body}</main></body></html>
"""


def _value(judged: Judged) -> str:
    evidence = judged.evidence
    if evidence.difference is None or evidence.candidate is None or evidence.reference is None:
        return "<p>There is too little overlap: no value and no interval can be reported.</p>"
    rows = [
        ("candidate − rules, reward a week", evidence.difference),
        ("candidate", evidence.candidate),
        ("rules", evidence.reference),
    ]
    table = _table(
        ("", "estimate", f"{1 - 2 * evidence.level:.1%} interval"), ((name, *_numbers(one)) for name, one in rows)
    )
    candidate, rules = (one_hot(levels, len(LEVELS)) for levels in (judged.levels, judged.log.rules))
    seen = observation_probability(judged.log)
    found = value_of(judged.log, candidate, judged.expected_reward, reference=rules, observation=seen)
    others = [(one.estimator, one.difference) for one in found.values if one.estimator in UNBIASED and one.difference]

    def draw(axes: Axes) -> None:
        forest(axes, [(name, one) for name, one in others if one], "candidate − rules, reward a week")
        axes.axvline(MINIMUM_RELEVANT_DIFFERENCE, color=RULES, linewidth=0.8, linestyle=":")

    note = f"The dotted line is the minimum relevant difference, {MINIMUM_RELEVANT_DIFFERENCE}."
    kinds = "The verdict uses dr (doubly robust); the others are shown for comparison."
    return table + svg(draw, height=1.9, label="Difference by estimator") + f"<p>{note} {kinds}</p>"


def _truth(judged: Judged) -> str:
    """A table of V_decision, which the gate estimates, and V_rollout, which it cannot estimate."""
    found = truth_of(
        lambda contexts: composite_levels(judged.policy, contexts), judged.package, judged.policy.policy_id
    )
    if found is None:
        return ""
    rows = []
    for name, what in (("v_decision", "V_decision, the next week"), ("v_rollout", "V_rollout, acting all the time")):
        ours, theirs = (f"{found[key]['value']:.4f} ± {found[key]['error']:.4f}" for key in (name, f"{name}_rules"))
        gap = found[name]["value"] - found[f"{name}_rules"]["value"]
        rows.append((what, ours, theirs, f"{gap:+.4f}"))
    note = "The verdict is about the next week only. Effects over months need a study randomised by participant."
    return _table(("", "candidate", "rules", "difference"), rows) + f"<p>{note}</p>"


def _differences(judged: Judged) -> str:
    """How the levels differ from the rules' by lever, in which contexts, and the gain that q̂ expects."""
    log, levels = judged.log, judged.levels
    moved = levels != log.rules
    rows = []
    for lever, name in enumerate(LEVERS):
        up, down = ((levels - log.rules)[:, lever] > 0).mean(), ((levels - log.rules)[:, lever] < 0).mean()
        gain = _expected_gain(judged, lever)
        rows.append((name, f"{moved[:, lever].mean():.0%}", f"{down:.0%}", f"{up:.0%}", f"{gain:+.3f}"))
    table = _table(("lever", "differs", "lower", "higher", "expected gain where it differs"), rows)
    any_moved = moved.any(axis=1)
    if not any_moved.any() or any_moved.all():
        return table

    def draw(axes: Axes) -> None:
        gap = log.context[any_moved].mean(axis=0) - log.context[~any_moved].mean(axis=0)
        spread = np.maximum(log.context.std(axis=0), 1e-6)
        order = np.argsort(np.abs(gap / spread))
        axes.barh(np.arange(len(order)), (gap / spread)[order], color=CANDIDATE)
        axes.set_yticks(np.arange(len(order)), [FEATURES[place] for place in order])
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_xlabel("mean where they differ minus mean where they agree, in SDs")

    grids = svg(lambda axes: _levels_taken(axes, judged), height=2.2, label="Levels of rules and candidate")
    return table + grids + svg(draw, height=3.0, label="Contexts in which they differ")


def _levels_taken(axes: Axes, judged: Judged) -> None:
    """A bar chart of the share of each level, for rules and candidate."""
    width, labels, places = 0.38, [], []
    for lever, name in enumerate(LEVERS):
        for level, percent in enumerate(CHANGE_PERCENT):
            place = lever * (len(LEVELS) + 1) + level
            for shift, who, colour in ((-width / 2, judged.log.rules, RULES), (width / 2, judged.levels, CANDIDATE)):
                axes.bar(place + shift, (who[:, lever] == level).mean(), width, color=colour)
            labels.append(f"{percent:+d} %" + (f"\n{name}" if level == len(LEVELS) // 2 else ""))
            places.append(place)
    axes.set_xticks(places, labels, fontsize=7)
    axes.set_ylabel("share of decisions")
    patches = [Patch(color=RULES, label="rules"), Patch(color=CANDIDATE, label="candidate")]
    axes.legend(handles=patches, frameon=False, fontsize=7)


def _expected_gain(judged: Judged, lever: int) -> float:
    ours, theirs = judged.levels[:, lever], judged.log.rules[:, lever]
    rows = np.flatnonzero(ours != theirs)
    q: Matrix = judged.expected_reward[rows, lever]
    if not len(rows):
        return 0.0
    places = np.arange(len(rows))
    return float((q[places, ours[rows]] - q[places, theirs[rows]]).mean())


def _support(judged: Judged) -> str:
    overlap = judged.evidence.overlap
    rows = [
        ("decisions in which candidate and rules differ", f"{overlap.differ_share:.1%}"),
        ("effective sample size there", f"{overlap.differing.effective_sample_size:,.0f} of at least 100"),
        ("largest share of one participant", f"{overlap.differing.largest_participant_share:.1%} of at most 5 %"),
        ("mean weight, should be near 1", f"{overlap.overall.mean:.3f}"),
        ("largest weight", f"{overlap.overall.largest:.1f}"),
    ]
    problems = "".join(f"<li>{_text(problem)}</li>" for problem in overlap.problems)
    weight = importance_weight(judged.log, one_hot(judged.levels, len(LEVELS)))

    def draw_weights(axes: Axes) -> None:
        axes.hist(weight[weight > 0], bins=40, color=CANDIDATE)
        axes.set_xlabel("importance weight of the candidate, where it is not zero")
        axes.set_ylabel("decisions")

    def draw_calibration(axes: Axes) -> None:
        drawn, expected = ([getattr(one, name) for one in overlap.calibration] for name in ("drawn", "expected"))
        axes.plot([0, 1], [0, 1], color=RULES, linewidth=0.8)
        axes.scatter(expected, drawn, s=14, color=CANDIDATE, zorder=3)
        axes.set(xlabel="logged probability of a level, mean", ylabel="share that was drawn", xlim=(0, 1), ylim=(0, 1))

    plots = svg(draw_weights, height=2.0, label="Weights")
    if overlap.calibration:
        plots += svg(draw_calibration, width=3.4, height=3.2, label="Propensity calibration")
    return _table(("", ""), rows) + (f"<ul class=bad>{problems}</ul>" if problems else "") + plots


def _guardrails(judged: Judged) -> str:
    rows = []
    for one in judged.evidence.guardrails:
        numbers = _numbers(one.difference) if one.difference else ("–", "–")
        rows.append((_text(one.label), one.standing, *numbers, f"{-one.margin:g}"))
    return _table(("outcome", "", "difference", "interval", "margin"), rows) if rows else ""


def _segments(judged: Judged) -> str:
    found = judged.evidence.segments
    if not found:
        return ""
    judgeable = [(f"{one.by} {one.name} ({one.participants})", one.difference) for one in found if one.difference]
    small = ", ".join(f"{one.by} {one.name} ({one.participants})" for one in found if one.difference is None)
    harmed = ", ".join(f"{one.by} {one.name}" for one in found if one.harmed)
    note = (
        f"<p class=bad>Harmed: {_text(harmed)}.</p>"
        if harmed
        else "<p>No harm was found in these segments, which does not show that there is none.</p>"
    )
    note += f"<p>Too small to tell: {_text(small)}.</p>" if small else ""
    height = 0.7 + SEGMENT_HEIGHT * len(judgeable)
    label = "candidate − rules, reward a week"
    return svg(lambda axes: forest(axes, judgeable, label), height=height, label="Segments") + note


def _missing(judged: Judged) -> str:
    evidence = judged.evidence
    found, more = evidence.selection, evidence.missing
    if found is None or more is None:
        return ""
    overturned = f"{found.overturned_at:.2f}" if found.overturned_at else f"more than {LARGEST:.0f}"
    worst, best = found.without_assumption
    rows = [
        ("observed under the candidate, where they differ", f"{found.candidate_observed:.1%}"),
        ("observed under the rules", f"{found.reference_observed:.1%}"),
        ("missing more under the candidate", f"{more.estimate:+.2%} ({more.low:+.2%} to {more.high:+.2%})"),
        ("stated odds ratio of being observed", f"{found.odds_ratio:g}"),
        ("the least difference within it", f"{found.difference.estimate:+.4f}"),
        ("its lower bound, which must be above zero", f"{found.difference.low:+.4f}"),
        ("odds ratio at which the lower bound is zero", overturned),
        ("without any assumption (Manski)", f"{worst.estimate:+.4f} to {best.estimate:+.4f}"),
    ]

    def draw(axes: Axes) -> None:
        ratios, least, low = zip(*found.curve, strict=True)
        axes.plot(ratios, least, color=CANDIDATE, label="least difference")
        axes.plot(ratios, low, color=CANDIDATE, linestyle="--", label="its lower bound")
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.axvline(found.odds_ratio, color=RULES, linewidth=0.8, linestyle=":")
        axes.set(xscale="log", xlabel="odds ratio of being observed", ylabel="candidate − rules")
        axes.set_xticks(ratios, [f"{ratio:g}" for ratio in ratios])
        axes.minorticks_off()
        axes.legend(frameon=False, fontsize=7)

    note = "In each arm, outcomes that speak for a promotion are assumed to be observed more often, by this odds ratio."
    return _table(("", ""), rows) + svg(draw, height=2.2, label="Sensitivity to missing outcomes") + f"<p>{note}</p>"


def _card(judged: Judged) -> str:
    card = judged.policy.card
    kept = ("policy_id", "context_schema", "action_schema", "rules", "reward", "support", "training", "libraries")
    rows = [(_text(name), _text(value)) for key in kept if key in card for name, value in _flat(key, card[key])]
    return _table(("", ""), [*rows, ("graph, SHA-256", card["onnx"]["sha256"])], "card")


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """A nested value as rows with dotted names, such as `reward.weights.pace`."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}", inner)
    else:
        yield name, ", ".join(map(str, value)) if isinstance(value, list | tuple) else rounded(value)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]], kind: str = "") -> str:
    heading = "".join(f"<th>{name}</th>" for name in head) if any(head) else ""
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<table class="{kind}"><thead><tr>{heading}</tr></thead><tbody>{body}</tbody></table>'


def _numbers(found: Interval) -> tuple[str, str]:
    return f"{found.estimate:+.4f}", f"{found.low:+.4f} to {found.high:+.4f}"


def _text(value: object) -> str:
    return html.escape(str(value))
