from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from raymon.data import Batch
from raymon.models import RankingModel
from tests.models.multi_task.towers import TOWERS, batch, built, check_towers, inputs_of
from tests.models.pipelines import batch_of

WEIGHED = """simple_multi_task {
  task_towers { tower_name: "ctr" label_name: "y" sample_weight_name: "w" weight: 3
    losses { binary_cross_entropy {} } losses { jrc_loss { session_name: "k" } weight: 0.5 }
    num_class: 2 metrics { auc {} } }
  task_towers { tower_name: "cvr" label_name: "z" sample_weight_name: "w"
    task_space_indicator_label: "y" in_task_space_weight: 10 out_task_space_weight: 1
    losses { binary_cross_entropy { pos_weight: 4 } } metrics { auc {} } }
  task_towers { tower_name: "same" label_name: "z" losses { l2_loss {} } } }"""


def test_each_tower_is_over_all_features_of_the_group() -> None:
    model, rows = built(f"simple_multi_task {{ {TOWERS} }}"), batch()
    check_towers(model, rows, [inputs_of(model, rows)] * 3)


def test_losses_are_weighted_means_times_the_weights_of_task_and_loss() -> None:
    model, rows = built(WEIGHED), batch_of(9, labels=("y", "z", "t"))
    predictions, y, z = model(rows), rows.labels["y"], rows.labels["z"]
    losses, weights = model.loss(predictions, rows), model.batch_weight(rows)
    w = rows.weights["w"]
    space = w * (10 * y + (1 - y))
    two = F.cross_entropy(predictions["logits_ctr"], y.long(), reduction="none")
    torch.testing.assert_close(losses["binary_cross_entropy_ctr"], 3 * (w * two).sum() / w.sum())
    positive = torch.tensor(4.0)
    one = F.binary_cross_entropy_with_logits(
        predictions["logits_cvr"], z, pos_weight=positive, reduction="none"
    )
    expected = (space * one).sum() / space.sum()
    torch.testing.assert_close(losses["binary_cross_entropy_cvr"], expected)
    torch.testing.assert_close(losses["l2_loss_same"], (predictions["y_same"] - z).square().mean())
    assert list(losses) == [
        "binary_cross_entropy_ctr", "jrc_loss_ctr", "binary_cross_entropy_cvr", "l2_loss_same",
    ]  # fmt: skip
    assert isinstance(weights, dict)
    assert weights["jrc_loss_ctr"] == pytest.approx(float(w.sum()))
    assert weights["binary_cross_entropy_cvr"] == pytest.approx(float(space.sum()))
    assert weights["l2_loss_same"] == 9


def test_the_losses_of_parts_of_a_batch_make_up_that_of_the_whole() -> None:
    model, whole = built(WEIGHED), batch_of(9, labels=("y", "z", "t"))
    predictions = model(whole)
    sums, total = torch.zeros(()), torch.zeros(())
    for begin, end in ((0, 4), (4, 9)):
        columns = (whole.labels, whole.weights, whole.keys, predictions)
        labels, row_weights, keys, of_part = (
            {name: tensor[begin:end] for name, tensor in each.items()} for each in columns
        )
        part = Batch(end - begin, {}, {}, labels, row_weights, keys)
        loss = model.loss(of_part, part)["binary_cross_entropy_cvr"]
        weights = model.batch_weight(part)
        assert isinstance(weights, dict)
        sums = sums + loss * weights["binary_cross_entropy_cvr"]
        total = total + weights["binary_cross_entropy_cvr"]
    expected = model.loss(predictions, whole)["binary_cross_entropy_cvr"]
    torch.testing.assert_close(sums / total, expected)


def test_metrics_are_those_of_the_towers() -> None:
    model, rows = built(WEIGHED), batch_of(9, labels=("y", "z", "t"))
    assert isinstance(model, RankingModel)
    model.init_metric()
    model.update_metric(model(rows), rows)
    assert list(model.compute_metric()) == ["auc_ctr", "auc_cvr"]
