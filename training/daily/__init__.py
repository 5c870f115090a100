"""Learning and judging the daily coach: which candidates a family does."""
