"""The sample of a research dataset that comes with the project."""

from pathlib import Path

SAMPLE = Path(__file__).parents[2] / "data" / "samples" / "budget"
