"""An export of tables that grow has the row of each id, and predicts from raw values."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from safetensors.torch import load_file

from raymon.data.values.hashing import hash_strings
from raymon.serving import predict
from raymon.storage import storage_path
from raymon.training.export import export_run
from tests.checkpoints import saved_model
from tests.training.test_run_in_process import run

ZCH = "embedding_dim: 8 zch { zch_size: 60 distance_lfu {} eviction_interval: 2 }"
OVERRIDES = [
    f"feature_configs[0]={{id_feature {{feature_name: 'user' expression: 'user:user_id' {ZCH}}}}}",
    f"feature_configs[1]={{id_feature {{feature_name: 'item' expression: 'item:item_id' {ZCH}}}}}",
    "export_config.quantize_tables=FP16",
]


def test_an_export_has_the_rows_of_its_ids_and_takes_others_too(
    config_file: Path, tmp_path: Path
) -> None:
    directory, _ = run(config_file, "growing", *OVERRIDES)
    model = tmp_path / "model"
    export_run(storage_path(directory), storage_path(model))
    card = json.loads((model / "card.json").read_text())
    ids = {table["name"]: table["ids"] for table in card["tables"]}
    assert ids["embeddings.tables.t_user"] == 59
    assert ids["embeddings.tables.t_interests"] is None
    weights = load_file(model / "weights.safetensors")
    saved = saved_model(directory / "model.ckpt-20")
    for name in ("user", "item"):
        place = f"embeddings.growing.t_{name}"
        of_ids, rows = weights[f"{place}.ids"][:-1], weights[f"{place}.rows"][:-1]
        assert torch.equal(of_ids, of_ids.sort().values)
        assert torch.equal(saved[f"{place}.ids"][rows], of_ids)
        assert len(rows) == 59

    known = set(saved["embeddings.growing.t_user.ids"].tolist())
    users = [f"u{number}" for number in range(400)]
    hashes = (hash_strings(pa.array(users)) >> np.uint64(1)).astype(np.int64).tolist()
    users += ["nobody", "never met"]
    rows_of_data = pa.table(
        {
            "user_id": users,
            "item_id": [2**63 - 1] * len(users),
            "user_interests": ["a"] * len(users),
            "price": [1.0] * len(users),
        }
    )
    pq.write_table(rows_of_data, tmp_path / "rows.parquet")
    predict(storage_path(model), f"{tmp_path}/rows.parquet", storage_path(tmp_path / "out.parquet"))
    scores = pq.read_table(tmp_path / "out.parquet")["probs"].to_numpy()
    strangers = [score for i, score in zip(hashes, scores, strict=False) if i not in known]
    assert {*strangers, scores[-2]} == {scores[-1]}
    assert len(set(scores.tolist())) > 10
