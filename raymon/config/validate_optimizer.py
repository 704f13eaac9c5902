"""Checks of optimizer blocks: the optimizer and its schedule."""

from __future__ import annotations

import itertools
import re

from raymon.config.rules import Rules
from raymon.protos import optimizer_pb2 as pb
from raymon.protos.optimizer_pb2 import DenseOptimizer, ManualStepLR, PartOptimizer, SparseOptimizer

_Block = DenseOptimizer | PartOptimizer | SparseOptimizer


_AT_LEAST_0 = (
    "lr", "weight_decay", "initial_accumulator_value", "eps", "dampening", "ftrl_beta", "l1_reg",
    "l2_reg",
)  # fmt: skip


def validate_optimizer(block: _Block, rules: Rules) -> None:
    """Checks an optimizer block.

    Raises:
        ConfigError: There is no optimizer, or a number is not possible.
    """
    kind = block.WhichOneof("optimizer")
    names = [field.name for field in block.DESCRIPTOR.oneofs_by_name["optimizer"].fields]
    rules.require(kind is not None, "", f"has no optimizer; give one of {', '.join(names)}")
    optimizer = rules.inner(str(kind))
    fields = getattr(block, str(kind)).DESCRIPTOR.fields_by_name
    rate = getattr(block, str(kind)).lr
    zero = "above 0, or 0 where parameters stay as they are"
    optimizer.require(rate >= 0, "lr", f"is {rate}; must be {zero}")
    for name in _AT_LEAST_0:
        if name in fields:
            optimizer.at_least(0, name)
    if "learning_rate_power" in fields:
        power = getattr(block, str(kind)).learning_rate_power
        optimizer.require(
            -1 <= power <= 0, "learning_rate_power", f"is {power:g}; must be in [-1, 0]"
        )
    for name in ("momentum", "beta1", "beta2", "alpha", "rho"):
        if name in fields:
            optimizer.within(name, 0, 1)
    if isinstance(block, SparseOptimizer):
        _validate_sparse(block, optimizer)
    else:
        _validate_sgd(block.sgd_optimizer, optimizer)
    if isinstance(block, DenseOptimizer):
        _validate_parts(block, rules)
        rules.inner("ema").within("decay", 0, 1)
    _validate_schedule(block, rules)


def _validate_sparse(block: SparseOptimizer, rules: Rules) -> None:
    optimizer = getattr(block, str(block.WhichOneof("optimizer")))
    rules.positive("max_gradient")
    useless = optimizer.HasField("max_gradient") and not optimizer.gradient_clipping
    rules.warn(useless, "max_gradient", "gradient_clipping is false")
    rowwise = block.rowwise_adagrad_optimizer
    useless = rowwise.HasField("weight_decay") and rowwise.weight_decay_mode == pb.NONE
    rules.warn(useless, "weight_decay", "weight_decay_mode is NONE")


def _validate_sgd(sgd: pb.SGDOptimizer, rules: Rules) -> None:
    rules.require(
        not sgd.nesterov or (sgd.momentum > 0 and sgd.dampening == 0),
        "nesterov",
        "needs a momentum above 0, and no dampening",
    )
    useless = sgd.HasField("dampening") and sgd.momentum == 0
    rules.warn(useless, "dampening", "momentum is 0")


def _validate_parts(block: DenseOptimizer, rules: Rules) -> None:
    for index, part in enumerate(block.part_optimizers):
        inner = rules.inner_item("part_optimizers", index)
        try:
            re.compile(part.regex_pattern)
        except re.error as error:
            inner.require(False, "regex_pattern", f"is no regular expression: {error}")
        validate_optimizer(part, inner)


def _validate_schedule(block: _Block, rules: Rules) -> None:
    kind = block.WhichOneof("learning_rate")
    if kind is None:
        return
    schedule = rules.inner(kind)
    if kind == "constant_learning_rate":
        useless = block.constant_learning_rate.HasField("by_epoch")
        schedule.warn(useless, "by_epoch", "a constant rate is the same by step and by epoch")
        return
    if kind == "manual_step_learning_rate":
        _validate_manual_step(block.manual_step_learning_rate, schedule)
        return
    schedule.at_least(0, "warmup_learning_rate", "min_learning_rate")
    config = getattr(block, kind)
    useless = config.HasField("warmup_learning_rate") and config.warmup_size == 0
    schedule.warn(useless, "warmup_learning_rate", "warmup_size is 0")
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
