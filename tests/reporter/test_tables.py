"""The health of tables, from the windows of ranks to what is published."""

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from raymon.protos.report_pb2 import WindowReport
from raymon.reporter import InProcessReporter, Reporter
from raymon.reporter.node_reporter import NodeReporter
from raymon.reporter.windows.collation import Attempt
from raymon.results import Snapshot, TableHealth
from raymon.wire import Layout, TableSpec
from tests.reporter.test_reporter import Clock, make_reporter, snapshots
from tests.reporter.windows import Counted, auc_metrics, auc_window, clicks

SMALL, LARGE = TableSpec("user", 300, is_hashed=True), TableSpec("user", 10**7)


def window(
    rank: int, index: int, rows: list[int] | None, table: TableSpec = SMALL, **options
) -> bytes:
    """Ten steps of a rank that looked up rows; None for one that does not count lookups."""
    norm = options.pop("norm", None)
    tables = None if rows is None else Counted(table, torch.tensor(rows, dtype=torch.int64), norm)
    steps = (10 * index, 10 * index + 10)
    return auc_window(rank, index, steps, *clicks(20, rank), tables=tables, **options)


def table(snapshot: Snapshot) -> TableHealth:
    (health,) = snapshot.tables.values()
    return health


def test_a_table_is_that_of_the_lookups_of_all_ranks(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 2, 0, auc_metrics())
    reporter.report(window(0, 0, [1, 2, 2, 7]))
    reporter.report(window(1, 0, [7, 8]))
    reporter.report(window(0, 1, [7, 7]))
    reporter.report(window(1, 1, []))
    first, second = map(table, snapshots(reporter))
    assert (first.rows, first.lookups, first.distinct_rows) == (300, 6, 4)
    assert first.touched_share == 4 / 300
    assert first.collision_share == 3 / 299
    assert (second.lookups, second.distinct_rows, second.touched_share) == (2, 1, 4 / 300)
    assert second.top10_share == 1


def test_the_figures_of_several_windows_are_those_of_their_steps_together(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path, log_steps=30)
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    for index, rows in enumerate(([1, 2], [2, 3], [3, 3])):
        reporter.report(window(0, index, rows, norm=[3.0, 4.0, None][index]))
    (found,) = map(table, snapshots(reporter))
    assert (found.lookups, found.distinct_rows) == (6, 3)
    # Norms are those of the last window that has any.
    assert found.mean_row_norm == 4


@settings(max_examples=15)
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
    st.sampled_from([SMALL, LARGE]),
    st.randoms(),
)
def test_a_tree_gives_the_tables_of_a_flat_merge(sizes: list[int], spec: TableSpec, random) -> None:
    ranks, windows = sum(sizes), 3
    reports = {
        (rank, index): window(
            rank, index, [random.randrange(spec.rows) for _ in range(40)], spec, norm=rank + 1.0
        )
        for rank in range(ranks)
        for index in range(windows)
    }
    roots = [Reporter(None, [], 10, late_after_s=1e9) for _ in range(2)]
    for root in roots:
        root.begin_attempt("t", ranks, 0, auc_metrics())
    flat, top = roots
    for report in reports.values():
        flat.report(report)
    attempt = Attempt(1, "t", ranks, 0, Layout.of_metrics(auc_metrics()))
    channel = InProcessReporter(top)
    nodes = [NodeReporter(attempt, size, channel, 10.0) for size in sizes]
    node_of = [node for node, size in zip(nodes, sizes, strict=True) for _ in range(size)]
    order = list(reports)
    random.shuffle(order)
    for rank, index in order:
        node_of[rank].report(reports[rank, index])
    for node in nodes:
        assert node.close(10)
    assert [str(s.tables) for s in snapshots(top)] == [str(s.tables) for s in snapshots(flat)]
    assert len(snapshots(top)) == windows


def test_a_late_rank_is_missing_at_first_and_changes_nothing_in_the_end(tmp_path: Path) -> None:
    clock = Clock()
    reporter = make_reporter(tmp_path, clock=clock)
    reporter.begin_attempt("t", 2, 0, auc_metrics())
    reporter.report(window(0, 0, [1, 2]))
    clock.now = 6.0
    (late,) = snapshots(reporter)
    assert (table(late).distinct_rows, table(late).touched_share) == (2, 2 / 300)
    reporter.report(window(1, 0, [2, 3]))
    reporter.report(window(0, 1, [1]))
    reporter.report(window(1, 1, [1]))
    complete, next_ = snapshots(reporter)[1:]
    assert (table(complete).distinct_rows, table(complete).touched_share) == (3, 3 / 300)
    assert table(next_).touched_share == 3 / 300


def test_touched_rows_are_rolled_back_to_the_restored_step(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    (tmp_path / "model.ckpt-10").mkdir()
    reporter.report(window(0, 0, [1, 2], checkpoint=True))
    reporter.report(window(0, 1, [3, 4, 5]))
    again = make_reporter(tmp_path)
    again.begin_attempt("u", 1, 10, auc_metrics())
    again.report(
        auc_window(
            0, 0, (10, 20), *clicks(20, 0), attempt=2, tables=Counted(SMALL, torch.tensor([2, 6]))
        )
    )
    again.report(auc_window(0, 1, (20, 20), *clicks(0, 0), attempt=2))
    found = table(snapshots(again)[-1])
    assert (found.distinct_rows, found.touched_share) == (2, 3 / 300)


def test_steps_that_were_not_counted_leave_the_touched_share_without_a_value(
    tmp_path: Path,
) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    for index, rows in enumerate(([1], None, [2], [2])):
        reporter.report(window(0, index, rows))
    first, without, third, fourth = snapshots(reporter)
    assert table(first).touched_share == 1 / 300
    assert without.tables == {}
    for snapshot in (third, fourth):
        assert table(snapshot).distinct_rows == 1
        assert math.isnan(table(snapshot).touched_share)
        assert math.isnan(table(snapshot).collision_share)
    # A reporter that goes on from a state knows it too.
    (tmp_path / "model.ckpt-50").mkdir()
    reporter.report(window(0, 4, [2], checkpoint=True))
    again = make_reporter(tmp_path)
    assert again.go_on("t", auc_metrics())
    again.report(window(0, 5, [2]))
    assert math.isnan(table(snapshots(again)[-1]).touched_share)


def test_a_run_that_goes_on_from_an_unknown_past_does_not_say_what_was_ever_touched(
    tmp_path: Path,
) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 1, 10, auc_metrics())
    reporter.report(
        auc_window(0, 0, (10, 20), *clicks(20, 0), tables=Counted(SMALL, torch.tensor([1])))
    )
    found = table(snapshots(reporter)[0])
    assert found.distinct_rows == 1
    assert math.isnan(found.touched_share)


def test_a_rank_that_does_not_count_leaves_no_figure_whoever_comes_first(tmp_path: Path) -> None:
    for order in ((0, 1), (1, 0)):
        reporter = make_reporter(tmp_path / str(order[0]))
        reporter.begin_attempt("t", 2, 0, auc_metrics())
        for rank in order:
            reporter.report(window(rank, 0, [1, 2] if rank == 0 else None))
        (snapshot,) = snapshots(reporter)
        assert all(math.isnan(value) for value in table(snapshot).figures().values())


def test_a_table_of_another_size_begins_anew(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    reporter.report(window(0, 0, [1, 2, 3]))
    reporter.report(window(0, 1, [1], TableSpec("user", 400)))
    assert table(snapshots(reporter)[1]).touched_share == 1 / 400


def test_ranks_with_other_tables_are_refused(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 2, 0, auc_metrics())
    reporter.report(window(0, 0, [1, 2]))
    ack = reporter.report(window(1, 0, [1], TableSpec("user", 400)))
    assert ack.refused is not None
    assert "other tables" in ack.refused


def test_sketches_that_cannot_be_are_refused(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    message = WindowReport.FromString(window(0, 0, [1, 2]))
    message.tables.touched = b"\1"
    ack = reporter.report(message.SerializeToString())
    assert ack.refused is not None
    assert reporter.report(window(0, 0, [1, 2])).refused is None
    assert table(snapshots(reporter)[0]).distinct_rows == 2


@pytest.mark.parametrize("spec", [SMALL, LARGE])
def test_an_interval_that_a_restart_divides_is_the_whole_interval(
    tmp_path: Path, spec: TableSpec
) -> None:
    rows = [[1, 2, 7], [7, 8], [9]]
    found = []
    for restarts in (False, True):
        directory = tmp_path / str(restarts)
        reporter = make_reporter(directory, log_steps=30)
        reporter.begin_attempt("t", 1, 0, auc_metrics())
        (directory / "model.ckpt-20").mkdir(parents=True)
        for index in range(3):
            reporter.report(window(0, index, rows[index], spec, norm=2.0, checkpoint=index == 1))
            if restarts and index == 1:
                reporter = make_reporter(directory, log_steps=30)
                assert reporter.go_on("t", auc_metrics())
        (snapshot,) = snapshots(reporter)
        found.append(str(table(snapshot)))
    assert found[0] == found[1]
