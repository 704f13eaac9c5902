"""The loop, evaluation, checkpoints, and the Ray trainer."""

from raymon.training.evaluate_run import evaluate_run
from raymon.training.retention import best_of_run
from raymon.training.summary import Summary
from raymon.training.train import load_checked, train

__all__ = ["Summary", "best_of_run", "evaluate_run", "load_checked", "train"]
