"""Who writes to the directory of a run, as its file `run.lock` says it.

The file is written anew every few seconds. What counts is whether it changes, and not how old it
is, since the clocks of two machines need not agree.
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
from raymon.storage import StoragePath, to_json

LOCK = "run.lock"

_LENGTH = 512
"""Bytes of the file: always as many, so that none of an older text is left behind a shorter one."""


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


@dataclass(frozen=True)
class Lease:
    """What a run says of itself.

    Attributes:
        host: Name of its machine.
        process: Its id there.
        began: When the process did, in ticks since the machine did: ids of processes are used anew.
        since: When the run took the directory, for people.
        kernel: The running system of the machine.
        namespace: Where the id of the process means something.
        run: Another one for each run.
        beat: Grows while it lives.
    """

    host: str = field(default_factory=socket.gethostname)
    process: int = field(default_factory=os.getpid)
    began: int = field(default_factory=lambda: _began(os.getpid()))
    since: str = field(default_factory=_now)
    kernel: str = field(default_factory=lambda: _kernel())
    namespace: str = field(default_factory=lambda: _namespace())
    run: str = field(default_factory=lambda: uuid.uuid4().hex)
    beat: int = 0

    def later(self) -> Lease:
        """The same one, a little later."""
        return replace(self, beat=self.beat + 1)

    def to_bytes(self) -> bytes:
        """What is in the file."""
        return to_json(asdict(self)).encode().ljust(_LENGTH - 1) + b"\n"

    @property
    def is_of_this_system(self) -> bool:
        """Whether locks of files tell this process of that one."""
        return self.kernel == _kernel()

    @property
    def is_over(self) -> bool:
        """Whether this machine knows that the process is not there any more."""
        here = self.is_of_this_system and self.namespace == _namespace()
        return here and _began(self.process) != self.began

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}, since {self.since}"


def read_lease(directory: StoragePath) -> Lease | None:
    """What is said in a directory; None where nobody says anything that can be read.

    Raises:
        RunError: The storage does not answer.
    """
    path = directory / LOCK
    try:
        return Lease(**json.loads(path.read_bytes()))
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
    """When a process began; -1 where there is none, 0 where this cannot be known."""
    try:
        # Behind the name, which may have anything in it.
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
