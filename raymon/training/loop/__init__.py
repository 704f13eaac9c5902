"""The loop of a worker: steps, evaluation, preemption, profiling."""
