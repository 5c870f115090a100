"""Artifacts with one fault each: the packaged graph is changed, and its card is updated to match."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from training.registry.signing import sign_judged, signing_key

PACKAGED = Path(__file__).parents[2] / "coach_model" / "artifacts" / "budget"

type Edit = Callable[[onnx.GraphProto], None]


def write(folder: Path, graph: bytes, **card_changes: Any) -> None:
    """The graph and a card that fits it, with `card_changes` on top, as a coach's artifact in `folder`."""
    card = json.loads((PACKAGED / "policy.json").read_text())
    digest = hashlib.sha256(graph).hexdigest()
    card |= {"onnx": {"sha256": digest}, "policy_id": f"budget/test+{digest[:8]}"} | card_changes
    target = folder / "budget"
    target.mkdir(parents=True, exist_ok=True)
    (target / "policy.onnx").write_bytes(graph)
    (target / "policy.json").write_text(json.dumps(card))


def another(folder: Path, policy_id: str, **card_changes: Any) -> Path:
    """A sound artifact of its own in `folder`: the packaged policy under another name, which its graph carries, too."""
    model = onnx.load_from_string(packaged_graph())
    model.doc_string = policy_id
    graph = bytes(model.SerializeToString())
    card = json.loads((PACKAGED / "policy.json").read_text()) | {"policy_id": policy_id} | card_changes
    card["onnx"] |= {"sha256": hashlib.sha256(graph).hexdigest()}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "policy.onnx").write_bytes(graph)
    (folder / "policy.json").write_text(json.dumps(card))
    return folder


LOOK = {"at": "2027-03-01T00:00:00+00:00", "studies": ["a study"], "dataset": "d" * 64, "number": 1}
"""An entry of the gate's ledger."""


def judged(folder: Path, policy_id: str, *, verdict: str = "promote", synthetic: bool = False) -> Path:
    """The same with a verdict that the gate of this working folder has signed."""
    gate = {"verdict": verdict, "dataset": LOOK["dataset"], "synthetic": synthetic}
    another(folder, policy_id, verdict=verdict, gate=gate)
    graph, card = (folder / "policy.onnx").read_bytes(), json.loads((folder / "policy.json").read_bytes())
    sign_judged(folder, graph, card, LOOK, signing_key())
    return folder


def packaged_graph() -> bytes:
    return (PACKAGED / "policy.onnx").read_bytes()


def edited(edit: Edit) -> bytes:
    """The packaged graph after `edit`."""
    model = onnx.load_from_string(packaged_graph())
    edit(model.graph)
    return bytes(model.SerializeToString())


def after(output: str, op: str, constant: Any, dtype: Any) -> Edit:
    """Puts one more node behind `output`: op(output, constant)."""

    def edit(graph: onnx.GraphProto) -> None:
        for node in graph.node:
            node.output[:] = [f"{name}_before" if name == output else name for name in node.output]
            node.input[:] = [f"{name}_before" if name == output else name for name in node.input]
        graph.initializer.append(numpy_helper.from_array(np.asarray(constant, dtype=dtype), "tampering"))
        graph.node.append(helper.make_node(op, [f"{output}_before", "tampering"], [output]))

    return edit


def failing_on_anything_but_zero(graph: onnx.GraphProto) -> None:
    """Looks up a row that exists for zeros alone, which is what a graph is tried with when it is loaded."""
    for node in graph.node:
        node.output[:] = ["level_before" if name == "level" else name for name in node.output]
    graph.initializer.append(numpy_helper.from_array(np.zeros(1, dtype=np.int64), "one_row"))
    graph.initializer.append(numpy_helper.from_array(np.array([1], dtype=np.int64), "second_axis"))
    graph.initializer.append(numpy_helper.from_array(np.array(1e6, dtype=np.float32), "million"))
    graph.node.extend(
        [
            helper.make_node("ReduceSum", ["context", "second_axis"], ["total"], keepdims=1),
            helper.make_node("Mul", ["total", "million"], ["large"]),
            helper.make_node("Cast", ["large"], ["row"], to=TensorProto.INT64),
            helper.make_node("Gather", ["one_row", "row"], ["nothing"]),
            helper.make_node("Add", ["level_before", "nothing"], ["level"]),
        ]
    )


def another_models_graph() -> bytes:
    """A well-formed graph that has nothing to do with a coach."""
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "iris", [value], [out])
    return bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10).SerializeToString()
    )
