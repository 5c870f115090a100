"""Parses Kinderbud's reference: its requests, its answers and its tables."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TEXT = Path(__file__).with_name("reference.md").read_text(encoding="utf-8")
ELSEWHERE = "{ ... }"
"""The reference's placeholder for something that it shows below."""
FORMS = {
    "a date": re.compile(r"\d{4}-\d\d-\d\d"),
    "a timestamp": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"),
    "a colour": re.compile(r"#[0-9A-F]{6}"),
}
OURS = {
    *("id", "todo_id", "guide_item_id", "participant_id", "guide_id", "plan_id", "undone_action_id"),
    *("title", "description", "todo_title", "evidence_summary", "goals", "daily_note", "item_key", "email", "error"),
    *("item_count", "total_actions", "streak", "completed", "total", "completed_7d", "completed_30d", "source"),
    *("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
"""Fields whose values depend on the family or the guides; all others are equal to the reference."""


@dataclass(frozen=True)
class Example:
    """A request of the reference's shell client, and the answer in the reference."""

    title: str
    method: str
    path: str
    body: Any
    answer: Any

    def __str__(self) -> str:
        return " ".join([self.method, self.path, *([json.dumps(self.body)] if self.body else [])])


@dataclass
class Section:
    """The content below a heading."""

    title: str
    commands: list[list[str]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)

    def examples(self) -> Iterator[Example]:
        """Each command with its answer, or all commands with the only answer."""
        if not self.commands:
            return
        answers = self.answers if len(self.answers) > 1 else self.answers * len(self.commands)
        for (_, method, path, *body), answer in zip(self.commands, answers, strict=True):
            yield Example(self.title, method.upper(), path, json.loads(body[0]) if body else None, answer)


def sections() -> list[Section]:
    """All headings, with the JSON and the commands below them."""
    found = [Section("")]
    for heading, language, block in re.findall(r"^##+ ([^\n]+)$|^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL):
        if heading:
            found.append(Section(heading))
        elif language == "bash":
            found[-1].commands += [shlex.split(line) for line in block.splitlines()]
        else:
            value = json.loads(block.replace(ELSEWHERE, "{}"))
            (found[-1].answers if "ok" in value else found[-1].bodies).append(value)
    return found


def table(title: str) -> dict[str, list[str]]:
    """The rows of the table below a heading, by their first cell."""
    below = TEXT[TEXT.index(f"{title}\n") + len(title) :]
    lines = re.split(r"^##", below, maxsplit=1, flags=re.MULTILINE)[0].splitlines()
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return {name: rest for name, *rest in rows[2:]}


def listed(label: str) -> set[str]:
    """The values in the line that starts with `**label:**`."""
    (line,) = [line for line in TEXT.splitlines() if line.startswith(f"**{label}:**")]
    return set(re.findall(r"`(\w+)`", line))


def complaints(shown: Any, said: Any, where: str = "answer") -> list[str]:
    """Differences in shape between an answer and the reference: missing fields, extra fields, other types."""
    if kind(shown) != kind(said):
        return [f"{where}: {kind(said)} instead of {kind(shown)}"]
    if isinstance(shown, dict):
        found = [f"{where}: no {name}" for name in sorted(shown.keys() - said.keys())]
        found += [f"{where}: a {name} too many" for name in sorted(said.keys() - shown.keys())]
        for name in shown.keys() & said.keys():
            found += complaints(shown[name], said[name], f"{where}.{name}")
        return found
    if isinstance(shown, list):
        found = []
        for place, one in enumerate(said):
            tries = [complaints(example, one, f"{where}[{place}]") for example in shown]
            closest = min(tries, key=len) if tries else [f"{where}: not empty"]
            found += closest
        return found
    return []


def agrees(shown: Any, said: Any) -> bool:
    """Whether an answer agrees with the reference: every list entry is present, and every value that does not depend on
    the family is equal.
    """
    if isinstance(shown, dict):
        return all((name in OURS and _plain(shown[name])) or agrees(shown[name], said[name]) for name in shown)
    if isinstance(shown, list):
        return all(any(agrees(example, one) for one in said) for example in shown)
    return bool(shown == said)


def kind(value: Any) -> str:
    """The JSON type. For a text also its format."""
    if isinstance(value, str):
        return next((name for name, form in FORMS.items() if form.fullmatch(value)), "text")
    return "null" if value is None else type(value).__name__


def _plain(value: Any) -> bool:
    return not isinstance(value, dict | list)
