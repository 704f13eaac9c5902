"""Whatever happens to reports, the reporter and the workers, the numbers are those of a model.

The model is simple: it merges at the end what every rank measured in the steps that the run kept.
"""

from __future__ import annotations

import json
import tempfile
from fractions import Fraction
from pathlib import Path
from unittest import mock

import torch
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from raymon.metrics import AUC, DecayAUC, DecayedMetric, MeanSquaredError, TrainMetricWrapper
from raymon.metrics.decay.states import take_window_states, window_states
from raymon.protos.report_pb2 import WindowReport
from raymon.recorder import Window, encode_window
from raymon.recorder.background_scalars import BackgroundScalars
from raymon.recorder.logged_scalars import TakenScalars
from raymon.recorder.offload import Offload
from raymon.reporter import Reporter
from raymon.reporter.store import evaluation_record
from raymon.results import Evaluation, ScoreCurves, Snapshot
from raymon.sinks import EvaluationLines, EvaluationRecords, WindowLines
from raymon.wire import Ack, Layout, TableSpec
from tests.reporter.windows import Counted

LOG_STEPS, DECAY_STEPS, ROWS = 10, 20, 6
TABLE, LOOKUPS = TableSpec("user", 200), 12

Part = tuple[torch.Tensor, torch.Tensor, float, torch.Tensor]
"""What a rank measured: scores, labels, the loss, and the rows that it looked up."""


def metrics() -> dict[str, TrainMetricWrapper]:
    return {
        "auc": TrainMetricWrapper(DecayAUC(50), 0.75, DECAY_STEPS),
        "mse": TrainMetricWrapper(MeanSquaredError(), 0.5, LOG_STEPS),
    }


class Worker:
    """A rank of an attempt: what it measured, and what it still keeps."""

    def __init__(self, attempt: int, rank: int, kept: list[bytes]) -> None:
        self.attempt, self.rank = attempt, rank
        self.index = 0
        self.kept = list(kept)
        # Of `kept`, how many were sent to the reporter that lives now.
        self.sent = 0

    def take(self, ack: Ack) -> None:
        assert ack.refused is None
        settled = [m for m in self.kept if ack.settles(*_key(m))]
        self.sent -= sum(m in settled for m in self.kept[: self.sent])
        self.kept = [m for m in self.kept if m not in settled]


def _key(message: bytes) -> tuple[int, int]:
    report = WindowReport.FromString(message)
    return report.attempt, report.index


class Runs(RuleBasedStateMachine):
    """A run whose ranks move in step; its windows are of 5 steps."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name)
        self.attempts = 0
        self.number = 0
        self.step = 0
        self.generator = torch.Generator().manual_seed(0)
        # What counts: by end of the window and rank, in order of steps.
        self.truth: dict[int, list[Part]] = {}
        # By step of the checkpoint, what its ranks had in their parts.
        self.checkpoints: dict[int, list[list[bytes]]] = {0: [[]]}
        self.evaluations: dict[int, float] = {}
        self.now = 0.0
        # Of all others they are in the file alone.
        self.few_curves = mock.patch.object(evaluation_record, "WITH_CURVES", 1)
        self.few_curves.start()
        self.reporter = self.start_reporter()

    def start_reporter(self) -> Reporter:
        sinks = [
            WindowLines(self.path),
            EvaluationLines(self.path),
            EvaluationRecords(self.path),
        ]
        return Reporter(self.path, sinks, LOG_STEPS, late_after_s=1e9)

    @initialize(ranks=st.integers(1, 16))
    def begin(self, ranks: int) -> None:
        self.begin_attempt(0, ranks)

    def begin_attempt(self, step: int, ranks: int) -> None:
        self.attempts += 1
        self.token = f"token {self.attempts}"
        self.number = self.reporter.begin_attempt(self.token, ranks, step, metrics())
        self.step = step
        self.truth = {end: parts for end, parts in self.truth.items() if end <= step}
        self.evaluations = {s: auc for s, auc in self.evaluations.items() if s <= step}
        self.checkpoints = {s: c for s, c in self.checkpoints.items() if s <= step}
        parts = self.checkpoints[step]
        # Ranks share what the ranks before them could not send.
        self.workers = [
            Worker(self.number, rank, [m for part in parts[rank::ranks] for m in part])
            for rank in range(ranks)
        ]
        if step in self.evaluations:
            self.publish_evaluation(step)

    def publish_evaluation(self, step: int) -> None:
        # One that is published again may have been made again, later.
        self.now += 1
        self.reporter.publish_evaluation(
            Evaluation(
                step,
                {"auc": self.evaluations[step]},
                time=self.now,
                curves={"auc": ScoreCurves([0.0, 1.0], [float(step)], [0.0])},
            )
        )

    @rule(checkpoint=st.booleans(), evaluate=st.booleans())
    def train(self, checkpoint: bool, evaluate: bool) -> None:
        """Every rank trains on five steps, and keeps what it measured."""
        begin, self.step = self.step, self.step + 5
        parts = []
        for worker in self.workers:
            scores = torch.rand(ROWS, generator=self.generator)
            labels = (torch.rand(ROWS, generator=self.generator) < scores).float()
            loss = torch.rand((), generator=self.generator).item()
            rows = torch.randint(0, TABLE.rows, (LOOKUPS,), generator=self.generator)
            parts.append((scores, labels, loss, rows))
            worker.kept.append(_window(worker, (begin, self.step), parts[-1], checkpoint))
            worker.index += 1
        self.truth[self.step] = parts
        if checkpoint:
            (self.path / f"model.ckpt-{self.step}").mkdir(exist_ok=True)
            self.checkpoints[self.step] = [list(worker.kept) for worker in self.workers]
            if evaluate:
                self.evaluations[self.step] = self.step / 1000
                self.publish_evaluation(self.step)

    @rule(data=st.data(), count=st.integers(1, 20))
    def send(self, data: st.DataObject, count: int) -> None:
        """Some ranks send what they have; what is sent may arrive twice."""
        for _ in range(count):
            worker = data.draw(st.sampled_from(self.workers))
            if worker.sent < len(worker.kept):
                self.send_next(worker)
                if data.draw(st.booleans()) and worker.sent:
                    worker.take(self.reporter.report(worker.kept[worker.sent - 1]))

    @rule()
    def everything_arrives(self) -> None:
        """All ranks send all that they have."""
        for worker in self.workers:
            while worker.sent < len(worker.kept):
                self.send_next(worker)

    def send_next(self, worker: Worker) -> None:
        message = worker.kept[worker.sent]
        worker.sent += 1
        worker.take(self.reporter.report(message))

    @rule()
    def the_reporter_dies(self) -> None:
        """What it had in memory is gone; it goes on from the storage of the run."""
        self.reporter = self.start_reporter()
        assert self.reporter.go_on(self.token, metrics())
        for worker in self.workers:
            worker.sent = 0

    @rule(torn=st.integers(1, 30))
    def the_reporter_dies_while_it_writes(self, torn: int) -> None:
        """Half a record is at the end of the journal."""
        steps = [int(p.stem.split("-")[1]) for p in self.path.glob("monitor/*-*.pb")]
        with (self.path / f"monitor/journal-{max(steps)}.pb").open("ab") as file:
            file.write(b"\x40\0\0\0" + b"\1" * torn)
        self.the_reporter_dies()

    @precondition(lambda self: len(self.checkpoints) > 1)
    @rule(data=st.data(), ranks=st.integers(1, 16), reporter_too=st.booleans())
    def the_workers_die(self, data: st.DataObject, ranks: int, reporter_too: bool) -> None:
        """Others take the run up from a checkpoint, mostly the newest; maybe more or fewer."""
        steps = sorted(self.checkpoints)
        step = data.draw(st.sampled_from(steps[-2:] + steps[-1:]))
        if reporter_too:
            self.reporter = self.start_reporter()
        self.begin_attempt(step, ranks)

    @invariant()
    def readers_see_one_history(self) -> None:
        for name in ("monitor/windows.jsonl", "train_eval_result_v2.txt"):
            steps = [line["global_step"] for line in self.lines(name)]
            assert steps == sorted(set(steps))

    @invariant()
    def evaluations_have_their_curves(self) -> None:
        lines = self.lines("monitor/evaluations.jsonl")
        found = [
            (line["global_step"], line["curves"]["auc"]["scores"]["negative"]) for line in lines
        ]
        assert found == [(step, [step]) for step in sorted(self.evaluations)]

    def lines(self, name: str) -> list[dict]:
        path = self.path / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def teardown(self) -> None:
        if self.attempts:
            for worker in self.workers:
                # A last window of each rank, so that all of the attempt is heard.
                worker.sent = min(worker.sent, len(worker.kept))
            self.train(checkpoint=False, evaluate=False)
            self.everything_arrives()
            for worker in self.workers:
                worker.take(self.reporter.acknowledged())
                assert worker.kept == []
            self.reporter.close()
            self.check()
        self.few_curves.stop()
        self.directory.cleanup()

    def check(self) -> None:
        news, _ = self.reporter.published()
        last = [p for p in news if isinstance(p, Snapshot)][-1]
        auc = DecayedMetric(DecayAUC(50), 0.75)
        mse = DecayedMetric(MeanSquaredError(), 0.5)
        open_auc, open_mse = AUC(50), MeanSquaredError()
        for end, parts in self.truth.items():
            for scores, labels, _, _ in parts:
                open_auc.update(scores, labels)
                open_mse.update(scores, labels)
            if end % DECAY_STEPS == 0:
                auc.fold(take_window_states(open_auc))
            if end % LOG_STEPS == 0:
                mse.fold(take_window_states(open_mse))
        values = {"auc": auc.value, "mse": mse.value}
        expected = {name: value for name, value in values.items() if value is not None}
        # Bit-equal, whatever happened.
        assert last.metrics == expected
        assert last.end_step == self.step
        assert last.samples_total == ROWS * sum(len(parts) for parts in self.truth.values())
        status = self.reporter.status()
        assert status.run.monitoring.windows == sum(len(parts) for parts in self.truth.values())
        assert status.run.monitoring.windows_lost == 0
        assert status.refused == 0
        lines = self.lines("monitor/windows.jsonl")
        points = [end for end in self.truth if end % LOG_STEPS == 0]
        assert [line["global_step"] for line in lines] == sorted({*points, self.step})
        for line in lines:
            known = [
                part
                for end, parts in self.truth.items()
                if line["first_step"] < end <= line["global_step"]
                for part in parts
            ]
            assert abs(line["losses"]["bce"] - sum(part[2] for part in known) / len(known)) < 1e-6
            logged = [Fraction(part[2]) for part in known]
            # Bit-equal, on however many ranks it was logged.
            assert line["scalars"] == {
                "level": float(sum(logged) / len(logged)),
                "top": float(max(logged)),
                "total": float(sum(logged)),
            }
            self.check_table(line, torch.cat([part[3] for part in known]))
        scores = {x["global_step"]: x["auc"] for x in self.lines("train_eval_result_v2.txt")}
        assert scores == self.evaluations

    def check_table(self, line: dict, rows: torch.Tensor) -> None:
        ever = [
            part[3]
            for end, parts in self.truth.items()
            if end <= line["global_step"]
            for part in parts
        ]
        found = line["tables"][TABLE.name]
        assert found["lookups"] == len(rows)
        assert found["distinct_rows"] == len(rows.unique())
        assert found["touched_share"] == len(torch.cat(ever).unique()) / TABLE.rows
        top = rows.bincount().sort(descending=True).values[:10].sum()
        assert found["top10_share"] == int(top) / len(rows)


def _window(
    worker: Worker,
    steps: tuple[int, int],
    part: Part,
    checkpoint: bool,
) -> bytes:
    scores, labels, loss, rows = part
    wrappers = metrics()
    for wrapper in wrappers.values():
        wrapper.metric.update(scores, labels)
    window = Window(
        attempt=worker.attempt,
        rank=worker.rank,
        index=worker.index,
        first_step=steps[0],
        end_step=steps[1],
        samples=len(scores),
        epoch=0,
        wall_s=1.0,
        phases={},
        losses={"bce": BackgroundScalars([loss], None)},
        weights={"bce": BackgroundScalars([1.0], None)},
        metrics={name: Offload(window_states(w.metric), None) for name, w in wrappers.items()},
        layout=Layout.of_metrics(wrappers),
        checkpoint=checkpoint,
        tables=Counted(TABLE, rows),
        scalars=TakenScalars(
            {name: [loss] for name in ("level", "top", "total")},
            {"level": "mean", "top": "max", "total": "sum"},
            {},
        ),
    )
    return encode_window(window).SerializeToString()


TestRuns = Runs.TestCase
TestRuns.settings = settings(
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def test_an_evaluation_past_the_newest_state_has_its_curves_after_a_restart() -> None:
    runs = Runs()
    runs.begin(ranks=1)
    runs.train(checkpoint=True, evaluate=False)
    for _ in range(2):
        runs.train(checkpoint=True, evaluate=True)
    # The state of step 5 has both evaluations, which are past it.
    runs.send_next(runs.workers[0])
    runs.begin_attempt(10, 1)
    runs.evaluations_have_their_curves()
    runs.teardown()
