"""Gathers the facts that this machine knows: itself, and the run of a config."""

from __future__ import annotations

import socket
from dataclasses import replace

from raymon.data import Feature
from raymon.embeddings import shards_tables
from raymon.errors import UserError
from raymon.protos.data_pb2 import DatasetType
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.training.doctor.facts import Facts, ModelFacts
from raymon.training.doctor.probes.data import data_facts
from raymon.training.doctor.probes.node import node_facts
from raymon.training.prepare import build_meta_model, plan_run, with_absolute_paths
from raymon.training.table_memory import tables_of

_DASHBOARD_PORT = 8265


def facts_of_machine(config: PipelineConfig | None) -> Facts:
    """Returns the facts of this machine alone, without storage and data.

    Args:
        config: Config of a run; None for none.
    """
    starts_ray = config is None or config.ray_config.num_workers > 0
    taken = {"Ray's dashboard": _DASHBOARD_PORT} if starts_ray and _is_taken() else {}
    return Facts([node_facts()], taken_ports=taken)


def facts_of_run(facts: Facts, config: PipelineConfig) -> Facts:
    """Returns facts with those of the run of a config: its model, its data, what refuses it.

    Args:
        facts: Facts of machines.
        config: Config that was checked.
    """
    facts = _with_config(facts, with_absolute_paths(config))
    try:
        plan = plan_run(config, {}, is_checked=True)
    except UserError as error:
        return with_refusal(facts, error)
    kept = config.train_config.keep_checkpoint_max
    if kept == 0 and plan.total_steps is not None:
        kept = plan.total_steps // max(1, config.train_config.save_checkpoints_steps)
    facts = replace(
        facts, model=model_facts(plan.config, plan.features), keeps_checkpoints=max(1, kept)
    )
    try:
        return replace(facts, data=data_facts(plan.config, plan.features))
    except UserError as error:
        return with_refusal(facts, error)


def with_refusal(facts: Facts, error: UserError) -> Facts:
    """Returns facts with an error that `raymon train` would end with."""
    # The last part of its line says what would be right.
    text, _, remedy = str(error).rpartition("; ")
    found = (text, remedy) if text else (remedy, "correct what the line names")
    return replace(facts, refusals=[*facts.refusals, found])


def model_facts(config: PipelineConfig, features: list[Feature]) -> ModelFacts:
    """Returns the sizes of the model of a config, without memory for it."""
    workers = max(1, config.ray_config.num_workers)
    model = build_meta_model(config, features)
    tables = tables_of(config, features, workers)
    of_tables = {shape.table for shape in tables.shapes}
    dense = sum(
        parameter.numel() * parameter.element_size()
        for name, parameter in model.named_parameters()
        if name.rpartition(".")[0] not in of_tables
    )
    kept = sum(table.rows + table.states + table.ids for table in tables.memory())
    if tables.sharded:
        kept *= workers
    # Optimizers keep two numbers for each parameter at most.
    return ModelFacts(kept + 3 * dense, dense)


def _with_config(facts: Facts, config: PipelineConfig) -> Facts:
    workers = config.ray_config.num_workers
    device = "cuda" if config.ray_config.use_gpu else "cpu"
    return replace(
        facts,
        workers=workers,
        use_gpu=config.ray_config.use_gpu,
        reads_by_ray=config.data_config.dataset_type == DatasetType.RayDataset,
        is_sharded=shards_tables(config.train_config, workers, device),
    )


def _is_taken() -> bool:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", _DASHBOARD_PORT))
        except OSError:
            return True
    return False
