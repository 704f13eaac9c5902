"""What a config says of its sampler, whichever of the four it is."""

from __future__ import annotations

from dataclasses import dataclass

from raymon.protos.data_pb2 import DataConfig


@dataclass(frozen=True)
class SamplerSpec:
    """A sampler of negatives.

    Attributes:
        place: Path of its block in the config, for messages.
        item_path: Files of the table of items.
        item_path_field: Name of the field that says so.
        item_id: Column of the data with the id of the item.
        attributes: Columns of the data that the attributes of an item stand for.
        attr_delimiter: What is between the attributes in one string.
        field_delimiter: In text, what is between the columns.
        negatives: Negatives of a batch.
        user_id: Column of the data with the id of the user; None if no edges are read.
        positive_path: Files of the table of positive edges; None if there is none.
        hard_path: Files of the table of hard edges; None if there is none.
        hard_negatives: Most hard negatives of a row; 0 for all of its edges.
    """

    place: str
    item_path: str
    item_path_field: str
    item_id: str
    attributes: tuple[str, ...]
    attr_delimiter: str
    field_delimiter: str
    negatives: int
    user_id: str | None = None
    positive_path: str | None = None
    hard_path: str | None = None
    hard_negatives: int = 0

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns of the data that the sampler needs."""
        return (self.item_id,) if self.user_id is None else (self.item_id, self.user_id)


def sampler_spec(data: DataConfig, *, evaluation: bool = False) -> SamplerSpec | None:
    """Returns the sampler of a config; None if it has none.

    Args:
        data: The data_config.
        evaluation: Whether it draws for an evaluation.
    """
    kind = data.WhichOneof("sampler")
    if kind is None:
        return None
    block = getattr(data, kind)
    names = block.DESCRIPTOR.fields_by_name
    item_field = "input_path" if "input_path" in names else "item_input_path"
    negatives = block.num_eval_sample if evaluation else 0
    return SamplerSpec(
        place=f"data_config.{kind}",
        item_path=getattr(block, item_field),
        item_path_field=item_field,
        item_id=block.item_id_field,
        attributes=tuple(block.attr_fields),
        attr_delimiter=block.attr_delimiter,
        field_delimiter=block.field_delimiter,
        negatives=negatives or block.num_sample,
        user_id=block.user_id_field if "user_id_field" in names else None,
        positive_path=block.pos_edge_input_path if "pos_edge_input_path" in names else None,
        hard_path=block.hard_neg_edge_input_path if "hard_neg_edge_input_path" in names else None,
        hard_negatives=block.num_hard_sample if "num_hard_sample" in names else 0,
    )
