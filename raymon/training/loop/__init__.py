"""The loop of a worker: steps, evaluation, what ranks agree on, profiling."""
