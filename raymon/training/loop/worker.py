"""The work of one worker, with or without Ray."""

from __future__ import annotations

import copy
import logging
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

import torch

from raymon.config import evaluates_asynchronously, skips_bad_files, stopping
from raymon.embeddings import plan_lines
from raymon.errors import RunError
from raymon.log import log_to_files, set_log_context
from raymon.metrics import TrainMetricWrapper
from raymon.models import Model
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.protos.train_pb2 import OnUnfinishedSave
from raymon.recorder import Heart, Outbox, ResourceWatch
from raymon.results import CheckpointSaved
from raymon.storage import StoragePath, storage_path
from raymon.training.checkpoint.fine_tune import checkpoint_of, fine_tune
from raymon.training.checkpoint.keep_rule import CheckpointCleanup
from raymon.training.checkpoint.manifest import list_checkpoints, read_checkpoint
from raymon.training.checkpoint.restore import checkpoint_to_restore, load_model, restore
from raymon.training.checkpoint.saver import Saver
from raymon.training.checkpoint.train_state import TrainState
from raymon.training.input.datasets import Datasets
from raymon.training.input.inputs import Inputs
from raymon.training.input.readers import features_of
from raymon.training.loop.agreement import Agreement, Inbox
from raymon.training.loop.build_model import build_worker_model
from raymon.training.loop.evaluation import evaluate
from raymon.training.loop.loop import Loop
from raymon.training.loop.out_of_memory import MemoryOfRank
from raymon.training.loop.reporting_recorder import RecorderFactory, make_reporting_recorder
from raymon.training.loop.requested_trace import prepare_to_trace
from raymon.training.loop.train_step import TrainStep
from raymon.training.optim.averages import AveragedWeights
from raymon.training.optim.early_stopping import EarlyStopping
from raymon.training.optim.gradients import GradientSummaries
from raymon.training.optim.optimizers import build_optimizers
from raymon.training.optim.precision import set_tf32
from raymon.training.optim.random_state import seed_everything
from raymon.training.rank.devices import Device, check_distinct, device_lines, write_devices
from raymon.training.rank.worker_context import WorkerContext
from raymon.training.rank.worker_task import WorkerTask
from raymon.training.table_memory import check_tables_of_rank
from raymon.training.table_plans import count_parameters, plan_tables, write_plans
from raymon.wire import Ack, Channel

_log = logging.getLogger("raymon")

_PUBLISH_S = 60.0

_CLOSE_S = 30.0
"""Seconds that the last windows have to arrive, at the end of a run."""

_LEAVE_S = 1.0
"""Seconds that the last windows have to arrive if this rank of several failed."""

NO_ATTEMPT = 0
"""The attempt of a run whose reporter could not be reached; its windows are not sent."""


class ReporterLink(Channel, Protocol):
    """A connection to the reporter, which begins attempts too."""

    def begin_attempt(
        self,
        token: str,
        world_size: int,
        restored_step: int,
        metrics: Mapping[str, TrainMetricWrapper],
    ) -> int:
        """Begins an attempt; see `raymon.reporter.Reporter.begin_attempt`."""

    def channel(
        self, attempt: int, world_size: int, metrics: Mapping[str, TrainMetricWrapper]
    ) -> Channel:
        """Returns the channel for the windows of this rank in an attempt."""


def run_worker(
    task: WorkerTask,
    context: WorkerContext,
    reporter: ReporterLink,
    make_recorder: RecorderFactory | None = None,
    datasets: Datasets | None = None,
) -> None:
    """Trains, or evaluates a checkpoint, as one rank of the world.

    Args:
        task: What to do.
        context: The world of this rank.
        reporter: Connection to the reporter.
        make_recorder: Makes the recorder; None for one that reports.
        datasets: Datasets that replace files.
    """
    try:
        with _heartbeats(task, context, reporter) as heart:
            _run(
                task,
                context,
                reporter,
                make_recorder or make_reporting_recorder,
                datasets or {},
                heart,
            )
    except SystemExit as asked:
        # Called in a model, a metric or a dataset, which must not end the process.
        why = f"something in the run called sys.exit({asked.code!r})"
        raise RuntimeError(why).with_traceback(asked.__traceback__) from asked


@contextmanager
def _heartbeats(
    task: WorkerTask, context: WorkerContext, reporter: ReporterLink
) -> Iterator[Heart | None]:
    """Sends heartbeats of a rank that trains within the context."""
    if task.checkpoint is not None:
        yield None
        return
    heart = Heart(
        reporter,
        rank=context.rank,
        world_size=context.world_size,
        node_id=context.node_id,
        clock=context.clock,
        waits=context.waits,
        hang_after_s=task.config.monitor_config.hang_after_s,
    )
    try:
        yield heart
    finally:
        heart.close()


def _run(
    task: WorkerTask,
    context: WorkerContext,
    reporter: ReporterLink,
    make_recorder: RecorderFactory,
    datasets: Datasets,
    heart: Heart | None,
) -> None:
    config = task.config
    features = features_of(config)
    inputs = Inputs(config, features, datasets, context)
    set_tf32(config.train_config)
    devices = context.gather(Device.of(context.device, context.rank))
    check_distinct(devices)
    if task.checkpoint is None:
        check_tables_of_rank(config, features, context)
    torch.manual_seed(config.train_config.seed)
    memory = MemoryOfRank(config, context, trains=task.checkpoint is None)
    with memory.explained():
        model = memory.model = build_worker_model(config, features, context)
        model.init_metric()
        model.to(context.device)
        seed_everything(config.train_config.seed, context.rank)
        if task.checkpoint is None:
            _train(
                config,
                inputs,
                model,
                context,
                reporter,
                make_recorder,
                memory,
                devices,
                heart,
            )
        else:
            _evaluate(config, inputs, model, storage_path(task.checkpoint), context, reporter)


def _train(
    config: PipelineConfig,
    inputs: Inputs,
    model: Model,
    context: WorkerContext,
    reporter: ReporterLink,
    make_recorder: RecorderFactory,
    memory: MemoryOfRank,
    devices: Sequence[Device],
    heart: Heart | None,
) -> None:
    feed = inputs.feed()
    evaluation = None if evaluates_asynchronously(config) else inputs.evaluation()
    optimizers = memory.optimizers = build_optimizers(config.train_config, model)
    train_step = TrainStep(
        config.train_config,
        model,
        optimizers,
        context,
        rows_may_be_missing=skips_bad_files(config),
    )
    train, dense = config.train_config, config.train_config.dense_optimizer
    state = TrainState(
        model,
        optimizers,
        train_step.scaler,
        feed.data,
        position=feed.begin,
        stopping=EarlyStopping(stopping(config)) if train.HasField("early_stopping") else None,
        averages=AveragedWeights(dense.ema, model) if dense.HasField("ema") else None,
    )
    model_dir = storage_path(config.model_dir)
    checkpoint = checkpoint_to_restore(model_dir, context, reporter.publish_notice)
    if checkpoint is not None:
        restore(state, checkpoint, context)
    elif config.train_config.fine_tune_checkpoint:
        other = checkpoint_of(config.train_config.fine_tune_checkpoint)
        fine_tune(state, other, config.train_config)
    _register_checkpoints(model_dir, state.step, context)
    attempt = _begin_attempt(reporter, context, state.step, model.train_metrics)
    set_log_context(attempt=attempt)
    log_to_files(
        logging.INFO,
        f"Rank {context.rank} of {context.world_size} on {context.device} trains from step "
        f"{state.step}",
        event="rank",
        world_size=context.world_size,
        device=str(context.device),
        step=state.step,
    )
    channel: Channel = reporter
    if attempt != NO_ATTEMPT:
        channel = reporter.channel(attempt, context.world_size, model.train_metrics)
    inbox = Inbox(prepare_to_trace)

    def take_ack(ack: Ack) -> None:
        inbox.take(ack)
        _publish(model, ack.values)

    resources = ResourceWatch(model_dir, context.device)
    outbox = Outbox(channel, take_ack, context.device, resources.levels)
    if heart is not None and attempt != NO_ATTEMPT:
        heart.begin_attempt(channel, attempt, inbox.take)
    elif heart is not None:
        # Nobody hears the heartbeats of a run that has no reporter.
        heart.close()
    skip = config.train_config.on_unfinished_save == OnUnfinishedSave.LEAVE_OUT

    def publish_notice(text: str, level: int = logging.WARNING) -> None:
        outbox.publish(lambda channel: channel.publish_notice(text, level))

    cleanup = CheckpointCleanup(config, evaluates_asynchronously(config), publish_notice)
    plans = plan_tables(train, model, context.world_size)
    listed = [plan.to_json() for plan in plans]

    def take_checkpoint(checkpoint: CheckpointSaved) -> None:
        outbox.publish(lambda channel: channel.publish_checkpoint(checkpoint))
        cleanup.run(checkpoint.step)

    saver = Saver(model_dir, context, skip, publish_notice, take_checkpoint, listed)
    recorder = make_recorder(
        config,
        model,
        context,
        attempt,
        outbox,
        state.step,
        feed.counts,
        saver.counts.take,
    )
    if context.rank == 0 and optimizers.groups:
        publish_notice(optimizers.groups, logging.INFO)
    if context.rank == 0:
        why = write_devices(model_dir, devices)
        if why is not None:
            publish_notice(why)
        for line in device_lines(devices):
            publish_notice(line, logging.INFO)
    if context.rank == 0:
        why = write_plans(model_dir, listed, context.world_size, count_parameters(model))
        if why is not None:
            publish_notice(why)
        for line in plan_lines(plans, context.world_size):
            publish_notice(line, logging.INFO)
    _resend_unacknowledged(state, outbox)
    if attempt > 1:
        recorder.send_empty_window()
    wanted = set(config.train_config.tensorboard_summaries) - {"loss", "learning_rate"}
    if model.sharded is not None and wanted:
        # Their gradients are only summed up while rows are updated.
        wanted -= {"global_gradient_norm"}
        if context.rank == 0:
            publish_notice(
                "tensorboard_summaries: there are none of the gradients and rows of sharded "
                "tables, and so no global_gradient_norm"
            )
    summaries = None
    if config.train_config.use_tensorboard and wanted and context.rank == 0:
        summaries = GradientSummaries(wanted, model, recorder, context.device)
    loop = Loop(
        config=config,
        state=state,
        train_step=train_step,
        feed=feed,
        eval_reader=evaluation,
        recorder=recorder,
        summaries=summaries,
        outbox=outbox,
        saver=saver,
        agreement=Agreement(context, context.controller.ask_for_preemption, inbox),
        context=context,
    )
    patience_s = _CLOSE_S
    try:
        with memory.explained():
            loop.run()
        context.controller.close()
    except BaseException:
        # At once: other ranks may wait for this one until it ends.
        saver.give_up()
        if context.world_size > 1:
            # A window is complete once all ranks have sent theirs, and other ranks may have died.
            patience_s = _LEAVE_S
        raise
    finally:
        recorder.close(patience_s)
        resources.close()


def _register_checkpoints(model_dir: StoragePath, step: int, context: WorkerContext) -> None:
    # Workers may have died after writing a checkpoint and before registering it.
    found = list_checkpoints(model_dir) if context.rank == 0 and step > 0 else []
    context.controller.begin(context.broadcast([c for c in found if c.step <= step]))


def _resend_unacknowledged(state: TrainState, outbox: Outbox) -> None:
    # The workers that saved it may have died before the reporter had all of their windows.
    outbox.resend(state.windows)
    for evaluation in state.evaluations:
        outbox.publish_evaluation(evaluation)
    state.windows, state.evaluations = [], []


def _publish(model: Model, values: Mapping[str, float]) -> None:
    metrics = model.train_metrics
    for name, value in values.items():
        metrics[name].publish(value)


def _begin_attempt(
    reporter: ReporterLink,
    context: WorkerContext,
    step: int,
    metrics: Mapping[str, TrainMetricWrapper],
) -> int:
    """Begins an attempt on rank 0; returns its number, the same on every rank."""
    attempt = NO_ATTEMPT
    if context.rank == 0:
        try:
            # The reporter may run where there is no GPU.
            prototypes = {name: copy.deepcopy(metric).cpu() for name, metric in metrics.items()}
            token = uuid.uuid4().hex
            attempt = reporter.begin_attempt(token, context.world_size, step, prototypes)
        except Exception as error:  # a run continues without its reporter
            _log.warning("monitoring is off: %s: %s", type(error).__name__, error)
    return context.broadcast(attempt)


def _evaluate(
    config: PipelineConfig,
    inputs: Inputs,
    model: Model,
    path: StoragePath,
    context: WorkerContext,
    reporter: ReporterLink,
) -> None:
    checkpoint = read_checkpoint(path)
    if checkpoint is None:
        raise RunError(f"{path}: not a complete checkpoint")
    load_model(model, checkpoint, averaged=True)
    reader = inputs.evaluation()
    assert reader is not None

    def progress(done: int, total: int, seconds: float) -> None:
        if context.rank == 0:
            reporter.publish_evaluation_progress(checkpoint.step, done, total, seconds)

    evaluation = evaluate(config, model, [reader], context, progress, checkpoint.step)
    if context.rank == 0:
        reporter.publish_evaluation(evaluation).result(timeout=_PUBLISH_S)
