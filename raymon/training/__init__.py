"""The loop, evaluation, checkpoints, and the Ray trainer."""

from raymon.training.evaluate_run import evaluate_run
from raymon.training.prepare import check_config
from raymon.training.retention import best_of_run
from raymon.training.summary import Summary
from raymon.training.train import train

__all__ = ["Summary", "best_of_run", "check_config", "evaluate_run", "train"]
