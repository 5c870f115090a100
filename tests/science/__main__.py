"""`python -m tests.science`: simulates the claims of docs/science.md and writes its tables and plots."""

import json
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import matplotlib as mpl
import numpy as np
import typer
from matplotlib.figure import Figure
from rich.console import Console

from tests.bench.report import commit
from tests.science.candidates import Scenario, scenarios
from tests.science.gate_tables import gate_page
from tests.science.trials import Trial, bias, coverage, share_held, trials
from training.reporting.plots import CANDIDATE, HARM, INK, RULES

DOCS = Path(__file__).parents[2] / "docs"
GATE = ("<!-- gate:start -->", "<!-- gate:end -->")
BEGIN, END = "<!-- science:start -->", "<!-- science:end -->"
BAND = (0.93, 0.97)
SMALL_STUDIES = ((20, 3), (30, 4), (40, 6), (80, 6), (160, 8))
"""Numbers of participants and weeks, for effective sample sizes from about 15 to several hundred."""
SHOWN = ("snipw, t", "dr, t", "dr, bootstrap")


class Part(StrEnum):
    """Which tables."""

    ALL = "all"
    GATE = "gate"
    COVERAGE = "coverage"


def main(
    studies: Annotated[int, typer.Option(min=20, help="Simulated studies of each kind.")] = 2000,
    part: Annotated[Part, typer.Option(help="The tables to make.")] = Part.ALL,
    jobs: Annotated[int, typer.Option(help="Processes.")] = -1,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    write_docs: Annotated[bool, typer.Option("--write-docs", help="Write docs/science.md and its plots.")] = False,
) -> None:
    """Measure the coverage of the intervals, and the gate's rates of promotion and power, by simulation."""
    console, known = Console(stderr=True), scenarios()
    if part != Part.COVERAGE:
        with console.status("") as status:
            text = "\n".join(gate_page(known, studies, jobs, status.update))
        print(text)
        if write_docs:
            _write(text, *GATE)
    if part != Part.GATE:
        _coverage(console, known, studies, jobs, json_file, write_docs=write_docs)


def _coverage(
    console: Console, known: dict[str, Scenario], studies: int, jobs: int, json_file: Path | None, *, write_docs: bool
) -> None:
    found: dict[str, list[Trial]] = {}
    with console.status("") as status:
        for name, scenario in known.items():
            found[name] = []
            for one in trials(scenario, range(studies), jobs):
                found[name].append(one)
                status.update(f"{name}: {len(found[name])} of {studies}")
        small = [
            _small(known["better by 0.03, missing at random"], people, weeks, max(studies // 2, 20), jobs)
            for people, weeks in SMALL_STUDIES
        ]
    figures = {"studies": studies, "scenarios": [_figures(known[name], one) for name, one in found.items()]}
    figures["overlap"] = small
    if json_file:
        json_file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    text = "\n".join(_page(figures))
    print(text)
    if write_docs:
        _write(text, BEGIN, END)
        _draw(figures, DOCS / "img" / "science.svg")


def _write(text: str, begin: str, end: str) -> None:
    """Replace what stands between the marks of docs/science.md."""
    page = (DOCS / "science.md").read_text(encoding="utf-8")
    before, after = page.split(begin)[0], page.split(end)[1]
    at = f"Made at commit {commit()}."
    (DOCS / "science.md").write_text(f"{before}{begin}\n{at} {text}\n{end}{after}", encoding="utf-8")


def _small(scenario: Scenario, people: int, weeks: int, studies: int, jobs: int) -> dict[str, Any]:
    """Coverage with small overlap, also where the gate would refuse a value."""
    config = replace(scenario.config, participants=people, confirm_weeks=weeks)
    found = list(trials(replace(scenario, config=config), range(50_000, 50_000 + studies), jobs))
    held = {name: share_held([one.intervals[name] for one in found], scenario.truth.value) for name in SHOWN}
    return {
        "participants": people,
        "weeks": weeks,
        "studies": studies,
        "size": float(np.median([one.effective_sample_size for one in found])),
        "refused": 1 - float(np.mean([one.overlaps for one in found])),
        "held": held,
    }


def _figures(scenario: Scenario, found: Sequence[Trial]) -> dict[str, Any]:
    truth = scenario.truth.value
    names = list(found[0].intervals)
    error = {name: float(np.mean([one.intervals[name].error for one in found])) for name in names}
    spread = {name: float(np.std([one.intervals[name].estimate for one in found], ddof=1)) for name in names}
    width = {
        name: float(np.mean([one.intervals[name].high - one.intervals[name].low for one in found])) for name in names
    }
    return {
        "name": scenario.name,
        "truth": truth,
        "truth_error": scenario.truth.error,
        "differ_share": scenario.differ_share,
        "without_overlap": 1 - float(np.mean([one.overlaps for one in found])),
        "coverage": coverage(found, truth),
        "bias": bias(found, truth),
        "error": error,
        "spread": spread,
        "width": width,
    }


def _page(figures: dict[str, Any]) -> list[str]:
    known = figures["scenarios"]
    lines = [f"{figures['studies']:,} simulated studies of each kind, 400 people, 12 confirm weeks.", ""]
    lines += ["**Coverage of nominal 95 % intervals of the difference**, where overlap passes", ""]
    lines += ["| interval | " + " | ".join(one["name"] for one in known) + " | mean width |"]
    lines += ["| --- |" + " ---: |" * (len(known) + 1)]
    for name in known[0]["coverage"]:
        held = " | ".join(f"{one['coverage'][name]:.1%}" for one in known)
        lines.append(f"| {name} | {held} | {np.mean([one['width'][name] for one in known]):.3f} |")
    lines += [
        "",
        "**Bias and standard error**: mean estimate less truth, mean stated error, true spread of the estimates",
        "",
    ]
    lines += ["| estimator | " + " | ".join(one["name"] for one in known) + " |", "| --- |" + " ---: |" * len(known)]
    for name in (name for name in known[0]["bias"] if name.endswith(", t")):
        cells = [f"{one['bias'][name]:+.4f}, {one['error'][name]:.4f}, {one['spread'][name]:.4f}" for one in known]
        lines.append(f"| {name.removesuffix(', t')} | " + " | ".join(cells) + " |")
    lines += [
        "",
        f"**Overlap**: {figures['studies'] // 2:,} studies of each size; the gate states no value below 100",
        "",
    ]
    lines += ["| participants × weeks | effective sample size, median | refused | " + " | ".join(SHOWN) + " |"]
    lines += ["| --- | ---: | ---: |" + " ---: |" * len(SHOWN)]
    for one in figures["overlap"]:
        held = " | ".join(f"{one['held'][name]:.1%}" for name in SHOWN)
        lines.append(f"| {one['participants']} × {one['weeks']} | {one['size']:.0f} | {one['refused']:.0%} | {held} |")
    return lines


def _draw(figures: dict[str, Any], out: Path) -> None:
    """Coverage by interval, and coverage by effective sample size."""
    known = figures["scenarios"]
    with mpl.rc_context({"svg.hashsalt": "buddy", "font.size": 8, "svg.fonttype": "none"}):
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        names = list(known[0]["coverage"])
        for shift, (one, colour) in enumerate(zip(known, (RULES, INK, CANDIDATE, HARM), strict=True)):
            places = np.arange(len(names)) + (shift - 1.5) * 0.16
            left.plot(
                [one["coverage"][name] for name in names], places, "o", color=colour, label=one["name"], markersize=4
            )
        left.set_yticks(range(len(names)), names)
        left.invert_yaxis()
        left.set(xlabel="coverage", xlim=(0.5, 1.01))
        left.legend(frameon=False, fontsize=7, loc="lower left")
        for axis in (left.axvspan, right.axhspan):
            axis(*BAND, color=CANDIDATE, alpha=0.12)
        for name, colour in zip(SHOWN, (HARM, CANDIDATE, INK), strict=True):
            sizes = [one["size"] for one in figures["overlap"]]
            right.plot(sizes, [one["held"][name] for one in figures["overlap"]], "o-", color=colour, label=name)
        right.axvline(100, color=RULES, linestyle=":")
        right.set(
            xscale="log", xlabel="effective sample size where the policies differ", ylabel="coverage", ylim=(0.75, 1)
        )
        right.legend(frameon=False, fontsize=7)
        for axes in (left, right):
            for side in ("top", "right"):
                axes.spines[side].set_visible(False)
        figure.savefig(out, format="svg", metadata={"Date": None})


if __name__ == "__main__":
    typer.run(main)
