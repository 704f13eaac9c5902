"""Directories of runs with a known cause, written by what writes those of real runs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from raymon.diagnosis import StepWindow
from raymon.reporter import Summary
from raymon.results import Alert, Anatomy, Coverage, Finding
from raymon.runs import DONE
from raymon.sinks import AlertLines, RankLines, WindowLines
from raymon.training.rank.devices import Device, write_devices
from tests.sinks.snapshots import snapshot


def write_run(
    directory: Path,
    windows: Iterable[StepWindow] = (),
    *,
    status: str = DONE,
    error: str | None = None,
    diverged_since: int | None = None,
    alerts: Iterable[Finding] = (),
    hosts: Iterable[str] = (),
) -> Path:
    """Writes the directory of a run, and returns it.

    Args:
        directory: The directory.
        windows: Its windows.
        status: Status in its summary.
        error: What ended it.
        diverged_since: Step from which on its losses were not finite.
        alerts: What was wrong at the end.
        hosts: Host of each rank.
    """
    sinks = (WindowLines(directory), RankLines(directory))
    for window in windows:
        assert window.numbers is not None
        shown = snapshot(
            window.end_step,
            first_step=window.first_step,
            samples=window.samples,
            seconds=window.seconds,
            phases={
                name: float(window.numbers.column(name).max()) for name in window.numbers.names
            },
            rank_numbers=window.numbers,
            anatomy=Anatomy.of(window.numbers),
            coverage=Coverage(window.world_size, window.world_size, 0.0),
        )
        for sink in sinks:
            sink.write(shown)
    for sink in sinks:
        sink.close()
    lines = AlertLines(directory)
    for finding in alerts:
        lines.write_alert(Alert(finding, 1, finding.last_step or 0, 1e9))
    directory.mkdir(exist_ok=True)
    Summary(status, str(directory), error=error, diverged_since=diverged_since).write()
    write_devices(
        directory,
        [Device(rank=rank, host=host, device="cpu") for rank, host in enumerate(hosts)],
    )
    return directory
