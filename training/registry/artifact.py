"""Writes an artifact: the graph and its card, and counts of contexts that identify no participant."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coach_model.onnx_policy import CARD_FILE, GRAPH_FILE

HISTOGRAM_BINS = 10
SMALLEST_CELL = 5
"""A count below this could identify a person and is suppressed."""


def write_artifact(folder: Path, graph: bytes, card: dict[str, Any]) -> None:
    """Write the pair into `folder`, each file by an atomic rename. Between the two renames a reader sees a pair that
    does not match, and refuses it."""
    folder.mkdir(parents=True, exist_ok=True)
    card_bytes = (json.dumps(card, indent=2, ensure_ascii=False) + "\n").encode()
    for name, content in ((GRAPH_FILE, graph), (CARD_FILE, card_bytes)):
        new = folder / f".{name}.new"
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(folder / name)


def histograms(contexts: npt.NDArray[np.float32], names: Sequence[str]) -> dict[str, list[int | None]]:
    """For each feature, the number of training contexts (n, d) in each tenth of [0, 1]; None for suppressed counts."""
    counts = {
        name: np.histogram(contexts[:, column], HISTOGRAM_BINS, (0, 1))[0].tolist() for column, name in enumerate(names)
    }
    return {name: _suppressed(cells) for name, cells in counts.items()}


def _suppressed(cells: list[int]) -> list[int | None]:
    """Small cells as None. When only one cell is small, the smallest other cell is suppressed too, because the total
    would reveal the first."""
    small = [0 < cell < SMALLEST_CELL for cell in cells]
    if sum(small) == 1:
        rest = [index for index, cell in enumerate(cells) if cell >= SMALLEST_CELL]
        small[min(rest, key=lambda index: cells[index])] = True
    return [None if hidden else cell for cell, hidden in zip(cells, small, strict=True)]
