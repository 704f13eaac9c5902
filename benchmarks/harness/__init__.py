"""What all benchmarks share: contenders in turns, results, tables, plots, and the check."""

from benchmarks.harness.result import Case, Ratio, Result, Target
from benchmarks.harness.turns import in_turns

__all__ = ["Case", "Ratio", "Result", "Target", "in_turns"]
