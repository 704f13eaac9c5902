"""Checks of an optimizer block: the optimizer and its schedule."""

from __future__ import annotations

import itertools

from raymon.config.rules import Rules
from raymon.protos.optimizer_pb2 import DenseOptimizer, ManualStepLR, SparseOptimizer


def validate_optimizer(block: DenseOptimizer | SparseOptimizer, rules: Rules) -> None:
    """Checks a block.

    Raises:
        ConfigError: there is no optimizer, or a number cannot be.
    """
    kind = block.WhichOneof("optimizer")
    names = [field.name for field in block.DESCRIPTOR.oneofs_by_name["optimizer"].fields]
    rules.require(kind is not None, "", f"has no optimizer; give one of {', '.join(names)}")
    optimizer = rules.inner(str(kind))
    fields = getattr(block, str(kind)).DESCRIPTOR.fields_by_name
    optimizer.positive("lr")
    optimizer.at_least(0, "lr", "weight_decay")
    if "momentum" in fields:
        optimizer.within("momentum", 0, 1)
    if "initial_accumulator_value" in fields:
        optimizer.at_least(0, "initial_accumulator_value")
    if "beta1" in fields:
        optimizer.within("beta1", 0, 1)
        optimizer.within("beta2", 0, 1)
    if "eps" in fields:
        optimizer.at_least(0, "eps")
    if isinstance(block, DenseOptimizer):
        rules.inner("ema").within("decay", 0, 1)
    _validate_schedule(block, rules)


def _validate_schedule(block: DenseOptimizer | SparseOptimizer, rules: Rules) -> None:
    kind = block.WhichOneof("learning_rate")
    if kind is None or kind == "constant_learning_rate":
        return
    schedule = rules.inner(kind)
    if kind == "manual_step_learning_rate":
        _validate_manual_step(block.manual_step_learning_rate, schedule)
        return
    schedule.at_least(0, "warmup_learning_rate", "min_learning_rate")
    if kind == "exponential_decay_learning_rate":
        schedule.positive("decay_size", "decay_factor")
    elif kind == "cosine_annealing_learning_rate":
        schedule.positive("T_max")
    else:
        schedule.positive("T_0", "T_mult")


def _validate_manual_step(config: ManualStepLR, rules: Rules) -> None:
    sizes, rates = list(config.schedule_sizes), list(config.learning_rates)
    rules.require(bool(sizes), "", "has no schedule_sizes; list where the rate changes")
    rules.require(
        len(sizes) == len(rates),
        "learning_rates",
        f"has {len(rates)} entries for {len(sizes)} schedule_sizes; give one for each",
    )
    rising = all(low < high for low, high in itertools.pairwise([0, *sizes]))
    rules.require(rising, "schedule_sizes", "must be above 0 and rising")
    for index, rate in enumerate(rates):
        rules.require(rate >= 0, f"learning_rates[{index}]", f"is {rate:g}; must be at least 0")
