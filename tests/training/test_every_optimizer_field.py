"""Every field of every optimizer and schedule changes what is trained, or the rate of some step."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from google.protobuf import text_format

from raymon.protos.optimizer_pb2 import DenseOptimizer, SparseOptimizer
from raymon.protos.train_pb2 import TrainConfig
from raymon.training.optim.optimizers import build_optimizers
from raymon.training.optim.schedules import build_schedule
from tests.models.pipelines import batch_of, model_of, pipeline

# Other settings that a field needs to have an effect; without them there is a warning.
BESIDE = {
    "gradient_clipping": "max_gradient: 1e-4",
    "max_gradient": "gradient_clipping: true",
    "SparseRowWiseAdagradOptimizer.weight_decay": "weight_decay_mode: L2",
    "weight_decay_mode": "weight_decay: 0.1",
    "warmup_learning_rate": "warmup_size: 9",
    "schedule_sizes": "learning_rates: 0.5",
    "learning_rates": "schedule_sizes: 10",
    "warmup": "schedule_sizes: 10 learning_rates: 0.5",
    "ManualStepLR.by_epoch": "schedule_sizes: 10 learning_rates: 0.5",
}
OTHER = {
    "max_gradient": "1e-4", "eps": "1e-3", "weight_decay_mode": "L2", "T_mult": "2",
    "min_learning_rate": "0.09", "warmup_size": "9",
}  # fmt: skip
REQUIRED = {
    "ExponentialDecayLR": "decay_size: 5", "CosineAnnealingLR": "T_max: 9",
    "CosineAnnealingWarmRestartsLR": "T_0: 9",
}  # fmt: skip


def fields_of(block: Any, oneof: str) -> list[tuple[str, str, str]]:
    """Yields, for every kind, its name in the block, that of its message, and that of a field."""
    return [
        (kind.name, kind.message_type.name, field.name)
        for kind in block.DESCRIPTOR.oneofs_by_name[oneof].fields
        for field in kind.message_type.fields
        if kind.name != "constant_learning_rate"
    ]


def texts(kind: str, message: str, field: str, default: Any) -> tuple[str, str]:
    """Returns the block without the field, and with another value of it."""
    beside = BESIDE.get(f"{message}.{field}", BESIDE.get(field, ""))
    required = "" if field in REQUIRED.get(message, "") else REQUIRED.get(message, "")
    if isinstance(default, bool):
        other = str(not default).lower()
    else:
        other = OTHER.get(field, "7" if isinstance(default, int) else str(default * 0.5 + 0.01))
    block = f"{kind} {{ {required} {beside} %s }}"
    first = REQUIRED[message] if field in REQUIRED.get(message, "") else ""
    return block % first, block % f"{field}: {other}"


def weights_after(text: str) -> torch.Tensor:
    """Returns all weights after three steps."""
    dense = "" if "dense_optimizer" in text else "dense_optimizer { adam_optimizer {} }"
    model = model_of(pipeline())
    optimizers = build_optimizers(text_format.Parse(f"{text} {dense}", TrainConfig()), model)
    for seed in range(3):
        batch = batch_of(16, seed)
        model.loss(model(batch), batch)["binary_cross_entropy"].backward()
        optimizers.step()
        optimizers.zero_grad()
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


OPTIMIZERS = [
    (block, *each)
    for block, message in (("sparse", SparseOptimizer), ("dense", DenseOptimizer))
    for each in fields_of(message, "optimizer")
]


@pytest.mark.parametrize(("block", "kind", "message", "field"), OPTIMIZERS)
def test_a_field_of_an_optimizer_changes_what_is_trained(
    block: str, kind: str, message: str, field: str
) -> None:
    config = getattr(getattr(TrainConfig(), f"{block}_optimizer"), kind)
    one, other = texts(kind, message, field, getattr(config, field))
    first, second = (weights_after(f"{block}_optimizer {{ {text} }}") for text in (one, other))
    assert torch.isfinite(second).all()
    assert not torch.equal(first, second)


def rates(text: str) -> list[float]:
    """Returns the rates of 40 steps of 8 epochs."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    schedule = build_schedule(text_format.Parse(text, DenseOptimizer()), optimizer)
    seen = []
    for step in range(40):
        seen.append(schedule.learning_rate)
        schedule.step()
        if step % 5 == 4:
            schedule.end_epoch()
    return seen


@pytest.mark.parametrize(("kind", "message", "field"), fields_of(DenseOptimizer, "learning_rate"))
def test_a_field_of_a_schedule_changes_rates(kind: str, message: str, field: str) -> None:
    config = getattr(DenseOptimizer(), kind)
    default = getattr(config, field)
    if field in ("schedule_sizes", "learning_rates"):
        base = f"{kind} {{ schedule_sizes: 10 learning_rates: 0.5 }}"
        others = {"schedule_sizes": "schedule_sizes: 12 learning_rates: 0.5"}
        chosen = others.get(field, "schedule_sizes: 10 learning_rates: 0.7")
        one, other = base, f"{kind} {{ {chosen} }}"
    else:
        one, other = texts(kind, message, field, default)
    assert rates(one) != rates(other)
