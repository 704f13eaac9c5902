"""A valid pipeline config, which tests make invalid."""

from __future__ import annotations

from pathlib import Path

TEXT = """\
train_input_path: "in"
eval_input_path: "eval"
model_dir: "out"
train_config {
  dense_optimizer {
    adam_optimizer { lr: 0.001 }
  }
  num_steps: 10
}
data_config {
  fg_mode: FG_DAG
  label_fields: "y"
}
feature_configs {
  id_feature { feature_name: "user" expression: "user:u" num_buckets: 9 embedding_dim: 4 }
}
feature_configs {
  raw_feature { feature_name: "age" expression: "user:a" }
}
model_config {
  feature_groups { group_name: "dense" feature_names: "age" group_type: DEEP }
  feature_groups { group_name: "sparse" feature_names: "user" group_type: DEEP }
  dlrm {
    dense_mlp { hidden_units: [8, 4] }
    final { hidden_units: 8 }
  }
  losses { binary_cross_entropy {} }
  metrics { auc {} }
}
"""


def write(folder: Path, text: str = TEXT) -> str:
    path = folder / "run.config"
    path.write_text(text)
    return str(path)


def line_of(fragment: str, text: str = TEXT) -> int:
    """Returns the line, from 1, that a fragment is on."""
    return text[: text.index(fragment)].count("\n") + 1
