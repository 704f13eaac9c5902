"""A reporter with a server, and ranks that connect to it, in one process."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping

from raymon.metrics import TrainMetricWrapper
from raymon.protos.report_pb2 import Invitation
from raymon.reporter import InProcessReporter, Reporter
from raymon.reporter.over_tcp import GoneRanks, ReporterServer, TcpChannel, hello_of
from raymon.results import Alert, Notice, Published, Snapshot
from tests.reporter.windows import auc_metrics


class Group:
    """The first rank of a group; the others connect to it."""

    def __init__(self, world_size: int) -> None:
        gone = GoneRanks()
        self.world_size = world_size
        self.root = Reporter(None, [], 10, late_after_s=1e9, checks=[gone])
        self.root.begin_attempt("t", world_size, 0, auc_metrics())
        self.reporter = InProcessReporter(self.root)
        hello = hello_of(0, world_size, auc_metrics(), 10, 0)
        self.server = ReporterServer(self.reporter, 1, hello, "127.0.0.1", gone)
        self.invitation = self.server.invitation
        self.channels: list[TcpChannel] = []

    def channel(
        self,
        rank: int,
        invitation: Callable[[], Invitation | None] | None = None,
        metrics: Mapping[str, TrainMetricWrapper] | None = None,
    ) -> TcpChannel:
        hello = hello_of(rank, self.world_size, metrics or auc_metrics(), 10, 0)
        channel = TcpChannel(hello, invitation or (lambda: self.invitation))
        self.channels.append(channel)
        return channel

    def published(self) -> list[Published]:
        return self.reporter.published()[0]

    def snapshots(self) -> list[Snapshot]:
        return [p for p in self.published() if isinstance(p, Snapshot)]

    def alerts(self) -> list[Alert]:
        return [p for p in self.published() if isinstance(p, Alert)]

    def notices(self) -> list[str]:
        return [p.text for p in self.published() if isinstance(p, Notice)]


@contextlib.contextmanager
def group(world_size: int) -> Iterator[Group]:
    made = Group(world_size)
    try:
        yield made
    finally:
        for channel in made.channels:
            channel.close(None, 1.0)
        made.server.close()


def until(condition: Callable[[], object], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


class Wire:
    """A way to a server that can be cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        for pair in self._pairs:
            for sock in pair:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        self._pairs = []

    def close(self) -> None:
        with contextlib.suppress(OSError):
            # A thread that accepts does not see that its socket is closed.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
                self._pairs.append((near, far))
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    @staticmethod
    def _carry(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(1 << 16):
                other.sendall(data)
        for sock in (one, other):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
