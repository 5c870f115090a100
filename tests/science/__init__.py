"""What the science of the loop claims, checked by simulation: `make science`."""
