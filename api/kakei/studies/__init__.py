"""Studies: randomised decisions for people with consent, and their outcomes."""
