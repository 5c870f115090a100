"""Studies: how decisions are drawn for those who consented, and what came of them."""
