"""The inputs of benchmarks: generated data, windows of thousands of ranks, whole runs."""
