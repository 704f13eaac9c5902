"""Small configs of rank models, on the features of `tests.models.pipelines`."""

from __future__ import annotations

_ALL = '["user", "tags.all", "tag", "price", "age"]'
ALL = f'feature_groups {{ group_name: "all" group_type: DEEP feature_names: {_ALL} }}'

RANK_MODELS = {
    "mask_net": f"""{ALL} mask_net {{ mask_net_module {{ n_mask_blocks: 3
      mask_block {{ reduction_ratio: 0.7 hidden_dim: 8 }}
      top_mlp {{ hidden_units: [8, 4] }} }} }}""",
    "mask_net_serial": f"""{ALL} mask_net {{ mask_net_module {{ n_mask_blocks: 2
      mask_block {{ aggregation_dim: 5 hidden_dim: 8 }} use_parallel: false }} }}""",
}
"""The models that score rows by one network, with and without what they can do without."""
