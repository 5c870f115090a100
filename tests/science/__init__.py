"""Simulations that check the scientific claims about the loop: `make science`."""
