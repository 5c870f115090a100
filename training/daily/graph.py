"""Writes the ranking as an ONNX graph, node by node. The same ranking gives the same bytes.

candidates (n, 16) ─┬─ with the products of pairs ─ Gemm ─ Sigmoid ─▶ probability (n, 1)
                    └─ whitened ─ squared length ≤ threshold ───────▶ supported (n, 1)
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from coach_model.daily.candidates import FEATURES
from training.budget.onnx_export import IR_VERSION, OPSET
from training.daily.ranking import PAIRS, Ranking


def ranking_graph(ranking: Ranking) -> bytes:
    """The serialised graph of `ranking`, checked by onnx."""
    constants: dict[str, npt.NDArray[Any]] = {
        "left": PAIRS[:, 0].astype(np.int64),
        "right": PAIRS[:, 1].astype(np.int64),
        "weights": ranking.weights.astype(np.float32)[:, None],
        "bias": np.array([ranking.bias], np.float32),
        "whitening": ranking.whitening.astype(np.float32),
        "shift": (-ranking.centre @ ranking.whitening).astype(np.float32),
        "axis_1": np.array([1], np.int64),
        "support_threshold": np.array(ranking.support_threshold, np.float32),
    }
    nodes = [
        helper.make_node("Gather", ["candidates", "left"], ["left_values"], axis=1),
        helper.make_node("Gather", ["candidates", "right"], ["right_values"], axis=1),
        helper.make_node("Mul", ["left_values", "right_values"], ["products"]),
        helper.make_node("Concat", ["candidates", "products"], ["expanded"], axis=1),
        helper.make_node("Gemm", ["expanded", "weights", "bias"], ["odds"]),
        helper.make_node("Sigmoid", ["odds"], ["probability"]),
        helper.make_node("Gemm", ["candidates", "whitening", "shift"], ["whitened"]),
        helper.make_node("ReduceSumSquare", ["whitened", "axis_1"], ["distance"], keepdims=1),
        helper.make_node("LessOrEqual", ["distance", "support_threshold"], ["supported"]),
    ]
    for node in nodes:
        node.name = node.output[0]
    graph = helper.make_graph(
        nodes,
        "daily_coach",
        [helper.make_tensor_value_info("candidates", TensorProto.FLOAT, ["n", len(FEATURES)])],
        [
            helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["n", 1]),
            helper.make_tensor_value_info("supported", TensorProto.BOOL, ["n", 1]),
        ],
        [numpy_helper.from_array(constants[name], name) for name in sorted(constants)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    model.producer_name = "buddy-train"
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))
