"""The target policy as a small ONNX graph, written node by node, so that a phone decides exactly as the service does.

    context (n, 10) ─┬─ scores of the levels ──────┐
                     ├─ comparisons ─ state, rules ┴─ softmax, best level ─▶ distribution (n, 3, 5)
                     ├─ distance ≤ threshold ─────────────────────────────▶ supported (n,)
                     ├─ supported ? best level : rules ───────────────────▶ level (n, 3)
                     └─ what moved the choice most ───────────────────────▶ because, contribution (n, 3, 3)

A lever's *state* is its level in force and whether money is tight. There are only ten states, so what eligibility, the
level in force and the rules add to the scores is looked up in tables that the Python rules themselves have filled.
The same policy gives the same bytes: names are fixed, constants are sorted, nothing is stamped with a time.
"""

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from coach_model.budget import rules
from coach_model.budget.actions import (
    BUDGET_NEARLY_USED,
    ELIGIBILITY_TABLE,
    ESSENTIALS_HEAVY,
    HOLD,
    LEVELS,
    LEVERS,
    PREVIOUS,
    SNAP_EDGES,
)
from coach_model.budget.context import FEATURES
from training.target_policy import INELIGIBLE, TEMPERATURE, TargetPolicy

OPSET = 21
IR_VERSION = 10
"""The newest that onnxruntime 1.31 reads; onnx itself would write a newer one."""
REASONS = 3
"""How many features the graph names for each lever."""


class _Graph:
    """Nodes in order, each output named once; `graph(op, inputs, ...)` returns the output's name."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, value: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        self.constants[name] = numpy_helper.from_array(np.asarray(value, dtype=dtype), name)
        return name

    def __call__(self, op: str, *inputs: str, name: str = "", **attributes: int) -> str:
        return self.outputs(op, [name or f"{op.lower()}_{len(self.nodes)}"], *inputs, **attributes)[0]

    def outputs(self, op: str, names: list[str], *inputs: str, **attributes: int) -> list[str]:
        self.nodes.append(helper.make_node(op, list(inputs), names, name=names[0], **attributes))
        return names

    def split(self, name: str, value: str, widths: list[int]) -> list[str]:
        """The columns of `value` (n, sum of widths), cut into parts."""
        parts = [f"{name}_{part}" for part in range(len(widths))]
        return self.outputs("Split", parts, value, self.constant(f"{name}_widths", widths, np.int64), axis=1)


def policy_graph(policy: TargetPolicy) -> bytes:
    """The serialised graph of `policy`. It is checked before it is returned."""
    g = _Graph()
    axis_1, axis_2 = g.constant("axis_1", [1], np.int64), g.constant("axis_2", [2], np.int64)
    centred = g("Sub", "context", g.constant("centre", policy.centre))
    weights = policy.weights.reshape(-1, len(FEATURES)).T
    both = g("MatMul", centred, g.constant("weights_and_whiten", np.concatenate([weights, policy.whiten], axis=1)))
    linear, whitened = g.split("linear_and_whitened", both, [weights.shape[1], policy.whiten.shape[1]])

    case = _case(g)
    added = g("Gather", g.constant("added_scores", _added_scores(policy)), case)
    scores = g("Add", g("Reshape", linear, g.constant("as_scores", [-1, *policy.bias.shape], np.int64)), added)
    hot = g("Mul", scores, g.constant("inverse_temperature", 1 / TEMPERATURE))
    g("Softmax", hot, name="distribution", axis=2)
    best = g("ArgMax", scores, axis=2, keepdims=0)

    distance = g("ReduceSumSquare", whitened, axis_1, keepdims=0)
    g("LessOrEqual", distance, g.constant("support_threshold", policy.support_threshold), name="supported")
    by_rules = g("Gather", g.constant("rules_level", _rules_levels().reshape(-1), np.int64), case)
    g("Where", g("Unsqueeze", "supported", axis_1), best, by_rules, name="level")
    _reasons(g, policy, centred, scores, case, axis_1, axis_2)

    n, levers = "n", len(LEVERS)
    outputs = [
        helper.make_tensor_value_info("distribution", TensorProto.FLOAT, [n, levers, len(LEVELS)]),
        helper.make_tensor_value_info("level", TensorProto.INT64, [n, levers]),
        helper.make_tensor_value_info("supported", TensorProto.BOOL, [n]),
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


def _case(g: _Graph) -> str:
    """(n, 3) int64: the row of each lever in the tables: 50 · lever + 5 · state + level that the rules wish for.

    Every comparison of the eligibility and of the rules is made at once; what follows counts the ones that hold.
    """
    quantity, threshold, adds = [], [], []
    for lever in range(len(LEVERS)):
        for edge in SNAP_EDGES:  # each edge that is reached raises the level in force, and the state, by one
            quantity.append(PREVIOUS.start + lever)
            threshold.append(edge)
            adds.append([len(LEVELS) * (lever == other) for other in range(len(LEVERS))])
    tight = len(LEVELS) * len(LEVELS)
    for name, edge, levers in (
        ("budget_used_ratio", BUDGET_NEARLY_USED, [tight, tight, 0]),
        (rules.ESSENTIALS, ESSENTIALS_HEAVY, [0, 0, tight]),
    ):
        quantity.append(rules.QUANTITIES.index(name))
        threshold.append(edge)
        adds.append(levers)
    conditions = len(rules.CONDITIONS)
    counted = np.block(
        [
            [np.array(adds), np.zeros((len(adds), conditions))],
            [np.zeros((len(rules.COMPARED), len(LEVERS))), rules.ASKED],
        ]
    )
    quantities = np.array([*quantity, *rules.COMPARED_COLUMNS])
    select = np.eye(len(rules.QUANTITIES))[quantities].T  # a matrix of ones and zeros selects and adds exactly
    is_essential = [name in rules.ESSENTIALS.split(" + ") for name in FEATURES]
    select = select[: len(FEATURES)] + np.outer(is_essential, select[len(FEATURES)])

    compared = g("MatMul", "context", g.constant("compared", select))
    reached = g("GreaterOrEqual", compared, g.constant("thresholds", [*threshold, *rules.THRESHOLDS]))
    counts = g("MatMul", g("Cast", reached, to=TensorProto.FLOAT), g.constant("counted", counted))
    state, asked = g.split("state_and_asked", counts, [len(LEVERS), conditions])
    fired = g("Cast", g("Equal", asked, g.constant("needed", rules.NEEDED)), to=TensorProto.FLOAT)
    wished = g("Add", g("MatMul", fired, g.constant("moves", rules.MOVES)), g.constant("hold", HOLD))
    wished = g("Clip", wished, g.constant("lowest_level", 0.0), g.constant("highest_level", len(LEVELS) - 1))
    first_row = g.constant("first_row_of_lever", 50 * np.arange(len(LEVERS)))
    return g("Cast", g("Add", g("Add", state, wished), first_row), to=TensorProto.INT64)


def _states() -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Eligible levels (10, 5) and level in force (10,) of each state, not tight first."""
    return ELIGIBILITY_TABLE.reshape(-1, len(LEVELS)), np.tile(np.arange(len(LEVELS)), 2)


def _rules_levels() -> npt.NDArray[np.int64]:
    """(3, 10, 5): the rules' level by lever, state and level wished for."""
    eligible, _ = _states()
    levels = rules.nearest_eligible(np.arange(len(LEVELS)), eligible[:, None, :])
    return np.broadcast_to(levels, (len(LEVERS), *levels.shape))


def _added_scores(policy: TargetPolicy) -> npt.NDArray[np.float32]:
    """(150, 5): what is added to the linear scores, by lever, state and level wished for."""
    eligible, in_force = _states()
    staying = np.eye(len(LEVELS))[in_force][None, :, None, :] * policy.stay[:, None, None, None]
    by_rules = np.eye(len(LEVELS))[_rules_levels()] * policy.rules_margin
    added = policy.bias[:, None, None, :] + (staying + by_rules)
    return np.where(eligible[None, :, None, :], added, INELIGIBLE).reshape(-1, len(LEVELS)).astype(np.float32)


def _reasons(g: _Graph, policy: TargetPolicy, centred: str, scores: str, case: str, axis_1: str, axis_2: str) -> None:
    """The features that moved each choice most: their part in the best level's lead over the second best."""
    levels = len(LEVELS)
    two = g.constant("two", [2], np.int64)
    _, ranked = g.outputs("TopK", ["best_two_scores", "best_two"], scores, two, axis=2)
    pair = g("ReduceSum", g("Mul", ranked, g.constant("as_pair", [levels, 1], np.int64)), axis_2, keepdims=0)

    lead = policy.weights[:, :, None, :] - policy.weights[:, None, :, :]  # (3, 5, 5, 10)
    row = g("Add", pair, g.constant("first_pair_of_lever", levels**2 * np.arange(len(LEVERS)), np.int64))
    slopes = g("Gather", g.constant("lead_by_feature", lead.reshape(-1, len(FEATURES))), row)
    parts = g("Mul", slopes, g("Unsqueeze", centred, axis_1))

    # The head start of the level in force is due to the feature that says which level that is.
    _, in_force = _states()
    stays = np.eye(levels)[in_force]
    lead_of_staying = np.zeros((len(LEVERS), len(stays), levels, levels, levels, len(FEATURES)), dtype=np.float32)
    for lever in range(len(LEVERS)):
        gain = (stays[:, :, None] - stays[:, None, :]) * policy.stay[lever]
        lead_of_staying[lever, ..., PREVIOUS.start + lever] = gain[:, None]
    row = g("Add", g("Mul", case, g.constant("pairs", levels**2, np.int64)), pair)
    staying = g("Gather", g.constant("lead_of_staying", lead_of_staying.reshape(-1, len(FEATURES))), row)
    k = g.constant("reasons", [REASONS], np.int64)
    g.outputs("TopK", ["contribution", "because"], g("Add", parts, staying), k, axis=2)
