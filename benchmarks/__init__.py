"""Benchmarks, with a file for each question: `python -m benchmarks` lists them."""
