"""Runs beside each other: what differs between their configs, and their scores."""
