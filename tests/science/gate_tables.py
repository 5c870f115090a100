"""Tables of docs/science.md about the gate: how often it promotes, worlds that try to deceive it, and its power."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from coach_model.budget.context import COLUMN
from tests.science.candidates import Scenario
from tests.science.trials import logged
from tests.science.worlds import WORLDS, Deceived, all_deceived, changed, evidence_in, leaving
from training.budget.gate import judge
from training.registry.verdicts import INSUFFICIENT, PROMOTE, REJECT
from training.trials.gate_power import GatePower, reasons_against, simulated_power
from training.trials.power import confirm_plan

PLANS = ((125, 12), (250, 6), (250, 12), (400, 12), (600, 12))
"""Participants and weeks of the power table."""

LEAVING = "2 points of the people leave each week, the weeks are better by 0.03"
FIFTH = "a fifth of the weeks is worse by 0.05, the others are better by 0.06"

type Progress = Callable[[str], None]


def verdicts(scenario: Scenario, seeds: Sequence[int], jobs: int = 2) -> Counter[str]:
    """How often each verdict falls in simulated studies of a scenario."""
    run = Parallel(n_jobs=jobs, return_as="generator")
    return Counter(run(delayed(_verdict)(scenario, seed) for seed in seeds))


def _verdict(scenario: Scenario, seed: int) -> str:
    return judge(evidence_in(logged(scenario.config, scenario, seed))).verdict


def gate_page(known: dict[str, Scenario], studies: int, jobs: int, progress: Progress) -> list[str]:
    """The tables, from `studies` simulated studies of each kind."""
    seeds = range(studies)
    lines = [f"{studies:,} simulated studies of each kind.", ""]
    lines += _promotions(known, {name: verdicts(one, seeds, jobs) for name, one in known.items()}, studies)
    found = {}
    for world in WORLDS:
        progress(world.name)
        found[world.name] = list(all_deceived(known["zero effects"], world, seeds, jobs))
    lines += ["", *worlds_table(found)]
    lines += ["", *harm_table(known["zero effects"], max(studies // 2, 20), jobs, progress)]
    powers = []
    for people, weeks in PLANS:
        plan = confirm_plan(people, weeks)
        powers.append(simulated_power(plan, studies=max(studies // 2, 20), jobs=jobs, progress=progress))
    return [*lines, "", *power_table(powers)]


def harmful(scenario: Scenario, harm: str, people: int, seed: int) -> tuple[bool, bool, bool, bool]:
    """A study whose candidate is better on average and harms: whether its bound is above zero, whether a guardrail
    stands against it, whether a segment does, and whether it is promoted."""
    log = logged(replace(scenario.config, participants=people), scenario, seed)
    if harm == LEAVING:
        log = leaving(changed(log, np.full(len(log), 0.03)), 0.02, seed)
    else:
        needs = log.context[:, COLUMN["needs_share"]]
        log = changed(log, np.where(needs >= np.quantile(needs, 0.8), -0.05, 0.06))
    found = evidence_in(log)
    bound = found.difference is not None and found.difference.low > 0
    against = set(reasons_against(found))
    return bound, "guardrails" in against, "segments" in against, not against


def harm_table(scenario: Scenario, studies: int, jobs: int, progress: Progress) -> list[str]:
    """How often candidates that harm are promoted."""
    lines = [
        f"**Harm**: {studies} studies of each kind; the candidate is better on average",
        "",
        "| harm | participants | bound above zero | a guardrail against it | a segment against it | promoted |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    run = Parallel(n_jobs=jobs)
    for harm in (LEAVING, FIFTH):
        for people in (400, 1200):
            progress(f"{harm}, {people} people")
            found = run(delayed(harmful)(scenario, harm, people, seed) for seed in range(studies))
            rates = " | ".join(f"{share:.0%}" for share in np.mean(found, axis=0))
            lines.append(f"| {harm} | {people:,} | {rates} |")
    return lines


def _promotions(known: dict[str, Scenario], found: dict[str, Counter[str]], studies: int) -> list[str]:
    lines = ["**How often the gate promotes**: 400 people, 12 confirm weeks", ""]
    lines += ["| candidate | truly worth | differs in | promoted | rejected | insufficient evidence |"]
    lines += ["| --- | ---: | ---: | ---: | ---: | ---: |"]
    for name, scenario in known.items():
        rates = " | ".join(f"{found[name][verdict] / studies:.1%}" for verdict in (PROMOTE, REJECT, INSUFFICIENT))
        truth = f"{scenario.truth.value:+.4f} ± {scenario.truth.error:.4f}"
        lines.append(f"| {name} | {truth} | {scenario.differ_share:.0%} | {rates} |")
    return lines


def worlds_table(found: dict[str, list[Deceived]]) -> list[str]:
    """How often a candidate that is no better looks better in worlds of missing outcomes, by each way to look."""
    studies = len(next(iter(found.values())))
    what = "The candidate is no better; the share of studies whose lower bound is above zero"
    lines = [
        f"**Missing outcomes in opposite directions**: {studies:,} studies of each world. {what}",
        "",
        "| world | as observed | and equal shares missing | within the stated odds ratio | Manski |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, studies_of in found.items():
        ways = ("by_observed", "by_equal_shares", "within_stated", "by_manski")
        rates = " | ".join(f"{np.mean([getattr(one, way) for one in studies_of]):.1%}" for way in ways)
        lines.append(f"| {name} | {rates} |")
    return lines


def power_table(found: Sequence[GatePower]) -> list[str]:
    """What the formula promises of the bound, and what the whole gate keeps."""
    plan: Any = found[0].plan
    what = f"a difference of {plan.difference:g} in {plan.differ_share:.0%} of the decisions"
    lines = [
        f"**Power**: {found[0].studies} studies of each size; {what}",
        "",
        "| participants × weeks | of the bound, by the formula | promoted by the whole gate | stood against it |",
        "| --- | ---: | ---: | --- |",
    ]
    for one in found:
        against = ", ".join(f"{name} {share:.0%}" for name, share in one.against.items()) or "nothing"
        span = f"{one.power:.0%} ({one.low:.0%} to {one.high:.0%})"
        lines.append(f"| {one.plan.participants} × {one.plan.weeks} | {one.plan.power:.0%} | {span} | {against} |")
    return lines
