"""Off-policy evaluation: estimators, intervals, overlap, missing outcomes."""
