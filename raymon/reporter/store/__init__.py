"""Durable data of the reporter on the storage of the run: journal, states, evaluations."""
