"""What takes longest, told at the end of tests in several processes, so that it is noticed."""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import Generator

import pytest

_CPU = "CPU seconds"
_SHOWN = 10


class Spent:
    """A plugin that adds up the seconds of tests.

    CPU is that of the tests' own processes and of those that they have waited for; what a Ray
    cluster does is in the time alone.
    """

    def __init__(self) -> None:
        self._before = _cpu()
        self._tests: Counter[str] = Counter()
        self._cpu: Counter[str] = Counter()
        self._all = 0.0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Says with each part of a test what it took."""
        report = yield
        before, self._before = self._before, _cpu()
        report.user_properties.append((_CPU, self._before - before))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Adds what a part of a test took."""
        self._tests[report.nodeid] += report.duration
        self._cpu[report.nodeid] += dict(report.user_properties).get(_CPU, 0.0)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tells the process that shows the results what this one took in all."""
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[_CPU] = _cpu()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """Adds what a process took in all."""
        self._all += getattr(node, "workeroutput", {}).get(_CPU, 0.0)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Shows a table."""
        if not self._all:
            return
        show = terminalreporter.write_line
        terminalreporter.section(f"longest tests; {self._all:.0f} s of CPU in all")
        for test, seconds in self._tests.most_common(_SHOWN):
            show(f"{seconds:6.1f} s {self._cpu[test]:6.1f} s of CPU  {test}")


def _cpu() -> float:
    waited_for = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + waited_for.ru_utime + waited_for.ru_stime
