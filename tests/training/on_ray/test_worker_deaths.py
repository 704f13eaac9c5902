"""The end of a worker's process is told in one line, by what Ray says and what its node knows."""

from __future__ import annotations

import pickle

import pytest
from ray.exceptions import ActorDiedError, NodeDiedError, OutOfMemoryError, RayActorError

from raymon.errors import DataError, TrainingError
from raymon.training.on_ray.worker_deaths import death_of
from raymon.training.on_ray.worker_failures import as_failure, failures_of_workers, wanted_end
from raymon.training.rank.crash_trace import CrashTrace
from raymon.training.rank.failure import RankFailedError, as_rank_failure
from raymon.training.rank.not_finite import NotFiniteError
from raymon.training.rank.worker_context import ANOTHER_WORKER

NODE = "a2164685de723d2c246f1e6fdbe3f417690a89d2d0114b052d8356ad"
WORKER = f"""A worker health check failed.
Worker info: Worker(
  actor=Actor(RayTrainWorker, 34bd5105dccdbfb52236c1cf01000000),
  metadata=ActorMetadata(
    hostname='vm',
    node_id='{NODE}',
    node_ip='127.0.0.1',
    pid=10927,
  ),
  distributed_context=DistributedContext(world_rank=0, world_size=2, local_rank=0),
)
"""
CONNECTION = (
    "The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR Worker "
    "exit detail: Worker unexpectedly exits with a connection error code 2. End of file. Some "
    "common causes include: (1) the process was killed by the OOM killer due to high memory usage"
)
MEMORY = (
    "Memory on the node (IP: 10.0.0.3, ID: 12) was 15.23GB used / 16.00GB limit (0.951874)\n"
    "OOM kill reason: Memory usage 10703740928B exceeded threshold of 10543105024B\n"
    "Top 10 memory users: PID\tMEM(GB)\tCOMMAND\n28835\t6.16\tray::RayTrainWorker\n28862\t0.44\tray"
)


class HealthCheckError(Exception):
    """As Ray Train has it: the worker's error is in an attribute, its text in the text."""

    def __init__(self, failure: Exception) -> None:
        super().__init__(f"{WORKER}{failure}")
        self.health_check_failure = failure


@pytest.mark.parametrize(
    ("failure", "found", "text"),
    [
        (
            RayActorError(error_msg=CONNECTION),
            CrashTrace(was_traced=True),
            "was killed by SIGKILL, or ended itself by os._exit",
        ),
        (
            ActorDiedError(),
            CrashTrace("SIGSEGV", "my_model.py:3 in predict", "", "stacks", True),
            "was ended by SIGSEGV (my_model.py:3 in predict)",
        ),
        (
            RayActorError(error_msg=CONNECTION),
            CrashTrace(out_of_memory="the kernel ended it, as memory ran out, at 22.5 GB"),
            "was killed by SIGKILL: the kernel ended it, as memory ran out, at 22.5 GB",
        ),
        (
            OutOfMemoryError(MEMORY),
            CrashTrace(),
            "was ended by Ray, as memory ran out: 15.23GB of 16.00GB of its node were in use, "
            "most by process 28835, ray::RayTrainWorker: 6.16GB",
        ),
        (NodeDiedError("its node has died"), CrashTrace(), "is gone with its node"),
        (
            RayActorError(error_msg=CONNECTION),
            CrashTrace(),
            "ended: Worker unexpectedly exits with a connection error code 2. End of file. "
            "(SYSTEM_ERROR)",
        ),
        (ActorDiedError(), CrashTrace(), "ended, and Ray does not say why"),
    ],
)
def test_a_death_is_named_by_what_is_known_of_it(
    failure: Exception, found: CrashTrace, text: str
) -> None:
    asked = []

    def find(node: str, pid: int) -> CrashTrace:
        asked.append((node, pid))
        return found

    death = death_of(HealthCheckError(failure), find)
    assert death is not None
    assert death.text == f"(vm, pid 10927) {text}"
    assert found.text in death.details
    assert asked in ([], [(NODE, 10927)])


def test_a_worker_that_raised_has_not_died() -> None:
    assert death_of(ValueError("no"), lambda node, pid: CrashTrace()) is None


def test_of_several_ranks_the_one_that_died_is_named_and_all_are_in_the_file() -> None:
    gone = TrainingError("Connection reset by peer")
    peer = RankFailedError("rank 0 on a: Connection reset by peer", "rank 0\nTraceback ...", 0)
    failures = {
        0: peer,
        1: HealthCheckError(RayActorError(error_msg=CONNECTION)),
        2: gone,
        3: TrainingError(ANOTHER_WORKER),
    }
    own = failures_of_workers(failures, lambda node, pid: CrashTrace(was_traced=True))
    failure = as_failure(own)
    assert failure is not None
    assert (
        failure.text == "rank 1 (vm, pid 10927) was killed by SIGKILL, or ended itself by os._exit"
    )
    assert list(failure.killed) == [1]
    for part in ("rank 0\nTraceback ...", CONNECTION, str(gone), ANOTHER_WORKER):
        assert part in failure.details
    assert pickle.loads(pickle.dumps(failure)) == failure


def test_wrong_input_and_no_failure_have_no_file() -> None:
    assert as_failure([]) is None
    assert as_failure([TrainingError("Broken pipe"), DataError("row 7: no label")]) is None


def test_a_stop_for_numbers_that_are_not_finite_is_known_as_the_wanted_end() -> None:
    stop = as_rank_failure(NotFiniteError("step 7: loss is nan on rank 1"), 0)
    arrived = pickle.loads(pickle.dumps(stop))
    assert str(arrived) == "step 7: loss is nan on rank 1"
    own = failures_of_workers({0: TrainingError(ANOTHER_WORKER), 1: arrived})
    assert wanted_end(own) is arrived
    assert wanted_end(own[:1]) is None
