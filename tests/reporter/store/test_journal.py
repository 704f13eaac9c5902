import errno
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymon.protos.report_pb2 import AttemptRecord, EvaluationRecord, JournalRecord, ReporterState
from raymon.reporter.store.journal import Journal
from raymon.reporter.store.object_journal import read_journal
from raymon.reporter.store.store import Store


def record(step: int) -> JournalRecord:
    return JournalRecord(evaluation=EvaluationRecord(step=step))


def steps(path: Path) -> list[int]:
    return [r.evaluation.step for r in read_journal(path)]


def test_what_was_flushed_is_read_again_and_what_was_not_is_not(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.pb"
    journal = Journal(path)
    assert read_journal(path) == []
    journal.append(record(1))
    journal.append(record(2))
    assert read_journal(path) == []
    journal.flush()
    journal.append(record(3))
    assert steps(path) == [1, 2]


@given(st.binary(max_size=40), st.integers(1, 5))
def test_what_is_half_written_at_the_end_is_no_record_and_in_nobodys_way(
    tmp_path_factory, torn: bytes, whole: int
) -> None:
    path = tmp_path_factory.mktemp("torn") / "journal.pb"
    journal = Journal(path)
    for step in range(1, whole + 1):
        journal.append(record(step))
    journal.flush()
    journal.close()
    with path.open("ab") as file:
        # A length that the file does not have.
        file.write(b"\xff\xff\0\0" + torn)
    assert steps(path) == list(range(1, whole + 1))
    again = Journal(path)
    again.append(record(100))
    again.flush()
    assert steps(path) == [*range(1, whole + 1), 100]


@given(st.data())
def test_a_journal_that_was_damaged_is_read_up_to_there(tmp_path_factory, data) -> None:
    path = tmp_path_factory.mktemp("damaged") / "journal.pb"
    journal = Journal(path)
    for step in range(1, 6):
        journal.append(record(step))
    journal.flush()
    damaged = bytearray(path.read_bytes())
    position = data.draw(st.integers(0, len(damaged) - 1))
    damaged[position] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(damaged))
    size = len(damaged) // 5
    assert steps(path) == list(range(1, position // size + 1))


def test_a_disk_that_is_full_for_a_while_loses_nothing(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "journal.pb"
    journal = Journal(path)
    journal.append(record(1))
    journal.flush()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        for step in (2, 3):
            journal.append(record(step))
            with pytest.raises(OSError, match="No space"):
                journal.flush()
    journal.flush()
    journal.append(record(4))
    journal.flush()
    assert steps(path) == [1, 2, 3, 4]


def checkpoint(run: Path, step: int) -> None:
    (run / f"model.ckpt-{step}").mkdir()


def test_a_store_goes_on_from_the_newest_state_that_can_be_read(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.load().records == []
    store.append(JournalRecord(attempt=AttemptRecord(number=1)))
    store.write_state(ReporterState(end_step=10))
    store.append(record(11))
    store.flush()
    store.write_state(ReporterState(end_step=20))
    store.append(record(21))
    store.flush()
    saved = Store(tmp_path).load()
    assert saved.state is not None
    assert saved.state.end_step == 20
    assert [r.evaluation.step for r in saved.records] == [21]

    (tmp_path / "monitor" / "state-20.pb").write_bytes(b"\xff\xff")
    saved = Store(tmp_path).load()
    assert saved.state is not None
    assert saved.state.end_step == 10
    assert [r.evaluation.step for r in saved.records] == [11, 21]
    assert saved.unreadable == ["state-20.pb"]


def test_a_store_keeps_what_a_run_needs_to_go_back_to_any_checkpoint(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.load()
    for step in (10, 20):
        store.write_state(ReporterState(end_step=step))
    # Its own state was never written: the run died before all windows had come.
    checkpoint(tmp_path, 25)
    for step in (30, 40, 50, 60):
        store.append(record(step))
        store.write_state(ReporterState(end_step=step))
    store.forget_after(25)
    saved = store.load()
    assert saved.state is not None
    assert saved.state.end_step == 20
    assert [r.evaluation.step for r in saved.records] == [30]


def test_states_of_checkpoints_that_are_gone_are_removed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.load()
    for step in range(10, 110, 10):
        checkpoint(tmp_path, step)
        if step > 30:
            (tmp_path / f"model.ckpt-{step - 30}").rmdir()
        store.append(record(step))
        store.write_state(ReporterState(end_step=step))
    steps_left = sorted(int(p.stem[6:]) for p in (tmp_path / "monitor").glob("state-*.pb"))
    assert steps_left[-1] == 100
    assert len(steps_left) <= 5
    assert 80 in steps_left
