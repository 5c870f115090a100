"""Micro-randomised trials: effects and sample sizes."""
