"""What launched the ranks of a process group, by which a restart of them is known."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from raymon.storage import StoragePath, write_whole

_FILE = "monitor/torchrun_run"
"""File with the launch whose ranks wrote last."""


@dataclass(frozen=True)
class Launch:
    """A launch by torchrun, which starts its ranks again when one of them fails.

    Attributes:
        run_id: Id of the launch, which torchrun makes, or its user gives.
        agent: The process that started this one, and will do so again.
        restarts: Number of restarts that this agent has made of its ranks.
    """

    run_id: str
    agent: str
    restarts: int

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Launch | None:
        """Returns the launch of this process; None if it was not torchrun's."""
        run_id = environment.get("TORCHELASTIC_RUN_ID")
        if run_id is None:
            return None
        restarts = environment.get("TORCHELASTIC_RESTART_COUNT", "")
        return cls(run_id, _parent(), int(restarts) if restarts.isdecimal() else 0)

    def was_in(self, directory: StoragePath | None) -> bool:
        """Returns whether earlier ranks of this launch have written to a directory."""
        if directory is None:
            return False
        try:
            run_id, _, agent = (directory / _FILE).read_text().partition("\n")
        except (OSError, UnicodeDecodeError):
            return False
        # Ids that users give come again with the next launch; then nothing else is the same.
        return run_id == self.run_id and (self.restarts > 0 or agent == self.agent)

    def write(self, directory: StoragePath) -> None:
        """Writes down that this launch writes to a directory.

        Raises:
            OSError: It cannot be written.
        """
        write_whole(directory / _FILE, f"{self.run_id}\n{self.agent}".encode())


def _parent() -> str:
    pid = os.getppid()
    try:
        # After the name of the program, which may have spaces: the 20th is when it was started.
        started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        started = ""
    return f"{socket.gethostname()} {pid} {started}"
