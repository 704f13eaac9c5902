"""The loop, evaluation, checkpoints, and the Ray trainer."""
