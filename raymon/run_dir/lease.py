"""The lease of the run that writes to a directory, in its file `run.lock`.

The file is rewritten every few seconds. A run is alive if the file changes; its age does not count,
because the clocks of two machines need not agree.
"""

from __future__ import annotations

import json
import os
import socket
import uuid
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path

from raymon.errors import RunError, os_reason
from raymon.storage import StoragePath, read_file, to_json

LOCK = "run.lock"

_LENGTH = 512
"""Bytes of the file: always the same, so that nothing of a longer text is left."""


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


@dataclass(frozen=True)
class Lease:
    """The lease of a run.

    Attributes:
        host: Name of its machine.
        process: Id of its process there.
        began: Time at which the process began, in ticks since the boot, which tells it from a later
            process with the same id.
        since: Time at which the run took the directory, for people.
        kernel: Id of the running system of the machine.
        namespace: Namespace in which the id of the process is meaningful.
        run: Id of the run, unique.
        beat: Counter that grows while the run lives.
    """

    host: str = field(default_factory=socket.gethostname)
    process: int = field(default_factory=os.getpid)
    began: int = field(default_factory=lambda: _began(os.getpid()))
    since: str = field(default_factory=_now)
    kernel: str = field(default_factory=lambda: _kernel())
    namespace: str = field(default_factory=lambda: _namespace())
    run: str = field(default_factory=lambda: uuid.uuid4().hex)
    beat: int = 0

    def next_beat(self) -> Lease:
        """Returns the same lease with the next beat."""
        return replace(self, beat=self.beat + 1)

    def to_bytes(self) -> bytes:
        """Returns the content of the file."""
        return to_json(asdict(self)).encode().ljust(_LENGTH - 1) + b"\n"

    @property
    def is_of_this_system(self) -> bool:
        """Whether its process is on this running system, where file locks exclude each other."""
        return self.kernel == _kernel()

    @property
    def is_here(self) -> bool:
        """Whether its process, as long as it exists, can be seen from this one."""
        return self.is_of_this_system and self.namespace == _namespace()

    @property
    def is_over(self) -> bool:
        """Whether this machine knows that the process does not exist any more."""
        return self.is_here and _began(self.process) != self.began

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}, since {self.since}"


def read_lease(directory: StoragePath) -> Lease | None:
    """Returns the lease in a directory; None if there is none that can be read.

    Raises:
        RunError: The storage does not answer.
    """
    path = directory / LOCK
    try:
        return Lease(**json.loads(read_file(path)))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {os_reason(error)}") from None


def _kernel() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return f"{socket.gethostname()}/{uuid.getnode():x}"


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _began(process: int) -> int:
    """Returns when a process began; -1 if it does not exist, 0 if this is unknown."""
    try:
        # The fields after the name, which may contain any character.
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19])
    except OSError:
        pass
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return -1
    except OSError:
        return 0
    return 0
