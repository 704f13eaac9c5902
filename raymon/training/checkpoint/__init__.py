"""Checkpoints: written, committed, verified, ranked, deleted, restored."""
