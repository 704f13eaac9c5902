"""Whole runs on a GPU, without Ray: every model in every precision, beside the CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import raymon
from tests.training.test_every_model import (
    CASES,
    check_predictions,
    data,
    guide_model,
    losses_of,
    text_of,
)

__all__ = ["data", "guide_model"]

pytestmark = pytest.mark.gpu

ENGINES = ("REPLICATED", "AUTO")
"""Where tables are: as with one GPU by default, sharded ones if fbgemm is there; and without."""


def trained(text: str, place: Path, use: str) -> raymon.Summary:
    """Trains as a config says, on a GPU or on the CPU."""
    place.with_suffix(".config").write_text(
        text.replace("num_workers: 0 }", f"num_workers: 0 {use} }}")
    )
    return raymon.train(place.with_suffix(".config"))


@pytest.mark.usefixtures("guide_model")
@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(case.values()))
def test_a_model_has_on_a_gpu_the_losses_of_the_cpu(
    case: dict[str, str], data: Path, tmp_path: Path, on_gpu: str
) -> None:
    runs = {place: tmp_path / place for place in ("there", "here")}
    texts = {place: text_of(case, data, run) for place, run in runs.items()}
    texts["there"] = texts["there"].replace(
        "train_config {", f"train_config {{ embedding_tables: {ENGINES[len(case['model']) % 2]}"
    )
    summary = trained(texts["there"], runs["there"], on_gpu)
    beside = trained(texts["here"], runs["here"], "")
    assert np.isfinite([*summary.train_metrics.values(), *summary.eval_metrics.values()]).all()
    losses, expected = losses_of(runs["there"]), losses_of(runs["here"])
    assert losses[-1] < losses[0]
    assert summary.samples == beside.samples
    assert summary.monitoring is not None
    assert summary.monitoring.failures == 0
    if "dropout" not in case["layers"] and case["layers"] != "bn":
        # Each device drops others out; all else begins with the same weights.
        tolerance = 0.01 if case["precision"] == "float32" else 0.05
        np.testing.assert_allclose(losses, expected, rtol=tolerance)
    if case["ends"] == "exported":
        check_predictions(case, summary, data, tmp_path)
    elif case["ends"] == "resumed":
        config = runs["there"].with_suffix(".config")
        resumed = raymon.train(config, {"train_config.num_steps": 18}, resume=True)
        assert (resumed.status, resumed.steps) == ("done", 18)
        # And goes on without it.
        more = {"train_config.num_steps": 20, "ray_config.use_gpu": False}
        on_cpu = raymon.train(
            config, {**more, "train_config.embedding_tables": "REPLICATED"}, resume=True
        )
        assert (on_cpu.status, on_cpu.steps) == ("done", 20)
