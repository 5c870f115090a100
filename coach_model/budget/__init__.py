"""The budget coach: it maps a context of ten numbers to one of five levels for each of three levers."""
