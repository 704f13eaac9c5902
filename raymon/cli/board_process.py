"""The process of a page beside a run: `raymon board`, until the process of the run ends."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

from raymon.cli.main import main


def _serve() -> None:
    """Serves the page of the run and on the port that the arguments name."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    directory, port = sys.argv[1:]
    sys.argv = ["raymon", "board", directory, "--port", port]
    main()


def _end_with_parent() -> None:
    """Ends this process once the other end of standard input is closed, by whatever."""
    with suppress(OSError):
        while os.read(0, 1024):
            pass
    os._exit(0)


if __name__ == "__main__":
    _serve()
