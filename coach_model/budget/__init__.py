"""The budget coach: ten numbers in, one of five levels for each of three levers out."""
