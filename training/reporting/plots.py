"""Plots as SVG for HTML pages."""

import html
import io
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.ope.intervals import Interval

INK, RULES, CANDIDATE, HARM = "#1f2a37", "#8a94a6", "#0f766e", "#b42318"


def forest(axes: Axes, rows: list[tuple[str, Interval]], label: str) -> None:
    """A forest plot: one interval per line, with a vertical line at zero."""
    for place, (_, one) in enumerate(reversed(rows)):
        colour = HARM if one.high < 0 else CANDIDATE
        axes.plot([one.low, one.high], [place, place], color=colour, linewidth=1.6)
        axes.plot([one.estimate], [place], "o", color=colour, markersize=4)
    axes.set_yticks(range(len(rows)), [name for name, _ in reversed(rows)])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlabel(label)


def svg(draw: Callable[[Axes], Any], *, height: float, label: str, width: float = 7.2) -> str:
    """An HTML figure with the SVG that `draw` makes. The same data give the same bytes."""
    with mpl.rc_context({"svg.hashsalt": "buddy", "font.size": 8, "svg.fonttype": "none"}):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots()
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        draw(axes)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    drawn = buffer.getvalue()
    return f'<figure role="img" aria-label="{html.escape(label)}">{drawn[drawn.index("<svg") :]}</figure>'
