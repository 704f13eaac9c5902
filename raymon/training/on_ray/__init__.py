"""Runs on Ray: cluster, workers, datasets, checkpoints that Ray knows, jobs."""
