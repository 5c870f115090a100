"""The mind of the daily coach: which of a family's candidates it shows today."""
