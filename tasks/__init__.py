"""Prefect tasks: thin, one module per step of the way. No logic lives here that deserves a unit test."""
