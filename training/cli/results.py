"""Tables of what `evaluate` and `gate` found."""

from typing import Any

from rich.markup import escape
from rich.table import Table

from training.cli.shell import console, errors, interval


def show_values(document: dict[str, Any]) -> None:
    """The values of a policy, or why there are none."""
    from training.ope.valuation import UNBIASED  # noqa: PLC0415 - keeps --help fast

    shown = console()
    for note in document["notes"]:
        errors.print(f"[yellow]note:[/yellow] {escape(note)}", highlight=False, soft_wrap=True)
    if document["problems"]:
        shown.print("[bold]insufficient evidence[/bold]", highlight=False)
        for problem in document["problems"]:
            shown.print(f"  {problem}", highlight=False, soft_wrap=True)
        if any("of the weight" in problem for problem in document["problems"]):
            shown.print("  if you know that: --few-people REASON", highlight=False)
        return
    paired = document["values"][0]["difference"] is not None
    table = Table("estimator", "value", *(["to the rules"] if paired else []), "bootstrap")
    for one in document["values"]:
        difference = [interval(one["difference"])] if paired else []
        table.add_row(
            one["estimator"] + ("" if one["estimator"] in UNBIASED else " (biased: its interval is too narrow)"),
            interval(one["value"]),
            *difference,
            interval(one["bootstrap"]) if one["bootstrap"] else "",
        )
    if document["logged"]:
        table.add_row("the logged policy", interval(document["logged"]), *([""] if paired else []), "")
    shown.print(table)
    weights = document["overlap"]["differing"]
    missing = f"{document['rewards_missing']} of their rewards missing, " if document["rewards_missing"] else ""
    shown.print(
        f"{document['rounds']} rounds of {document['participants']} participants, {missing}effective sample size "
        f"{weights['effective_sample_size']:.0f}, largest weight {weights['largest']:.1f}",
        highlight=False,
    )


def show_verdict(document: dict[str, Any]) -> None:
    """A verdict with its reasons and its evidence."""
    shown, evidence = console(), document["evidence"]
    colour = {"promote": "green", "reject": "red"}.get(document["verdict"], "yellow")
    shown.print(f"[bold {colour}]{document['verdict']}[/bold {colour}]  {document['policy_id']}", highlight=False)
    for reason in document["reasons"]:
        shown.print(f"  {reason}", highlight=False, soft_wrap=True)
    if document["few_people"]:
        shown.print(f"  few people, on purpose: {document['few_people']}", highlight=False, markup=False)
    table = Table("", "", show_edge=False, show_header=False)
    if evidence["difference"]:
        table.add_row("candidate − rules, a week", interval(evidence["difference"]))
        found = evidence["selection"]
        table.add_row(
            f"if outcomes are missing by an odds ratio of {found['odds_ratio']:g}", interval(found["difference"])
        )
        worst, best = found["without_assumption"]
        table.add_row("without any assumption", f"{worst['estimate']:+.4f} to {best['estimate']:+.4f}")
    for rail in evidence["guardrails"]:
        known = f" {interval(rail['difference'])}" if rail["difference"] else ""
        table.add_row(f"guardrail {rail['name']}", rail["standing"] + known)
    table.add_row("decisions, participants", f"{evidence['rounds']}, {evidence['participants']}")
    table.add_row("look at this study", f"{document['look']}, level {evidence['level']:g}, {evidence['method']}")
    shown.print(table)
