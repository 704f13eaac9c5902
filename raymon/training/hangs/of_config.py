"""The response to hangs that a config asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Protocol

from raymon.errors import ClusterLostError, TrainingError
from raymon.protos.monitor_pb2 import MonitorConfig
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.results import RankState
from raymon.storage import storage_path
from raymon.training.hangs.response import EndRank, HangResponse, TakeStacks


class HangLink(Protocol):
    """The reporter of a run, as far as a hang is responded to."""

    def ranks(self) -> list[RankState]:
        """Returns what is known of each rank."""

    def publish_notice(self, text: str) -> Future[None]:
        """Shows a line to those who watch the run."""


def hang_response(
    config: PipelineConfig, reporter: HangLink, take: TakeStacks, end: EndRank
) -> HangResponse:
    """Returns the response to hangs that a config asks for.

    Args:
        config: Config of the run.
        reporter: Reporter of the run.
        take: Takes the stacks of a process.
        end: Ends a rank that hangs.
    """
    monitor = config.monitor_config
    return HangResponse(
        storage_path(config.model_dir),
        reporter.ranks,
        take,
        reporter.publish_notice,
        end if monitor.on_hang == MonitorConfig.FAIL else None,
        monitor.hang_fail_after_s,
    )


@contextmanager
def named_failure(hangs: HangResponse, attempts: Callable[[], int]) -> Iterator[None]:
    """Gives the failure of a run, within its context, its reason, if a rank was ended for it.

    Args:
        hangs: Response that ended the rank.
        attempts: Function that returns the number of the attempt that is going on: the failure of a
            later one has another reason.

    Raises:
        TrainingError: The run failed.
    """
    try:
        yield
    except ClusterLostError:
        raise
    except TrainingError as error:
        ended = hangs.ended
        if ended is not None and attempts() <= ended.attempt:
            raise TrainingError(ended.finding.text) from error
        raise
