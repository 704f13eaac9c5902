import json
import math
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from raymon.metrics import AUC, DecayAUC, TrainMetricWrapper
from raymon.protos.report_pb2 import WindowReport
from raymon.reporter import Reporter
from raymon.results import AttemptBegan, Evaluation, Notice, Snapshot
from raymon.sinks import EvaluationLines, WindowLines
from tests.reporter.windows import auc_metrics, auc_window, clicks
from tests.sinks.snapshots import snapshot


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def make_reporter(directory: Path, sinks=(), clock=None, log_steps: int = 10) -> Reporter:
    return Reporter(directory, sinks, log_steps, late_after_s=5.0, clock=clock or Clock())


def snapshots(reporter: Reporter) -> list[Snapshot]:
    return [p for p in reporter.published()[0] if isinstance(p, Snapshot)]


def test_the_auc_of_two_ranks_is_that_of_all_their_scores(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 2, 0, auc_metrics())
    parts = [clicks(500, seed) for seed in (0, 1)]
    for rank, (scores, labels) in enumerate(parts):
        reporter.report(auc_window(rank, 0, (0, 10), scores, labels))
    expected = roc_auc_score(
        torch.cat([labels for _, labels in parts]), torch.cat([scores for scores, _ in parts])
    )
    (snapshot,) = snapshots(reporter)
    assert snapshot.metrics["auc"] == pytest.approx(expected, abs=1e-4)
    assert (snapshot.samples, snapshot.coverage.ranks, snapshot.coverage.world_size) == (1000, 2, 2)
    assert snapshot.samples_per_second == 500.0


def test_a_loss_is_the_mean_over_the_rows_of_all_ranks(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 2, 0, auc_metrics())
    reporter.report(auc_window(0, 0, (0, 10), *clicks(300, 0), loss=0.2))
    reporter.report(auc_window(1, 0, (0, 10), *clicks(100, 1), loss=1.0))
    assert snapshots(reporter)[0].losses["bce"] == pytest.approx((0.2 * 300 + 1.0 * 100) / 400)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.integers(1, 5), st.randoms())
def test_values_do_not_depend_on_ranks_order_or_repetition(
    tmp_path_factory, ranks, windows, random
):
    steps = [(10 * w, 10 * w + 10) for w in range(windows)]
    parts = [[clicks(40, 10 * w + r) for r in range(ranks)] for w in range(windows)]

    one = make_reporter(tmp_path_factory.mktemp("one"))
    one.begin_attempt("t", 1, 0, auc_metrics())
    for w in range(windows):
        scores, labels = (torch.cat(column) for column in zip(*parts[w], strict=True))
        one.report(auc_window(0, w, steps[w], scores, labels))

    many = make_reporter(tmp_path_factory.mktemp("many"))
    many.begin_attempt("t", ranks, 0, auc_metrics())
    reports = [
        auc_window(r, w, steps[w], *parts[w][r]) for w in range(windows) for r in range(ranks)
    ]
    order = reports + random.sample(reports, len(reports) // 2)
    random.shuffle(order)
    for report in order:
        many.report(report)

    assert [s.metrics for s in snapshots(many)] == [s.metrics for s in snapshots(one)]
    assert many.counts.duplicates == len(order) - len(reports)


def test_a_fold_decays_the_histograms_of_folds_before(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 1, 0, auc_metrics(decay_rate=0.75))
    first, second = clicks(400, 0), clicks(400, 1)
    reporter.report(auc_window(0, 0, (0, 10), *first))
    reporter.report(auc_window(0, 1, (10, 20), *second))
    expected = roc_auc_score(
        torch.cat([first[1], second[1]]),
        torch.cat([first[0], second[0]]),
        sample_weight=torch.cat([torch.full((400,), 0.75), torch.full((400,), 0.25)]),
    )
    assert snapshots(reporter)[1].metrics["auc"] == pytest.approx(expected, abs=1e-4)


def test_a_window_waits_for_its_ranks_and_is_shown_late_with_its_coverage(tmp_path: Path) -> None:
    clock = Clock()
    reporter = make_reporter(tmp_path, clock=clock)
    reporter.begin_attempt("t", 2, 0, auc_metrics())
    mine, late = clicks(100, 0), clicks(100, 1)
    reporter.report(auc_window(0, 0, (0, 10), *mine))
    assert snapshots(reporter) == []

    clock.now = 6.0
    (shown,) = snapshots(reporter)
    assert (shown.coverage.ranks, shown.coverage.oldest_s, shown.samples) == (1, 6.0, 100)

    reporter.report(auc_window(1, 0, (0, 10), *late))
    exact = snapshots(reporter)[-1]
    expected = roc_auc_score(torch.cat([mine[1], late[1]]), torch.cat([mine[0], late[0]]))
    assert exact.metrics["auc"] == pytest.approx(expected, abs=1e-4)
    assert (exact.coverage.ranks, exact.samples) == (2, 200)


def test_after_a_restart_metrics_and_lines_are_those_of_an_undisturbed_run(tmp_path: Path) -> None:
    parts = [clicks(200, seed) for seed in range(4)]
    spans = [(0, 10), (10, 15), (15, 20), (20, 30)]

    def run(directory: Path, restart: bool) -> tuple[list[dict], list[dict]]:
        lines = [WindowLines(directory), EvaluationLines(directory)]
        reporter = make_reporter(directory, lines)
        reporter.begin_attempt("first", 1, 0, auc_metrics())
        attempt, index = 1, 0
        for w, (scores, labels) in enumerate(parts):
            if restart and w == 2:
                reporter.report(auc_window(0, 2, spans[2], *clicks(9, 99)))
                reporter.publish_evaluation(Evaluation(20, {"auc": 0.1}))
                reporter = make_reporter(directory, lines)
                attempt = reporter.begin_attempt("again", 1, 15, auc_metrics())
                index = 0
            report = auc_window(
                0, index, spans[w], scores, labels, attempt=attempt, checkpoint=w == 1
            )
            reporter.report(report)
            index += 1
        reporter.publish_evaluation(Evaluation(30, {"auc": 0.9}))
        reporter.close()
        read = [
            [json.loads(line) for line in (directory / name).read_text().splitlines()]
            for name in ("monitor/windows.jsonl", "train_eval_result_v2.txt")
        ]
        return read[0], read[1]

    undisturbed, evaluations = run(tmp_path / "a", restart=False)
    disturbed, rolled_back = run(tmp_path / "b", restart=True)
    assert disturbed[-1]["metrics"] == undisturbed[-1]["metrics"]
    assert disturbed[-1]["samples_total"] == undisturbed[-1]["samples_total"] == 800
    steps = [line["global_step"] for line in disturbed]
    assert steps == sorted(set(steps))
    assert rolled_back == evaluations == [{"global_step": 30, "auc": 0.9}]


def test_reports_of_an_attempt_that_is_over_are_refused(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    assert reporter.begin_attempt("first", 1, 0, auc_metrics()) == 1
    assert reporter.begin_attempt("first", 1, 0, auc_metrics()) == 1
    assert reporter.begin_attempt("second", 1, 0, auc_metrics()) == 2
    reporter.report(auc_window(0, 0, (0, 10), *clicks(10, 0), attempt=1))
    assert snapshots(reporter) == []
    assert reporter.counts.refused == 1


def test_a_sink_that_fails_is_counted_and_the_others_are_written(tmp_path: Path) -> None:
    class Broken:
        def __getattr__(self, name: str):
            raise OSError("disk full")

    reporter = make_reporter(tmp_path, [Broken(), WindowLines(tmp_path)])
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    reporter.report(auc_window(0, 0, (0, 10), *clicks(10, 0)))
    reporter.close()
    assert len((tmp_path / "monitor/windows.jsonl").read_text().splitlines()) == 1
    assert reporter.status().sink_failures == 4  # begin, roll back, write, close


def test_news_are_told_once(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    reporter.publish_evaluation(Evaluation(10, {"auc": 0.5}))
    news, seen = reporter.published()
    assert news == [AttemptBegan(1, 1, 0), Evaluation(10, {"auc": 0.5})]
    assert reporter.published(seen) == ([], seen)


def test_steps_after_the_last_log_step_are_published_at_the_end(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path, log_steps=100)
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    reporter.report(auc_window(0, 0, (0, 10), *clicks(10, 0)))
    assert snapshots(reporter) == []
    reporter.close()
    (snapshot,) = snapshots(reporter)
    assert (snapshot.first_step, snapshot.end_step) == (0, 10)
    assert not math.isnan(snapshot.total_loss)


def test_a_window_that_a_rank_lost_does_not_hold_up_the_others(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 2, 0, auc_metrics())
    reporter.report(auc_window(0, 0, (0, 10), *clicks(100, 0)))
    reporter.report(auc_window(0, 1, (10, 20), *clicks(100, 1)))
    assert snapshots(reporter) == []
    # Rank 1 lost its first window, and says so with its second.
    second = WindowReport.FromString(auc_window(1, 1, (10, 20), *clicks(100, 2)))
    second.dropped, second.first_kept = 1, 1
    reporter.report(second.SerializeToString())
    first, both = snapshots(reporter)
    assert (first.coverage.ranks, first.samples) == (1, 100)
    assert (both.coverage.ranks, both.samples) == (2, 200)
    assert reporter.status().run.monitoring.windows_lost == 1


def test_a_metric_that_cannot_be_folded_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    class Broken(AUC):
        def compute(self) -> torch.Tensor:
            raise RuntimeError("a metric of the user")

    reporter = make_reporter(tmp_path)
    metrics = {"auc": TrainMetricWrapper(Broken(), 0.9, 10)}
    reporter.begin_attempt("t", 1, 0, metrics)
    for window in range(2):
        steps = (10 * window, 10 * window + 10)
        reporter.report(auc_window(0, window, steps, *clicks(100, window)))
    assert [s.samples for s in snapshots(reporter)] == [100, 100]
    assert reporter.status().run.fold_failures == 2
    notices = [p.text for p in reporter.published()[0] if isinstance(p, Notice)]
    assert len(notices) == 1
    assert "a metric of the user" in notices[0]


def test_a_metric_of_another_shape_than_before_begins_anew_and_is_told(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    reporter.report(auc_window(0, 0, (0, 10), *clicks(100, 0), checkpoint=True))
    again = make_reporter(tmp_path)
    again.begin_attempt("u", 1, 10, {"auc": TrainMetricWrapper(DecayAUC(thresholds=20), 0.9, 10)})
    texts = [p.text for p in again.published()[0] if isinstance(p, Notice)]
    assert any("auc" in text and "begins anew" in text for text in texts)


def test_steps_between_a_point_and_a_checkpoint_are_in_the_next_point(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    reporter.report(auc_window(0, 0, (0, 5), *clicks(100, 0), loss=0.2, checkpoint=True))
    again = make_reporter(tmp_path)
    number = again.begin_attempt("u", 1, 5, auc_metrics())
    again.report(auc_window(0, 0, (5, 10), *clicks(300, 1), loss=0.6, attempt=number))
    (snapshot,) = snapshots(again)
    assert (snapshot.first_step, snapshot.end_step, snapshot.samples) == (0, 10, 400)
    assert snapshot.losses["bce"] == pytest.approx((0.2 * 100 + 0.6 * 300) / 400)


def test_wrong_scores_are_counted_and_make_one_fold_nan_and_no_more(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("a", 2, 0, auc_metrics(decay_step=10))
    for index in range(2):
        for rank in range(2):
            scores, labels = clicks(64, seed=2 * index + rank)
            if index == 0:
                scores[:3] = float("nan")
                labels[60] = 0.5
            steps = (10 * index, 10 * index + 10)
            reporter.report(auc_window(rank, index, steps, scores, labels))
    first, second = snapshots(reporter)
    found = {"NaN scores": 6, "labels other than 0 and 1": 2}
    assert first.input_errors == {"auc": found}
    assert first.to_json()["input_errors"] == {"auc": found}
    assert math.isnan(first.metrics["auc"])
    assert second.input_errors == {}
    assert not math.isnan(second.metrics["auc"])


def test_a_checkpoint_where_a_fold_ended_is_no_fold(tmp_path: Path) -> None:
    values = []
    for saves in (False, True):
        reporter = make_reporter(tmp_path / str(saves))
        reporter.begin_attempt("a", 1, 0, auc_metrics(decay_step=10))
        index = 0
        for fold in range(3):
            scores, labels = clicks(64, seed=fold)
            steps = (10 * fold, 10 * fold + 10)
            reporter.report(auc_window(0, index, steps, scores, labels))
            index += 1
            if saves:
                none = torch.empty(0)
                end = (steps[1], steps[1])
                reporter.report(auc_window(0, index, end, none, none, checkpoint=True))
                index += 1
        values.append(snapshots(reporter)[-1].metrics["auc"])
    assert values[0] == values[1]


def test_scores_that_come_again_late_are_in_the_file_once(tmp_path: Path) -> None:
    def start() -> Reporter:
        return make_reporter(tmp_path, [EvaluationLines(tmp_path)])

    reporter = start()
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    for index, step in enumerate((10, 20)):
        reporter.publish_evaluation(Evaluation(step, {"auc": step / 100}))
        steps = (step - 10, step)
        reporter.report(auc_window(0, index, steps, *clicks(10, 0), checkpoint=True))
    reporter = start()
    reporter.go_on("t", auc_metrics())
    reporter.publish_evaluation(Evaluation(10, {"auc": 0.1}))
    lines = (tmp_path / "train_eval_result_v2.txt").read_text().splitlines()
    assert [json.loads(line)["global_step"] for line in lines] == [10, 20]


def test_what_a_run_left_is_kept_where_its_journal_is_gone(tmp_path: Path) -> None:
    lines = [WindowLines(tmp_path), EvaluationLines(tmp_path)]
    for sink in lines:
        sink.write(snapshot(10))
        sink.write_evaluation(Evaluation(10, {"auc": 0.5}))
        sink.write(snapshot(20))
        sink.write_evaluation(Evaluation(20, {"auc": 0.6}))
    reporter = make_reporter(tmp_path, lines)
    reporter.begin_attempt("t", 1, 10, auc_metrics())
    for name in ("monitor/windows.jsonl", "train_eval_result_v2.txt"):
        steps = [json.loads(line)["global_step"] for line in (tmp_path / name).open()]
        assert steps == [10]
    notices = [p.text for p in reporter.published()[0] if isinstance(p, Notice)]
    assert any("no state of step 10" in text for text in notices)
    # Nor does a reporter that starts anew take what it does not know of for too much.
    reporter = make_reporter(tmp_path, lines)
    assert reporter.go_on("t", auc_metrics())
    reporter.report(auc_window(0, 0, (10, 20), *clicks(10, 0), checkpoint=True))
    reporter = make_reporter(tmp_path, lines)
    assert reporter.go_on("t", auc_metrics())
    read = [
        [json.loads(line)["global_step"] for line in (tmp_path / name).open()]
        for name in ("monitor/windows.jsonl", "train_eval_result_v2.txt")
    ]
    assert read == [[10, 20], [10]]


def test_notices_are_told_where_the_reporter_runs_too(tmp_path: Path) -> None:
    reporter, told = make_reporter(tmp_path), []
    reporter.call_on_notice(told.append)
    reporter.publish_notice("a node goes")
    assert told == [Notice("a node goes")]
    assert [p for p in reporter.published()[0] if isinstance(p, Notice)] == told


def test_why_monitoring_fails_on_workers_is_told_once_and_kept(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.publish_worker_failures()
    reporter.begin_attempt("t", 2, 0, auc_metrics())
    for rank in (0, 1):
        report = WindowReport.FromString(auc_window(rank, 0, (0, 10), *clicks(10, rank)))
        report.failures = 2
        report.failure_reasons.update({"RuntimeError: no": 2})
        reporter.report(report.SerializeToString())
    told = [p.text for p in reporter.published()[0] if isinstance(p, Notice)]
    assert told == ["monitoring: on a worker: RuntimeError: no"]
    assert reporter.status().failure_reasons == {"RuntimeError: no": 4}
    assert reporter.status().run.monitoring.worker_failures == 4
    anew = make_reporter(tmp_path)
    anew.go_on("t", auc_metrics())
    assert anew.status().failure_reasons == {"RuntimeError: no": 4}
