"""Training and evaluation of the daily coach, which predicts the activities that a family does."""
