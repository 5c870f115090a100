"""Loads an artifact: the pair `policy.onnx` and `policy.json` (its card).

The card states the SHA-256 of the graph and the versions of the context and the actions. A pair is refused unless the
digest and the versions match and the graph has the expected inputs and outputs. So the valid graph of another model
cannot decide either.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from coach_model.one_row import OneRow, Signature
from coach_model.regular_files import FileRefused, read_regular

GRAPH_FILE = "policy.onnx"
CARD_FILE = "policy.json"
CARD_FORMAT = "buddy-policy-card/1"
PROMOTED = Path("var/models")
"""Folder of the promoted artifacts, one folder for each coach."""
CHALLENGER = "-challenger"
"""Suffix of the folder of an artifact that decides in the shadow."""
LARGEST_FILE = 16 * 2**20
"""Bytes. A policy is a small graph; a larger file is a mistake."""


class ArtifactMissing(Exception):
    """The folder holds no artifact."""


class ArtifactRefused(Exception):
    """The artifact must not be served; the message says why."""


@dataclass(frozen=True)
class Contract:
    """What a coach expects of its artifacts. In shapes, None stands for the number of rows."""

    coach: str
    context_schema: str
    action_schema: str
    inputs: Signature
    outputs: Signature


@dataclass(frozen=True, eq=False)
class OnnxPolicy:
    """A loaded artifact. Calling it runs the graph. Threads may share it."""

    policy_id: str
    card: Mapping[str, Any]
    card_bytes: bytes
    graph: bytes
    session: ort.InferenceSession
    one_row: OneRow
    output_names: list[str]

    def __call__(self, inputs: Mapping[str, npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        """The graph's outputs, in the order of the contract. Errors of onnxruntime are passed on."""
        if all(len(values) == 1 for values in inputs.values()):
            return self.one_row(inputs)
        outputs: list[npt.NDArray[Any]] = self.session.run(self.output_names, inputs)
        return outputs


def load_policy(folder: Path, contract: Contract) -> OnnxPolicy:
    """The artifact in `folder`.

    Raises ArtifactMissing when both files are missing. Raises ArtifactRefused when one file is missing or unreadable,
    or when the files do not match each other or `contract`.
    """
    graph, card_bytes = read_artifact_file(folder / GRAPH_FILE), read_artifact_file(folder / CARD_FILE)
    if graph is None and card_bytes is None:
        raise ArtifactMissing(f"{folder}: no {GRAPH_FILE} and no {CARD_FILE}")
    if graph is None or card_bytes is None:
        raise ArtifactRefused(f"{folder}: {GRAPH_FILE if graph is None else CARD_FILE} is missing")
    try:
        return policy_of(graph, card_bytes, contract)
    except ArtifactRefused as error:
        raise ArtifactRefused(f"{folder}/{error}") from error


def policy_of(graph: bytes, card_bytes: bytes, contract: Contract) -> OnnxPolicy:
    """The artifact of these two files. Raises ArtifactRefused when they do not match each other or `contract`."""
    card = _checked_card(card_bytes, graph, contract)
    session = _session(graph)
    _check_signature(session, contract)
    _check_answer(session, contract)
    one_row = OneRow(session, contract.inputs, contract.outputs)
    return OnnxPolicy(card["policy_id"], card, card_bytes, graph, session, one_row, list(contract.outputs))


def read_artifact_file(path: Path) -> bytes | None:
    """The content of a file of an artifact, None where there is none.

    Only regular files are read, up to LARGEST_FILE bytes. Raises ArtifactRefused for everything else.
    """
    try:
        return read_regular(path, LARGEST_FILE)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except FileRefused as error:
        raise ArtifactRefused(str(error)) from error
    except OSError as error:
        raise ArtifactRefused(f"{path}: {error.strerror}") from error


def _checked_card(card_bytes: bytes, graph: bytes, contract: Contract) -> dict[str, Any]:
    try:
        card = json.loads(card_bytes)
        stated = {
            "format": (card["format"], CARD_FORMAT),
            "coach": (card["coach"], contract.coach),
            "context_schema": (card["context_schema"], contract.context_schema),
            "action_schema": (card["action_schema"], contract.action_schema),
        }
        digest, policy_id = card["onnx"]["sha256"], card["policy_id"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ArtifactRefused(f"{CARD_FILE}: not a policy card ({type(error).__name__}: {error})") from error
    for what, (card_says, expected) in stated.items():
        if card_says != expected:
            raise ArtifactRefused(f"{CARD_FILE}: {what} is {card_says!r}, expected {expected!r}")
    if digest != (found := hashlib.sha256(graph).hexdigest()):
        raise ArtifactRefused(f"{GRAPH_FILE}: its SHA-256 is {found}, and its card is of a graph with {digest!r}")
    if not isinstance(policy_id, str) or not policy_id:
        raise ArtifactRefused(f"{CARD_FILE}: policy_id is {policy_id!r}, expected a name")
    checked: dict[str, Any] = card
    return checked


def _session(graph: bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ArtifactRefused(f"{GRAPH_FILE}: onnxruntime cannot load it ({_first_line(error)})") from error


def _check_signature(session: ort.InferenceSession, contract: Contract) -> None:
    for kind, arguments, expected in (
        ("inputs", session.get_inputs(), contract.inputs),
        ("outputs", session.get_outputs(), contract.outputs),
    ):
        found = {a.name: (a.type, tuple(d if isinstance(d, int) else None for d in a.shape)) for a in arguments}
        if found != dict(expected):
            raise ArtifactRefused(f"{GRAPH_FILE}: {kind} are {found}, expected {dict(expected)}")


def _check_answer(session: ort.InferenceSession, contract: Contract) -> None:
    """Run the graph once on zeros, so that a graph that cannot run is refused now and not at the first request."""
    zeros = {name: np.zeros([size or 1 for size in shape], np.float32) for name, (_, shape) in contract.inputs.items()}
    try:
        session.run(list(contract.outputs), zeros)
    except Exception as error:
        raise ArtifactRefused(f"{GRAPH_FILE}: does not run ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
