"""Checks of the layers that a model's settings describe: MLPs, and sizes, wherever they are."""

from __future__ import annotations

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from raymon.config.rules import Rules
from raymon.protos import layers_pb2

MAY_BE_ZERO = frozenset(
    {
        "DAT.output_dim",
        "DSSM.output_dim",
        "MIND.output_dim",
        "DINEncoder.max_seq_length",
        "PoolingEncoder.max_seq_length",
        "SelfAttentionEncoder.max_seq_length",
        "SimpleAttention.max_seq_length",
    }
)
"""Sizes of which 0 means something, as "Message.field"."""


def validate_layers(block: Message, rules: Rules, halves_on_cpu: bool) -> None:
    """Checks the MLPs and the sizes in a block, and in the blocks inside it.

    Args:
        block: The block.
        rules: Rules of the block.
        halves_on_cpu: Whether the layers have to take FP16 on the CPU.

    Raises:
        ConfigError: An MLP cannot be made, or a size is 0.
    """
    if isinstance(block, layers_pb2.MLP):
        _validate_mlp(block, rules, halves_on_cpu)
        return
    for field, value in block.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            continue
        items = list(enumerate(value)) if field.is_repeated else [(None, value)]
        for index, item in items:
            if isinstance(item, Message):
                named = index is None
                own = rules.inner(field.name) if named else rules.inner_item(field.name, index or 0)
                validate_layers(item, own, halves_on_cpu)
            elif field.type == FieldDescriptor.TYPE_UINT32:
                place = field.name if index is None else f"{field.name}[{index}]"
                may_be_zero = f"{block.DESCRIPTOR.name}.{field.name}" in MAY_BE_ZERO
                rules.require(item > 0 or may_be_zero, place, "is 0; must be at least 1")


def _validate_mlp(config: layers_pb2.MLP, rules: Rules, halves_on_cpu: bool) -> None:
    rules.require(bool(config.hidden_units), "", "has no hidden_units; list the sizes of layers")
    for index, units in enumerate(config.hidden_units):
        rules.require(units > 0, f"hidden_units[{index}]", "is 0; must be at least 1")
    # Imported only where a model is checked: torch takes a second to import, and whoever only looks
    # at runs does without it.
    from raymon.config.activations import is_activation, takes_halves

    layers, ratios = len(config.hidden_units), len(config.dropout_ratio)
    rules.require(
        ratios in (0, 1, layers),
        "dropout_ratio",
        f"has {ratios} entries for {layers} layers; give one for all layers, or one for each",
    )
    for index, ratio in enumerate(config.dropout_ratio):
        place = f"dropout_ratio[{index}]"
        rules.require(0 <= ratio < 1, place, f"is {ratio:g}; must be in [0, 1)")
    rules.require(
        is_activation(config.activation),
        "activation",
        f'"{config.activation}" is no activation of torch that takes numbers one by one; give a '
        'class as "nn.ReLU" or "nn.LeakyReLU(negative_slope=0.1)", or "Dice"',
    )
    rules.require(
        not halves_on_cpu or takes_halves(config.activation),
        "activation",
        f'"{config.activation}" takes no FP16 on the CPU; give another, or train in BF16',
    )
