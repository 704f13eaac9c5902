"""Checks of sequences: their features, groups and encoders."""

from __future__ import annotations

from collections.abc import Sequence

from raymon.config.feature_block import FeatureBlock
from raymon.config.rules import Rules
from raymon.config.source import Source
from raymon.config.validate_layers import validate_layers
from raymon.protos.model_pb2 import DEEP, FeatureGroup
from raymon.protos.sequence_pb2 import SeqEncoderConfig

_OF_SEQUENCES = ("sequence_length", "sequence_delim", "sequence_fields")


def validate_sequence_features(blocks: Sequence[FeatureBlock], source: Source) -> None:
    """Warns of settings of sequences that have no effect.

    Args:
        blocks: The blocks of all features.
        source: Source of the config.
    """
    for block in blocks:
        rules, given = Rules(source, block.config, block.place), block.config
        for name in _OF_SEQUENCES:
            if block.sequence is not None and name != "sequence_fields":
                why = "the sequence_feature around it has one"
            elif block.is_sequence:
                continue
            else:
                why = f"a {block.kind} has no positions"
            # Kinds of features that are in no sequence do not have the fields.
            field = given.DESCRIPTOR.fields_by_name.get(name)
            if field is not None:
                is_set = len(getattr(given, name)) if field.is_repeated else given.HasField(name)
                rules.warn(bool(is_set), name, why)
    for place, own in {_place(b): b.sequence for b in blocks if b.sequence is not None}.items():
        why = "a server would use it; raymon reads the columns of the features"
        Rules(source, own, place).warn(own.HasField("sequence_pk"), "sequence_pk", why)


def validate_sequence_groups(
    group: FeatureGroup, rules: Rules, features: Sequence[str], halves_on_cpu: bool
) -> set[str]:
    """Checks the sequences and encoders of a group.

    Args:
        group: The group.
        rules: Rules of the group.
        features: Names of all features.
        halves_on_cpu: Whether layers have to take FP16 on the CPU.

    Returns:
        The names of the features of its sequences.

    Raises:
        ConfigError: Something is wrong; the message has the first such thing.
    """
    sequences, encoders = group.sequence_groups, group.sequence_encoders
    for name, there in (("sequence_groups", sequences), ("sequence_encoders", encoders)):
        ok = not there or group.group_type == DEEP
        rules.require(ok, name, "are of groups of type DEEP; a group of type SEQUENCE is one")
    rules.require(
        bool(sequences) or not encoders, "sequence_encoders", "have no sequence_groups to encode"
    )
    used: set[str] = set()
    names: list[str] = []
    for index, sequence in enumerate(sequences):
        place = f"sequence_groups[{index}]"
        named = sequence.HasField("group_name") or len(sequences) == 1
        rules.require(named, place, "has no group_name; one of several needs one")
        name = sequence.group_name or group.group_name
        rules.require(name not in names, f"{place}.group_name", f'"{name}" is given twice')
        names.append(name)
        rules.require(bool(sequence.feature_names), place, "has no feature_names; list features")
        for i, feature in enumerate(sequence.feature_names):
            here = f"{place}.feature_names[{i}]"
            rules.known(feature, here, features, "feature")
            rules.require(feature not in sequence.feature_names[:i], here, "is listed twice")
        used.update(sequence.feature_names)
    encoded = set()
    for index, block in enumerate(encoders):
        own = rules.inner_item("sequence_encoders", index)
        encoded.add(_validate_encoder(block, own, names, halves_on_cpu))
    for index, name in enumerate(names):
        rules.require(name in encoded, f"sequence_groups[{index}]", "has no sequence_encoders")
    return used


def _validate_encoder(
    block: SeqEncoderConfig, rules: Rules, names: Sequence[str], halves_on_cpu: bool
) -> str:
    """Checks an encoder, and returns the name of its sequence."""
    kind = block.WhichOneof("seq_module")
    known = [field.name for field in block.DESCRIPTOR.fields]
    rules.require(kind is not None, "", f"has no encoder; give one of {', '.join(known)}")
    encoder, own = getattr(block, str(kind)), rules.inner(str(kind))
    own.warn(encoder.HasField("name"), "name", "nothing asks for it")
    given = encoder.HasField("input")
    own.require(given or len(names) == 1, "", f"has no input; give one of {', '.join(names)}")
    name = str(encoder.input) if given else names[0]
    own.known(name, "input", names, "sequence group")
    validate_layers(encoder, own, halves_on_cpu)
    if kind == "pooling_encoder":
        own.one_of("pooling_type", ("mean", "sum"))
    elif kind == "multi_window_din_encoder":
        own.require(bool(encoder.windows_len), "windows_len", "is empty; give sizes of windows")
    elif kind == "self_attention_encoder":
        own.within("dropout", 0, 1)
        dim, heads = encoder.multihead_attn_dim, encoder.num_heads
        wrong = f"is {dim}, which {heads} heads cannot share; give a multiple of num_heads"
        own.require(dim % max(heads, 1) == 0, "multihead_attn_dim", wrong)
    return name


def _place(block: FeatureBlock) -> str:
    return block.place.partition(".features[")[0]
