"""Measurements: the project beside its peers, and how its cost grows. `make bench` runs them."""
