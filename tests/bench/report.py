"""Reports results: on the terminal, as JSON, and in docs/benchmarks.md with charts."""

import importlib.metadata
import platform
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rich.box
import rich.table
from rich.console import Console

from tests.bench.servers import all_cores

LIBRARIES = ("buddy-coach", "fastapi", "uvicorn", "sqlalchemy", "asyncpg", "aiosqlite", "onnxruntime", "mlflow")
OURS_COLOUR, OTHERS_COLOUR, TEXT_COLOUR = "#2a9d8f", "#9aa0a6", "#787878"
"""Colours that are legible on white and on near-black."""
BAR_INCHES, WIDTH_INCHES, TITLE_INCHES = 0.36, 8.0, 0.5
PANEL_GAP = 0.12
"""Space between two charts, as a share of their mean height."""
ROOM_FOR_VALUE = 1.14
"""Width of the axis divided by the longest bar."""
WRITTEN = (":!docs/benchmarks.md", ":!docs/img/benchmarks-*.svg")
"""What `write_docs` writes, as git's exceptions from all files."""

type Say = Callable[[str, float], None]
"""A function that reports the current step and the finished share of the benchmark."""


@dataclass(frozen=True)
class Table:
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Chart:
    """Horizontal bars, the first on top. The bars in `ours` are highlighted; `value` formats the number at a bar."""

    title: str
    bars: Mapping[str, float]
    ours: Sequence[str]
    value: str


@dataclass(frozen=True)
class Result:
    """The result of one benchmark. `figures` holds the data of every round, for the JSON file."""

    name: str
    how: str
    tables: Sequence[Table]
    charts: Sequence[Chart]
    figures: Mapping[str, Any]


def machine() -> dict[str, str]:
    """The properties of the machine that the figures depend on, without its name or other identification."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
    return {
        "processor": _processor(),
        "cores": str(len(all_cores()) or "unknown"),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": versions,
    }


def commit() -> str:
    """The commit that is measured, and whether files were changed since, other than those that `write_docs` writes;
    without git that it is unknown."""
    try:
        head = _git("rev-parse", "--short", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", *WRITTEN)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"`{head}`, with changes" if changed else f"`{head}`"


def _git(*arguments: str) -> str:
    root = Path(__file__).parents[2]
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def show(console: Console, results: Sequence[Result]) -> None:
    console.print(", ".join(f"{name} {value}" for name, value in machine().items()), style="dim")
    for result in results:
        console.print(f"\n[bold]{result.name}[/bold]  {result.how}")
        for table in result.tables:
            drawn = rich.table.Table(
                title=table.title, title_justify="left", title_style="bold", box=rich.box.SIMPLE_HEAD
            )
            for index, column in enumerate(table.columns):
                drawn.add_column(column, justify="left" if index == 0 else "right", no_wrap=True)
            for row in table.rows:
                drawn.add_row(*row)
            console.print(drawn)


def write_docs(page: Path, images: Path, results: Sequence[Result], day: str, at: str) -> None:
    """Write each benchmark's tables between its markers in `page`, with the day and the commit `at` which they were
    measured, and its charts to `images`. Raises ValueError when the markers are missing."""
    text = page.read_text(encoding="utf-8")
    for result in results:
        start, end = (f"<!-- bench:{result.name}:{edge} -->" for edge in ("start", "end"))
        before, found, rest = text.partition(start)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"{page.name} has no {start} and {end}")
        text = f"{before}{start}\n{_markdown(result, day, at)}\n{end}{after}"
        if result.charts:
            _draw(result.charts, images / f"benchmarks-{result.name}.svg")
    page.write_text(text, encoding="utf-8")


def _markdown(result: Result, day: str, at: str) -> str:
    about = machine()
    on = f"{about['processor']}, {about['cores']} cores, {about['system']}, Python {about['python']}"
    parts = [f"Measured on {day} at commit {at}: {on}, {about['versions']}.", result.how]
    for table in result.tables:
        lines = [
            f"**{table.title}**",
            "",
            _line(table.columns),
            _line(["---", *["---:"] * (len(table.columns) - 1)]),
            *map(_line, table.rows),
        ]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _draw(charts: Sequence[Chart], image: Path) -> None:
    """Write the charts as an SVG without background. The same figures give the same bytes."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    style: dict[Any, Any] = {
        "svg.hashsalt": "buddy-bench",
        "svg.fonttype": "none",
        "font.size": 10,
        "text.color": TEXT_COLOUR,
    }
    heights = [len(chart.bars) for chart in charts]
    inches = sum(heights) * BAR_INCHES + len(charts) * TITLE_INCHES
    with mpl.rc_context(style):
        figure, axes = plt.subplots(
            len(charts),
            figsize=(WIDTH_INCHES, inches),
            gridspec_kw={"height_ratios": heights},
            layout=ConstrainedLayoutEngine(hspace=PANEL_GAP),
            squeeze=False,
        )
        for axis, chart in zip(axes[:, 0], charts, strict=True):
            names, values = list(chart.bars), list(chart.bars.values())
            colours = [OURS_COLOUR if name in chart.ours else OTHERS_COLOUR for name in names]
            bars = axis.barh(names, values, color=colours, height=0.66)
            axis.bar_label(bars, [chart.value.format(value) for value in values], padding=4, color=TEXT_COLOUR)
            axis.set_title(chart.title, loc="left", fontsize=10, fontweight="bold", color=TEXT_COLOUR)
            axis.set_xlim(0, max(values) * ROOM_FOR_VALUE)
            axis.invert_yaxis()
            axis.spines[:].set_visible(False)
            axis.tick_params(length=0, labelbottom=False, colors=TEXT_COLOUR)
            axis.patch.set_alpha(0)
        image.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(image, transparent=True, metadata={"Date": None, "Creator": None})
        plt.close(figure)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
