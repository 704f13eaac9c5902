import logging

import pytest

from raymon.sinks import Console, Evaluation
from raymon.training.progress import Progress


class Reporter:
    """Has one evaluation to tell; does not answer while `silent`."""

    silent = False

    def published(self, since: int) -> tuple[list[Evaluation], int]:
        if self.silent:
            raise TimeoutError
        return ([Evaluation(10, {"auc": 0.7})], 1) if since == 0 else ([], 1)


@pytest.fixture
def lines(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("raymon"), "propagate", True)
    caplog.set_level(logging.INFO, logger="raymon")
    return lambda: [record.getMessage() for record in caplog.records]


def test_news_at_the_very_end_are_shown(lines) -> None:
    with Progress(Reporter(), Console(100, 1.0)) as progress:
        pass
    assert progress.evaluations == [Evaluation(10, {"auc": 0.7})]
    assert lines() == ["Evaluation at step 10: auc:0.70000"]


def test_a_reporter_that_does_not_answer_is_told_once_and_so_is_its_return(lines) -> None:
    reporter = Reporter()
    progress = Progress(reporter, Console(100, 1.0))
    reporter.silent = True
    progress._poll()
    progress._poll()
    reporter.silent = False
    progress._poll()
    progress._poll()
    assert lines() == [
        "The reporter does not answer (TimeoutError); training goes on",
        "The reporter answers again",
        "Evaluation at step 10: auc:0.70000",
    ]
