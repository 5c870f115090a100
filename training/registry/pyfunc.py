"""The budget coach as an MLflow model: contexts in a table, decisions in a table, as the service makes them.

MLflow loads this file as the model's code (models from code), wherever this package is installed.
"""

from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy as np
import pandas as pd

from coach_model.budget.actions import CHANGE_PERCENT, LEVELS, LEVERS
from coach_model.budget.coach import CONTRACT, decide
from coach_model.budget.context import FEATURES, validated
from coach_model.onnx_policy import load_policy

ARTIFACT = "policy"
"""Name of the artifact's folder in the model."""


class BudgetCoach(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined]
    """For each row of the ten features: the percent of each lever, the reasons, the source, and the distribution of the
    policy; the distribution is empty where the rules answered."""

    def load_context(self, context: Any) -> None:
        """Load graph and card."""
        self.policy = load_policy(Path(context.artifacts[ARTIFACT]), CONTRACT)

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:  # noqa: ARG002
        """The decisions. Raises ValueError with the row and the feature of a value that is not in [0, 1]."""
        contexts = validated(model_input[list(FEATURES)].to_numpy(np.float32))
        rows = decide(self.policy, contexts).rows
        distribution = self.policy({"context": contexts})[0]
        table: dict[str, Any] = {}
        for lever, name in enumerate(LEVERS):
            table[f"{name}_percent"] = [CHANGE_PERCENT[row.levels[lever]] for row in rows]
            table[f"{name}_because"] = [", ".join(row.because[lever]) for row in rows]
        table |= {"source": [str(row.source) for row in rows], "policy_id": [row.policy_id for row in rows]}
        by_policy = np.array([row.fallback_reason is None for row in rows])
        for lever, name in enumerate(LEVERS):
            for level in range(len(LEVELS)):
                table[f"prob_{name}_{level}"] = np.where(by_policy, distribution[:, lever, level].astype(float), np.nan)
        return pd.DataFrame(table)


mlflow.models.set_model(BudgetCoach())
