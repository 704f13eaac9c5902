"""Code that needs Ray's modules, but no cluster."""

from ray.exceptions import OutOfMemoryError
from ray.train import TrainingFailedError

from raymon.errors import DataError, TrainingError
from raymon.training.on_ray.trainer import _failure_of_controller, _failure_of_workers
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


def test_a_controller_that_ray_ends_as_memory_runs_out_is_told_in_one_line() -> None:
    text = "5 workers were killed due to the node running low on memory. Memory on the node (IP: "
    text += "10.0.0.3, ID: 12) was 15.23GB used / 16.00GB limit (0.951874)"
    assert str(_failure_of_controller(OutOfMemoryError(text))) == (
        "the controller of Ray Train was ended by Ray, as memory ran out: 15.23GB of 16.00GB of "
        "its node were in use"
    )
