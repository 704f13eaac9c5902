"""Runs on Ray: cluster, workers, datasets, checkpoints registered with Ray Train, jobs."""
