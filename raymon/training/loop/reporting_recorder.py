"""The recorder of a rank that trains, which sends windows to the reporter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from raymon.data import InputCounts
from raymon.embeddings import EmbeddingCollection
from raymon.models import Model
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.recorder import Outbox, Recorder, TableLookups
from raymon.results import OPTIMIZER
from raymon.training.rank.worker_context import WorkerContext


class RecorderFactory(Protocol):
    """Makes the recorder of a rank."""

    def __call__(
        self,
        config: PipelineConfig,
        model: Model,
        context: WorkerContext,
        attempt: int,
        outbox: Outbox,
        step: int,
        input_counts: InputCounts,
        take_save_counts: Callable[[], Mapping[str, int]],
    ) -> Recorder:
        """Makes the recorder of an attempt that continues after `step` steps."""


def make_reporting_recorder(
    config: PipelineConfig,
    model: Model,
    context: WorkerContext,
    attempt: int,
    outbox: Outbox,
    step: int,
    input_counts: InputCounts,
    take_save_counts: Callable[[], Mapping[str, int]],
) -> Recorder:
    """Makes the recorder that sends windows to the reporter."""
    return Recorder(
        attempt=attempt,
        rank=context.rank,
        metrics=model.train_metrics,
        update_train_metric=model.update_train_metric,
        log_step_count_steps=config.train_config.log_step_count_steps,
        outbox=outbox,
        device=context.device,
        first_step=step,
        take_input_counts=input_counts.take,
        take_input_seconds=input_counts.seconds.take,
        take_save_counts=take_save_counts,
        clock=context.clock,
        tables=_table_lookups(config, model, context.rank),
        # What a step leaves behind is set free then, which monitoring has no part in.
        after_step=OPTIMIZER,
    )


def _table_lookups(config: PipelineConfig, model: Model, rank: int) -> TableLookups | None:
    collections = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, EmbeddingCollection)
    }
    if not config.monitor_config.table_health or not collections:
        return None
    tables: dict[str, bool] = {}
    for feature in model.features:
        if feature.embedding is not None:
            name = feature.embedding.name
            tables[name] = tables.get(name, True) and feature.is_hashed
    return TableLookups(collections, {name for name, hashed in tables.items() if hashed}, rank)
