"""Trackers that the numbers of a run can go to as well: MLflow, Weights & Biases, Trackio."""
