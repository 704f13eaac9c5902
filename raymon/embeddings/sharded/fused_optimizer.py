"""The fused optimizer of fbgemm that a config block names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fbgemm_gpu.split_embedding_configs import EmbOptimType
from fbgemm_gpu.split_table_batched_embeddings_ops_training import WeightDecayMode

from raymon.protos import optimizer_pb2 as pb

_EPS = 1e-8
"""That of the replicated engine."""

_MODES = {
    pb.NONE: WeightDecayMode.NONE,
    pb.L2: WeightDecayMode.L2,
    pb.DECOUPLE: WeightDecayMode.DECOUPLE,
}


@dataclass(frozen=True)
class FusedOptimizer:
    """How tables are trained.

    Attributes:
        arguments: Arguments of fbgemm's kernel, without the learning rate of a step.
        states: Names of the states of a row, in the order of the kernel.
        row_wise: Those of them that are one number per row.
        initial: Initial value of the states.
    """

    arguments: dict[str, Any]
    states: tuple[str, ...]
    row_wise: tuple[str, ...] = ()
    initial: float = 0.0


def fused_optimizer(block: pb.SparseOptimizer) -> FusedOptimizer:
    """Returns the fused optimizer of a config block, whose names of states are those of raymon."""
    kind = str(block.WhichOneof("optimizer"))
    one = getattr(block, kind)
    arguments: dict[str, Any] = {"learning_rate": one.lr, "eps": _EPS}
    if kind == "sgd_optimizer":
        return FusedOptimizer({**arguments, "optimizer": EmbOptimType.EXACT_SGD}, ())
    if kind == "adagrad_optimizer":
        arguments["optimizer"] = EmbOptimType.EXACT_ADAGRAD
        return FusedOptimizer(arguments, ("sum",), initial=one.initial_accumulator_value)
    if kind == "rowwise_adagrad_optimizer":
        arguments["optimizer"] = EmbOptimType.EXACT_ROWWISE_ADAGRAD
        arguments["weight_decay"] = one.weight_decay
        arguments["weight_decay_mode"] = _MODES[one.weight_decay_mode]
        return FusedOptimizer(arguments, ("sum",), ("sum",))
    arguments |= {"beta1": one.beta1, "beta2": one.beta2, "weight_decay": one.weight_decay}
    adam = kind == "adam_optimizer"
    arguments["optimizer"] = EmbOptimType.ADAM if adam else EmbOptimType.PARTIAL_ROWWISE_ADAM
    return FusedOptimizer(arguments, ("exp_avg", "exp_avg_sq"), () if adam else ("exp_avg_sq",))
