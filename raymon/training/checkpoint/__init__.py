"""Checkpoints: written, committed, verified, ranked, kept, restored."""
