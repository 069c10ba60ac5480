"""Prefect flows: what is scheduled, and what a data engineer starts from the UI."""
