"""The inputs of benchmarks: generated data, and the windows of thousands of ranks."""
