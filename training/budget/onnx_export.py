"""Writes the target policy as a small ONNX graph, node by node. A phone that runs it decides exactly as the service
does.

    context (n, 10) ─┬─ scores of the levels ─────────────┐
                     ├─ thresholds reached ─ cell ─ table ┴─ softmax, best level ─▶ distribution (n, 3, 5)
                     ├─ distance ≤ threshold ─────────────────────────────────────▶ supported (n, 1)
                     ├─ supported ? best level : the rules' ──────────────────────▶ level (n, 3)
                     └─ largest contributions to the choice ──────────────────────▶ because, contribution (n, 3, 3)

Eligibility and rules depend on a context only through the thresholds that it reaches. For each lever, the thresholds
divide the contexts into some tens of *cells*. The tables of eligible levels, level in force and rules by cell are
filled by `coach_model.budget`, so this module has no second version of the rules.

The time of a call grows with the number of nodes, so the graph has few. The same policy gives the same bytes: names are
fixed, constants are sorted, and there is no time stamp.
"""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from coach_model.budget.actions import (
    BUDGET_NEARLY_USED,
    ESSENTIALS_HEAVY,
    LEVELS,
    LEVERS,
    PREVIOUS,
    SNAP_EDGES,
    eligible_levels,
    previous_levels,
)
from coach_model.budget.coach import REASONS
from coach_model.budget.context import COLUMN, FEATURES, Contexts
from coach_model.budget.rules import CONDITIONS, ESSENTIALS, QUANTITIES, rules_levels
from training.budget.target_policy import INELIGIBLE, TEMPERATURE, TargetPolicy

OPSET = 21
IR_VERSION = 10
"""The newest version that onnxruntime 1.31 reads. By default onnx would write a newer one."""


class _Graph:
    """Builds a graph node by node. `graph(op, inputs, ...)` adds a node and returns the name of its output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, value: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        self.constants[name] = numpy_helper.from_array(np.asarray(value, dtype=dtype), name)
        return name

    def __call__(self, op: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        return self.outputs(op, [name or f"{op.lower()}_{len(self.nodes)}"], *inputs, **attributes)[0]

    def outputs(self, op: str, names: list[str], *inputs: str, **attributes: Any) -> list[str]:
        self.nodes.append(helper.make_node(op, list(inputs), names, name=names[0], **attributes))
        return names

    def split(self, name: str, value: str, widths: list[int]) -> list[str]:
        """The columns of `value` (n, sum of widths), split into parts."""
        parts = [f"{name}_{part}" for part in range(len(widths))]
        return self.outputs("Split", parts, value, self.constant(f"{name}_widths", widths, np.int64), axis=1)


@dataclass(frozen=True)
class _Cells:
    """The cells of one lever. `thresholds` holds pairs of quantity and value. The number of a cell is the sum of the
    `strides` of the reached thresholds. `contexts` (cells, 10) holds one context of each cell."""

    thresholds: list[tuple[str, np.float32]]
    strides: list[int]
    contexts: Contexts


def policy_graph(policy: TargetPolicy) -> bytes:
    """The serialised graph of `policy`, checked by onnx."""
    g = _Graph()
    cells = [_cells_of(lever) for lever in range(len(LEVERS))]
    first_cell = np.cumsum([0, *(len(lever.contexts) for lever in cells)])[:-1]
    linear, whitened, compared, centred = _linear(g, policy, cells)

    # For each lever, its row in the tables by cell and in the tables by level in force.
    reached = g("Cast", g("GreaterOrEqual", compared, g.constant("thresholds", _values(cells))), to=TensorProto.FLOAT)
    first_rows = np.concatenate([first_cell, len(LEVELS) ** 3 * np.arange(len(LEVERS))])
    rows = g("Gemm", reached, g.constant("strides", _strides(cells)), g.constant("first_rows", first_rows))
    cell, in_force = g.split("rows", g("Cast", rows, to=TensorProto.INT64), [len(LEVERS), len(LEVERS)])

    added = g("Gather", g.constant("added_scores", _added_scores(policy, cells)), cell)
    scores = g("Add", g("Reshape", linear, g.constant("as_scores", [-1, *policy.bias.shape], np.int64)), added)
    g("Softmax", scores, name="distribution", axis=2)
    best = g("ArgMax", scores, axis=2, keepdims=0)
    distance = g("ReduceSumSquare", whitened, g.constant("axis_1", [1], np.int64), keepdims=1)
    g("LessOrEqual", distance, g.constant("support_threshold", policy.support_threshold), name="supported")
    rules_table = [rules_levels(lever.contexts)[:, number] for number, lever in enumerate(cells)]
    by_rules = g("Gather", g.constant("rules_level", np.concatenate(rules_table), np.int64), cell)
    g("Where", "supported", best, by_rules, name="level")
    _reasons(g, policy, scores, centred, in_force)

    n, levers = "n", len(LEVERS)
    outputs = [
        helper.make_tensor_value_info("distribution", TensorProto.FLOAT, [n, levers, len(LEVELS)]),
        helper.make_tensor_value_info("level", TensorProto.INT64, [n, levers]),
        helper.make_tensor_value_info("supported", TensorProto.BOOL, [n, 1]),
        helper.make_tensor_value_info("because", TensorProto.INT64, [n, levers, REASONS]),
        helper.make_tensor_value_info("contribution", TensorProto.FLOAT, [n, levers, REASONS]),
    ]
    context = helper.make_tensor_value_info("context", TensorProto.FLOAT, [n, len(FEATURES)])
    constants = [g.constants[name] for name in sorted(g.constants)]
    graph = helper.make_graph(g.nodes, "budget_coach", [context], outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    model.producer_name = "buddy-train"
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def _linear(g: _Graph, policy: TargetPolicy, cells: list[_Cells]) -> list[str]:
    """All linear functions of the context in one matrix product: the levels' scores (in units of the temperature,
    without bias), the whitened context, the quantities that are compared with thresholds, and the distance from the
    centre.

    A column of ones and zeros selects a quantity, or adds two shares, without rounding. The centre is subtracted after
    that.
    """
    weights = policy.weights.reshape(-1, len(FEATURES)).T.astype(np.float64) / TEMPERATURE
    whiten = policy.whiten.astype(np.float64)
    essentials = np.isin(FEATURES, ESSENTIALS.split(" + "))[:, None]
    select = np.concatenate([np.eye(len(FEATURES)), essentials], axis=1)
    quantities = [QUANTITIES.index(quantity) for lever in cells for quantity, _ in lever.thresholds]
    parts = [weights, whiten, select[:, quantities], np.eye(len(FEATURES))]
    centred = [True, True, False, True]
    bias = [-policy.centre.astype(np.float64) @ part * subtract for part, subtract in zip(parts, centred, strict=True)]
    matrix = g.constant("linear", np.concatenate(parts, axis=1))
    product = g("Gemm", "context", matrix, g.constant("linear_bias", np.concatenate(bias).round(6)))
    return g.split("parts", product, [part.shape[1] for part in parts])


def _cells_of(lever: int) -> _Cells:
    """The cells of a lever: all combinations of the numbers of thresholds that each quantity reaches."""
    previous = FEATURES[PREVIOUS.start + lever]
    tight = (ESSENTIALS, ESSENTIALS_HEAVY) if LEVERS[lever] == "savings" else ("budget_used_ratio", BUDGET_NEARLY_USED)
    pairs = {(previous, float(edge)) for edge in SNAP_EDGES} | {tight}
    for condition in CONDITIONS:
        if condition.lever == LEVERS[lever]:
            pairs |= set(condition.at_least.items()) | set(condition.below.items())
    by_quantity: dict[str, list[np.float32]] = {}
    for quantity, value in sorted(pairs):
        edges = by_quantity.setdefault(quantity, [])
        if np.float32(value) not in edges:
            edges.append(np.float32(value))

    thresholds, strides, stride = [], [], 1
    for quantity, edges in reversed(by_quantity.items()):
        thresholds += [(quantity, edge) for edge in edges]
        strides += [stride] * len(edges)
        stride *= len(edges) + 1
    middles = [(np.array([0, *edges]) + np.array([*edges, 1])) / 2 for edges in by_quantity.values()]
    contexts = np.full((stride, len(FEATURES)), 0.5, dtype=np.float32)
    for row, values in zip(contexts, itertools.product(*middles), strict=True):
        essentials = None
        for quantity, value in zip(by_quantity, values, strict=True):
            if quantity == ESSENTIALS:
                essentials = value
            else:
                row[COLUMN[quantity]] = value
        if essentials is not None:  # needs alone may leave [0, 1]: only the sum is compared
            row[COLUMN["needs_share"]] = essentials - row[COLUMN["unexpected_share"]]
    return _Cells(thresholds, strides, contexts)


def _values(cells: list[_Cells]) -> list[np.float32]:
    return [value for lever in cells for _, value in lever.thresholds]


def _strides(cells: list[_Cells]) -> npt.NDArray[np.int64]:
    """(thresholds, 6): what a reached threshold adds to the row in the tables by cell (3 levers) and in the tables by
    level in force (3 levers)."""
    count = sum(len(lever.thresholds) for lever in cells)
    strides = np.zeros((count, 2 * len(LEVERS)), dtype=np.int64)
    row = 0
    for number, lever in enumerate(cells):
        for (quantity, _), stride in zip(lever.thresholds, lever.strides, strict=True):
            strides[row, number] = stride
            strides[row, len(LEVERS) + number] = len(LEVELS) ** 2 * (quantity == FEATURES[PREVIOUS.start + number])
            row += 1
    return strides


def _added_scores(policy: TargetPolicy, cells: list[_Cells]) -> npt.NDArray[np.float64]:
    """(all cells, 5): the values that are added to the linear scores, in units of the temperature."""
    tables = []
    for number, lever in enumerate(cells):
        every = np.eye(len(LEVELS))
        staying = every[previous_levels(lever.contexts)[:, number]] * policy.stay[number]
        by_rules = every[rules_levels(lever.contexts)[:, number]] * policy.rules_margin
        added = (policy.bias[number] + (staying + by_rules)).astype(np.float64) / TEMPERATURE
        tables.append(np.where(eligible_levels(lever.contexts)[:, number], added, INELIGIBLE))
    return np.concatenate(tables)


def _reasons(g: _Graph, policy: TargetPolicy, scores: str, centred: str, in_force: str) -> None:
    """The features with the largest contributions to each choice: to the lead of the best level over the second best.

    The bonus of the level in force is attributed to the feature that states this level.
    """
    levers, levels = len(LEVERS), len(LEVELS)
    lead = policy.weights[:, None, :, None, :] - policy.weights[:, None, None, :, :]
    lead_by_feature = np.broadcast_to(lead, (levers, levels, levels, levels, len(FEATURES)))
    stays = np.eye(levels)
    lead_of_staying = np.zeros(lead_by_feature.shape)
    for lever in range(levers):
        gain = (stays[:, :, None] - stays[:, None, :]) * policy.stay[lever]
        lead_of_staying[lever, ..., PREVIOUS.start + lever] = gain

    two = g.constant("two", [2], np.int64)
    _, ranked = g.outputs("TopK", ["best_two_scores", "best_two"], scores, two, axis=2)
    pair = g(
        "ReduceSum",
        g("Mul", ranked, g.constant("as_pair", [levels, 1], np.int64)),
        g.constant("axis_2", [2], np.int64),
        keepdims=0,
    )
    row = g("Add", in_force, pair)
    slopes = g("Gather", g.constant("lead_by_feature", lead_by_feature.reshape(-1, len(FEATURES))), row)
    staying = g("Gather", g.constant("lead_of_staying", lead_of_staying.reshape(-1, len(FEATURES))), row)
    parts = g("Add", g("Mul", slopes, g("Unsqueeze", centred, "axis_1")), staying)
    k = g.constant("reasons", [REASONS], np.int64)
    g.outputs("TopK", ["contribution", "because"], parts, k, axis=2)
