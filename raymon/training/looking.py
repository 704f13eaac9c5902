"""How a run is looked at: commands, for its log, its job and who submitted it."""

from __future__ import annotations

import shlex
from pathlib import Path
from urllib.parse import urlsplit

BOARD_PORT = 6007
"""Port of the page, unless another one is asked for."""

_HERE = ("localhost", "127.0.0.1", "::1", "")


def looking_commands(model_dir: str) -> dict[str, str]:
    """Returns the commands that show a run, by the names that they have in metadata of its job.

    Args:
        model_dir: Directory of the run, or its URI.
    """
    run = shlex.quote(model_dir)
    return {"raymon_board": f"raymon board {run}", "raymon_watch": f"raymon watch {run}"}


def how_to_look(model_dir: str, address: str, board_port: int | None = None) -> list[str]:
    """Returns how to look at a run of a cluster from the machine that submitted it, as lines.

    Args:
        model_dir: Directory of the run, or its URI.
        address: Address of the dashboard of the cluster.
        board_port: Port of the page beside the run; None if there is none.
    """
    board, watch = looking_commands(model_dir).values()
    if "://" in model_dir or Path(model_dir).is_dir():
        return [f"See it: {board}, {watch}"]
    head = urlsplit(address).hostname or ""
    head = "HEAD" if head in _HERE else head
    port = board_port or BOARD_PORT
    there = "" if board_port else f" {board} --port {port}"
    lines = [
        f"See it where its storage is: {board}, {watch}",
        f"or at http://127.0.0.1:{port}/ through the head, by one of",
        f"  ssh -{'N' if board_port else 't'} -L {port}:127.0.0.1:{port} {head}{there}",
        f"  ray attach CLUSTER.yaml --port-forward {port}{' , then' if there else ''}{there}",
        f"  kubectl port-forward HEAD_POD {port}",
    ]
    if not board_port:
        lines[-1] += f", and kubectl exec HEAD_POD --{there}"
    return [line.replace(" ,", ",") for line in lines]
