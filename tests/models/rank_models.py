"""Small configs of rank models, on the features of `tests.models.pipelines`."""

from __future__ import annotations

_ALL = '["user", "tags.all", "tag", "price", "age"]'
ALL = f'feature_groups {{ group_name: "all" group_type: DEEP feature_names: {_ALL} }}'

_WIDE = 'feature_groups { group_name: "wide" group_type: WIDE feature_names: ["user", "tag"] }'
_DEEP = ALL.replace('"all"', '"deep"')
_SPARSE = """feature_groups { group_name: "sparse" group_type: DEEP
  feature_names: ["user", "tags.all", "tag"] }"""
_DENSE = 'feature_groups { group_name: "dense" group_type: DEEP feature_names: ["price", "age"] }'
_SMOOTH = 'hidden_units: 8 activation: "nn.Tanh"'
# Smooth: next to gradients as small as those of a normalization of 4 numbers, that of a ReLU that
# falls on its other side in half precision is large.
_WUKONG = """wukong_layers { lcb_feature_num: 3 fmb_feature_num: 2 compressed_feature_num: 2
  feature_num_mlp { hidden_units: 8 activation: "nn.Tanh" } }
  final { hidden_units: 8 activation: "nn.Tanh" }"""

RANK_MODELS = {
    "wide_and_deep": f"{_WIDE} {_DEEP} wide_and_deep {{ deep {{ hidden_units: [8, 4] }} }}",
    "wide_and_deep_with_final": f"""{_WIDE} {_DEEP} wide_and_deep {{ deep {{ hidden_units: 8 }}
      final {{ hidden_units: 8 }} wide_embedding_dim: 2 }}""",
    "dcn_v1": f"""{ALL} dcn_v1 {{ cross {{ cross_num: 2 }} deep {{ hidden_units: [8, 4] }}
      final {{ hidden_units: 8 }} }}""",
    "dcn_v2": f"""{ALL} dcn_v2 {{ cross {{ cross_num: 2 low_rank: 3 }}
      final {{ hidden_units: 8 }} }}""",
    "dcn_v2_with_all": f"""{ALL} dcn_v2 {{ backbone {{ hidden_units: 6 }}
      cross {{ cross_num: 2 low_rank: 3 }} deep {{ hidden_units: 8 }}
      final {{ hidden_units: 8 }} }}""",
    "dcn_v2_with_dropout": f"""{ALL} variational_dropout {{}} dcn_v2 {{
      cross {{ cross_num: 1 low_rank: 3 }} final {{ hidden_units: 8 activation: "nn.Tanh" }} }}""",
    "xdeepfm": f"""{_WIDE} {_DEEP} xdeepfm {{ cin {{ cin_layer_size: [5, 3] }}
      deep {{ hidden_units: [8, 4] }} final {{ hidden_units: 8 }} wide_embedding_dim: 3 }}""",
    "wukong": f"""{_SPARSE} {_DENSE} wukong {{ dense_mlp {{ hidden_units: [8, 4] }}
      {_WUKONG} }}""",
    "wukong_of_one_group": f"{_SPARSE.replace('sparse', 'any')} wukong {{ {_WUKONG} }}",
    "rocket_launching": f"""{ALL} rocket_launching {{ share_mlp {{ hidden_units: 8 }}
      booster_mlp {{ hidden_units: [8, 8, 4] }} light_mlp {{ hidden_units: [8, 4] }}
      feature_based_distillation: true }}""",
    "rocket_launching_of_two": f"""{ALL} rocket_launching {{ booster_mlp {{ hidden_units: [8, 4] }}
      light_mlp {{ hidden_units: 4 }} }}""",
    "multi_tower": f"""{ALL} multi_tower {{
      towers {{ input: "all" mlp {{ {_SMOOTH} }} }} final {{ {_SMOOTH} }} }}""",
    "multi_tower_din": f"""{ALL} multi_tower_din {{
      towers {{ input: "all" mlp {{ {_SMOOTH} }} }} final {{ {_SMOOTH} }} }}""",
    "mask_net": f"""{ALL} mask_net {{ mask_net_module {{ n_mask_blocks: 3
      mask_block {{ reduction_ratio: 0.7 hidden_dim: 8 }}
      top_mlp {{ hidden_units: [8, 4] }} }} }}""",
    "mask_net_serial": f"""{ALL} mask_net {{ mask_net_module {{ n_mask_blocks: 2
      mask_block {{ aggregation_dim: 5 hidden_dim: 8 }} use_parallel: false }} }}""",
}
"""The models that score rows by one network, with and without what they can do without."""
