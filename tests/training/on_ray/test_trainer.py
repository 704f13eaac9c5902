"""Code that needs Ray's modules, but no cluster."""

from ray.train import TrainingFailedError

from raymon.errors import DataError, TrainingError
from raymon.training.on_ray.trainer import _failure_of_workers
from raymon.training.rank.worker_context import ANOTHER_WORKER


def test_the_rank_that_knows_the_cause_is_heard() -> None:
    failed = TrainingFailedError("all ranks")
    failed.worker_failures = {
        0: TrainingError(f"not saved: {ANOTHER_WORKER}"),
        1: TrainingError("not saved: disk full"),
    }
    assert str(_failure_of_workers(failed)) == "not saved: disk full"
    failed.worker_failures[2] = DataError("a label is wrong")
    assert isinstance(_failure_of_workers(failed), DataError)
