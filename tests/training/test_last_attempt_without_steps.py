"""Windows of earlier attempts are counted even if the last one makes no step; without Ray."""

from __future__ import annotations

import json
from concurrent.futures import Future
from pathlib import Path

import torch
from google.protobuf import text_format

from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.reporter import InProcessReporter, Reporter
from raymon.sinks.json_lines.json_lines import WindowLines
from raymon.training.checkpoint.manifest import list_checkpoints
from raymon.training.loop.reporting_recorder import make_reporting_recorder
from raymon.training.loop.worker import run_worker
from raymon.training.rank.worker_context import WorkerContext
from raymon.training.rank.worker_task import WorkerTask
from raymon.wire import Ack
from tests.training.rank_process import RankRun

STEPS, A_LINE = 20, 5


class DyingLink(InProcessReporter):
    """A connection that loses reports until the last checkpoint is written.

    Then its worker may end, as if it were killed.
    """

    def __init__(self, reporter: Reporter, run: Path) -> None:
        super().__init__(reporter)
        self._run = run

    def channel(self, *_: object) -> DyingLink:
        return self

    def report(self, message: bytes) -> Future[Ack]:
        future: Future[Ack] = Future()
        if any(checkpoint.step == STEPS for checkpoint in list_checkpoints(self._run)):
            future.set_result(Ack("dying", 3, durable={3: 1000}))
        else:
            future.set_exception(ConnectionError("no reporter"))
        return future

    def acknowledged(self) -> Future[Ack]:
        return self.report(b"")


def train(config: PipelineConfig, link: InProcessReporter) -> None:
    context = WorkerContext(0, 1, torch.device("cpu"), RankRun())
    run_worker(WorkerTask(config.SerializeToString()), context, link, make_reporting_recorder)


def test_an_attempt_without_a_step_lets_those_before_it_end(config_file: Path) -> None:
    config = text_format.Parse(config_file.read_text(), PipelineConfig())
    config.train_config.ClearField("num_epochs")
    config.train_config.num_steps = STEPS
    config.train_config.log_step_count_steps = A_LINE
    config.data_config.num_workers = 0
    run = Path(config.model_dir)
    run.mkdir()
    reporter = Reporter(run, [WindowLines(run)], A_LINE, late_after_s=60.0)
    # Two attempts whose workers die before any report arrives.
    for token in ("first", "second"):
        reporter.begin_attempt(token, 1, 0, {})
    train(config, DyingLink(reporter, run))
    assert not (run / "monitor" / "windows.jsonl").exists()
    train(config, InProcessReporter(reporter))
    lines = (run / "monitor" / "windows.jsonl").read_text().splitlines()
    assert [json.loads(line)["global_step"] for line in lines] == [5, 10, 15, 20]
    status = reporter.status()
    assert status.run.samples == STEPS * config.data_config.batch_size
    # Windows of four log lines and a checkpoint.
    assert (status.run.monitoring.windows, status.run.monitoring.windows_lost) == (5, 0)
