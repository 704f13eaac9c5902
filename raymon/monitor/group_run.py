"""A run of a process group, whose first rank has the reporter of all."""

from __future__ import annotations

import logging
import time

from raymon.errors import RunError, UserError
from raymon.monitor.launch import Launch
from raymon.monitor.local_run import LocalRun
from raymon.monitor.meeting import Meeting
from raymon.monitor.run import RunSettings
from raymon.protos.report_pb2 import Hello, Invitation
from raymon.reporter import RunLink, Session
from raymon.reporter.over_tcp import (
    GoneRanks,
    ReporterServer,
    TcpChannel,
    address_to_listen_at,
    hello_of,
)
from raymon.results import ReporterStatus, RunEnded
from raymon.storage import StoragePath
from raymon.wire import Channel

_log = logging.getLogger("raymon")

_PATIENCE_S = 5.0
"""Seconds in which the first rank may still come, once another one makes no more steps."""

_LAST_ANSWERS_S = 2.0
"""Seconds that the other ranks have to hear that their last windows are durable."""

_GOODBYE_S = 1.0

_LOOK_S = 0.02


class FirstRank(LocalRun):
    """The first rank of a process group, which has the reporter.

    Implements `MonitoredRun`.

    Args:
        settings: What is measured, and where it goes.
        world_size: Number of ranks of the group.

    Raises:
        UserError: `model_dir` cannot be written to, or another run writes to it.
    """

    def __init__(self, settings: RunSettings, world_size: int) -> None:
        self._meeting = Meeting(settings.name)
        self._server: ReporterServer | None = None
        address, refused = _address()
        gone = GoneRanks()
        try:
            alone = address is None
            super().__init__(settings, 1 if alone else world_size, [gone], Launch.of())
        except UserError as error:
            self._meeting.publish(Invitation(refused=f"rank 0 does not begin: {error}"))
            raise
        if address is None:
            _log.warning("monitoring: %s; until then these numbers are those of rank 0", refused)
            self._meeting.publish(Invitation(refused=refused))
            return
        try:
            hello = _hello(settings, 0, world_size, self.first_step)
            self._server = ReporterServer(self.reporter, self.attempt, hello, address, gone)
        except BaseException:
            self.end()
            raise
        self._meeting.publish(self._server.invitation)

    def begin_close(self) -> None:
        """Waits less long for ranks that never came; see `MonitoredRun.begin_close`."""
        if self._server is not None:
            self._server.begin_end()

    def close(self, deadline: float, ended: RunEnded) -> ReporterStatus | None:
        """Closes the reporter after the last window of every rank; see `MonitoredRun.close`."""
        while (
            self._server is not None
            and self._server.here
            and self.reporter.status().ranks_ended < self.world_size
            and time.monotonic() < deadline
        ):
            time.sleep(_LOOK_S)
        return super().close(deadline, ended)

    def end(self) -> None:
        """Ends the server, once the others have heard all; see `MonitoredRun.end`."""
        self._meeting.close()
        if self._server is not None:
            until = time.monotonic() + _LAST_ANSWERS_S
            while self._server.here and time.monotonic() < until:
                time.sleep(_LOOK_S)
            self._server.close()
        super().end()


class OtherRank:
    """Another rank of a process group, which sends what it has to the first one.

    Implements `MonitoredRun`. It is there at once: where the reporter is, its channel learns later.

    Args:
        settings: What is measured.
        rank: Rank of this process.
        world_size: Number of ranks of the group.
    """

    def __init__(self, settings: RunSettings, rank: int, world_size: int) -> None:
        self.rank, self.world_size = rank, world_size
        self.attempt = 0
        self.directory: StoragePath | None = None
        self.publisher: RunLink | None = None
        self.session: Session | None = None
        self.has_lock = False
        self._meeting = Meeting(settings.name)
        hello = _hello(settings, rank, world_size, settings.first_step or 0)
        self._tcp = TcpChannel(hello, self._meeting.find)
        self.channel: Channel = self._tcp
        self._failure: str | None = None

    def begin_close(self) -> None:
        """Waits less long for the first rank; see `MonitoredRun.begin_close`."""
        self._tcp.begin_close(_PATIENCE_S)

    def close(self, deadline: float, ended: RunEnded) -> ReporterStatus | None:
        """Remembers how the loop ended: the first rank closes the reporter."""
        self._failure = ended.error
        return None

    def end(self) -> None:
        """Says goodbye to the first rank; see `MonitoredRun.end`."""
        self._tcp.close(self._failure, _GOODBYE_S)
        self._meeting.close()


def _address() -> tuple[str | None, str]:
    try:
        return address_to_listen_at(), ""
    except RunError as error:
        return None, str(error)


def _hello(settings: RunSettings, rank: int, world_size: int, first_step: int) -> Hello:
    return hello_of(rank, world_size, settings.metrics, settings.log_step_count_steps, first_step)
