import logging
from functools import partial

import pytest

from raymon.sinks import ProgressLogger
from raymon.sinks.terminal import progress_logger


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress_logger.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def lines(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("raymon"), "propagate", True)
    caplog.set_level(logging.INFO, logger="raymon")
    return lambda: [record.getMessage() for record in caplog.records]


def test_a_line_has_iterations_and_their_rate(clock, lines) -> None:
    logger = ProgressLogger("Training Epoch 0", start_n=0)
    clock[0] = 2.0
    logger.log(100, "auc:0.7")
    assert lines() == ["Training Epoch 0: 100it [50.00it/s] auc:0.7"]


def test_lines_come_no_faster_than_the_interval(clock, lines) -> None:
    logger = ProgressLogger("Training", start_n=0, mininterval=1)
    for step in range(1, 41):
        clock[0] = step / 10
        logger.log(step)
    assert len(lines()) == 4


def test_lines_come_no_closer_than_the_iterations(clock, lines) -> None:
    logger = ProgressLogger("Training", start_n=0, mininterval=0, miniters=10)
    for step in range(1, 31):
        clock[0] = float(step)
        logger.log(step)
    assert [line.split()[1] for line in lines()] == ["10it", "20it", "30it"]


def test_the_description_can_change(clock, lines) -> None:
    logger = ProgressLogger("Training Epoch 0", start_n=0)
    logger.set_description("Training Epoch 1")
    clock[0] = 1.0
    logger.log(1)
    assert lines()[0].startswith("Training Epoch 1: 1it")


def test_without_a_new_iteration_there_is_no_line(clock, lines) -> None:
    logger = ProgressLogger("Training", start_n=0, mininterval=0)
    for n in (0, 1, 1):
        clock[0] += 1.0
        logger.log(n)
    assert len(lines()) == 1


def test_the_first_iteration_is_the_one_after_start_n(clock, lines) -> None:
    logger = ProgressLogger("Training")
    clock[0] = 2.0
    logger.log(9)
    assert lines() == ["Training: 9it [5.00it/s] "]


@pytest.mark.parametrize(
    ("before", "after"), [(logging.NOTSET, logging.INFO), (logging.ERROR, logging.ERROR)]
)
def test_its_lines_are_seen_unless_somebody_wants_less(request, before: int, after: int) -> None:
    logger = logging.getLogger("raymon")
    request.addfinalizer(partial(logger.setLevel, logger.level))
    logger.setLevel(before)
    ProgressLogger("Training")
    assert logger.level == after
