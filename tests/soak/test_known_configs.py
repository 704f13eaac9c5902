"""Each known config that raymon trains goes from made data to predictions.

Ten steps in this process, resumed on two ranks, evaluated, exported; what the export predicts has
the scores of the evaluation.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from google.protobuf import text_format
from sklearn.metrics import roc_auc_score

import raymon
from raymon.config import read_saved
from raymon.serving import predict
from raymon.storage import storage_path
from raymon.training.checkpoint.manifest import list_checkpoints
from raymon.training.export import export_run
from raymon.training.predict import predict_rows
from tests.forked import run_ranks
from tests.known_configs import rank
from tests.known_configs.blocks import Block, block_of, many, one
from tests.known_configs.edits import as_set, of_a_short_run
from tests.known_configs.given import texts
from tests.known_configs.made_data import make_data
from tests.known_configs.status import TRAINED

pytestmark = pytest.mark.soak

TEXTS = {name: text for name, text in texts().items() if name in TRAINED}
STEPS, RANKS = 10, 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Runs of the chosen configs: trained in this process, then continued on two ranks."""
    folder = tmp_path_factory.mktemp("known_configs")
    chosen = {item.name.partition("[")[2].removesuffix("]") for item in request.session.items}
    for name, text in TEXTS.items():
        if name not in chosen:
            continue
        here = folder / name.replace("/", "-")
        here.mkdir()
        (here / "known.config").write_text(text)
        try:
            train(here, block_of(text))
        except Exception as error:
            # One config that fails does not keep the others from being tried.
            (here / "failed").write_text(f"{type(error).__name__}: {error}")
    run_ranks(rank.main, [(folder, index, RANKS) for index in range(RANKS)])
    return folder


def train(here: Path, block: Block) -> None:
    """Trains a config on data made for it, and writes the config that goes on."""
    overrides = {**make_data(block, here / "data"), **of_a_short_run(block, here / "run")}
    summary = raymon.train(here / "known.config", as_set(overrides))
    assert (summary.status, summary.steps) == ("done", STEPS)
    config = read_saved(storage_path(here / "run"), ())
    config.train_config.num_steps = STEPS + 4
    config.ray_config.num_workers = RANKS
    (here / "resumed.config").write_text(text_format.MessageToString(config))


@pytest.mark.parametrize("name", TEXTS)
def test_a_known_config_goes_from_data_to_predictions(name: str, folder: Path) -> None:
    here = folder / name.replace("/", "-")
    failed = here / "failed"
    assert not failed.exists(), failed.read_text()
    errors = [(here / f"error.{index}").read_text() for index in range(RANKS)]
    assert errors == [""] * RANKS
    run = here / "run"
    assert max(each.step for each in list_checkpoints(run)) == STEPS + 4
    alone = ("ray_config.num_workers=0", "train_config.embedding_tables=")
    step, scores = raymon.evaluate_run(run, "latest", alone)
    assert step == STEPS + 4
    assert scores
    assert np.isfinite([*scores.values()]).all()
    export_run(storage_path(run), storage_path(here / "export"), "latest", alone)
    rows = str(here / "data" / "eval")
    labels = many(one(block_of(TEXTS[name]), "data_config"), "label_fields")
    towers = [each for each in ("user", "item") if (here / "export" / each).is_dir()]
    for part in towers or [""]:
        predicted = here / f"predicted{part}.parquet"
        assert predict(here / "export" / part, rows, predicted, keep=labels, threads=0) == 256
        check_scores(block_of(TEXTS[name]), pq.read_table(predicted).to_pydict(), scores)
    check_same_rows(here, rows, towers)


def check_same_rows(here: Path, rows: str, towers: list[str]) -> None:
    """Checks that the export predicts for each row what the checkpoint of the run does."""
    of_run = storage_path(here / "predicted_by_run.parquet")
    predict_rows(storage_path(here / "run"), rows, of_run, checkpoint="latest")
    expected = pq.read_table(here / "predicted_by_run.parquet")
    compared = set()
    for part in towers or [""]:
        table = pq.read_table(here / f"predicted{part}.parquet")
        for name in set(expected.column_names) & set(table.column_names):
            wanted, found = (np.stack(each[name].to_pylist()) for each in (expected, table))
            np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5, err_msg=name)
            compared.add(name)
    assert compared == set(expected.column_names)


def check_scores(
    config: Block, table: Mapping[str, list[Any]], scores: Mapping[str, float]
) -> None:
    """Checks that AUCs of the predictions are those of the evaluation."""
    for column, values in table.items():
        assert np.isfinite(np.stack([np.asarray(value) for value in values])).all(), column
    model = one(config, "model_config")
    label = many(one(config, "data_config"), "label_fields")[0]
    of_towers = {"auc": label}
    for block in _blocks(model):
        if "tower_name" in block:
            of_towers[f"auc_{one(block, 'tower_name')}"] = one(block, "label_name")
    for metric, column in of_towers.items():
        if metric in scores:
            suffix = metric.removeprefix("auc")
            names = (f"probs{suffix}", f"probs1{suffix}")
            probs = np.asarray(next(table[name] for name in names if name in table))
            probs = probs[:, 1] if probs.ndim == 2 else probs
            exact = roc_auc_score(table[column], probs)
            # An AUC by thresholds is coarse where scores are as near to each other as here.
            assert scores[metric] == pytest.approx(exact, abs=0.02), metric


def _blocks(value: Any) -> list[Block]:
    inner = value.values() if isinstance(value, dict) else value
    found = [value] if isinstance(value, dict) else []
    return found + [
        each for item in inner if isinstance(item, dict | list) for each in _blocks(item)
    ]
