"""Laws of all models that ship with raymon."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from raymon.models import grouping_keys
from tests.models.pipelines import BCE, BCE_OF_TWO, DEEPFM, DLRM, batch_of, model_of, pipeline

MODELS = pytest.mark.parametrize("text", [DLRM, DEEPFM], ids=["dlrm", "deepfm"])
TWO = 'label_fields: ["y", "z"]'


@MODELS
def test_a_model_learns_its_batch(text: str) -> None:
    model, batch = model_of(pipeline(text)), batch_of(64)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    losses = []
    for _ in range(60):
        loss = model.loss(model(batch), batch)["binary_cross_entropy"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 4


@MODELS
@pytest.mark.parametrize("size", [0, 1, 5])
def test_every_parameter_takes_part_in_every_step(text: str, size: int) -> None:
    model, batch = model_of(pipeline(text)), batch_of(size)
    losses = model.loss(model(batch), batch)
    torch.stack(list(losses.values())).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    if size == 0:
        assert losses["binary_cross_entropy"] == 0


@MODELS
def test_the_same_seed_gives_the_same_weights(text: str) -> None:
    a, b, c = (model_of(pipeline(text), seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not all(torch.equal(a[name], c[name]) for name in a)


@MODELS
def test_probabilities_are_float32_and_not_tied_under_autocast(text: str) -> None:
    model, batch = model_of(pipeline(text)), batch_of(256)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        predictions = model(batch)
        loss = model.loss(predictions, batch)["binary_cross_entropy"]
    assert predictions["probs"].dtype == loss.dtype == torch.float32
    assert len(predictions["probs"].unique()) > 200
    torch.testing.assert_close(predictions["probs"], model(batch)["probs"], atol=1e-2, rtol=0)


@MODELS
def test_sparse_and_dense_parameters_are_all_parameters(text: str) -> None:
    model = model_of(pipeline(text))
    sparse = {id(p) for p in model.sparse_parameters()}
    dense = {id(p) for p in model.dense_parameters()}
    assert not sparse & dense
    assert sparse | dense == {id(p) for p in model.parameters()}
    assert sparse == {id(p) for name, p in model.named_parameters() if ".tables." in name}


def test_the_loss_is_the_mean_of_binary_cross_entropy() -> None:
    model, batch = model_of(pipeline()), batch_of(50)
    predictions = model(batch)
    p, y = predictions["probs"].detach().double().numpy(), batch.labels["y"].numpy()
    expected = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    assert model.loss(predictions, batch)["binary_cross_entropy"].item() == pytest.approx(
        expected, rel=1e-5
    )
    assert model.batch_weight(batch) == 50.0


def test_sample_weights_weigh_loss_and_metric() -> None:
    losses = BCE + " metrics { auc {} } train_metrics { auc {} decay_step: 1 }"
    data = 'label_fields: "y" sample_weight_fields: "w"'
    model, batch = model_of(pipeline(losses=losses, data=data)), batch_of(300)
    model.init_metric()
    predictions = model(batch)
    p, y = predictions["probs"].detach().double().numpy(), batch.labels["y"].numpy()
    w = batch.weights["w"].double().numpy()
    rows = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    assert model.loss(predictions, batch)["binary_cross_entropy"].item() == pytest.approx(
        np.average(rows, weights=w), rel=1e-5
    )
    weight = model.batch_weight(batch)
    assert isinstance(weight, dict)
    assert weight["binary_cross_entropy"].item() == pytest.approx(w.sum(), rel=1e-5)
    model.update_metric(predictions, batch)
    model.update_train_metric(predictions, batch)
    expected = roc_auc_score(y, p, sample_weight=w)
    assert model.compute_metric()["auc"].item() == pytest.approx(expected, abs=2e-4)
    assert model.compute_train_metric()["auc"].item() == pytest.approx(expected, abs=2e-4)


def test_with_several_labels_every_name_has_its_label() -> None:
    losses = """losses { binary_cross_entropy {} label_name: "y" }
      losses { l2_loss {} label_name: "z" }
      metrics { auc {} label_name: "y" } metrics { mean_absolute_error {} }"""
    model = model_of(pipeline(losses=losses, data=TWO))
    batch = batch_of(40, labels=("y", "z"))
    model.init_metric()
    predictions = model(batch)
    assert set(predictions) == {"logits_y", "probs_y", "y_z"}
    assert set(model.loss(predictions, batch)) == {"binary_cross_entropy_y", "l2_loss_z"}
    model.update_metric(predictions, batch)
    metrics = model.compute_metric()
    assert set(metrics) == {"auc_y", "mean_absolute_error_y", "mean_absolute_error_z"}
    error = (predictions["y_z"] - batch.labels["z"]).abs().mean().item()
    assert metrics["mean_absolute_error_z"].item() == pytest.approx(error, rel=1e-5)


def test_each_label_has_its_own_weights_where_there_are_as_many() -> None:
    data = TWO + ' sample_weight_fields: ["w", "v"]'
    model = model_of(pipeline(losses=BCE_OF_TWO, data=data))
    batch = batch_of(9, labels=("y", "z"))
    batch.weights["v"] = 2 * torch.ones(9)
    weight = model.batch_weight(batch)
    assert isinstance(weight, dict)
    assert weight["binary_cross_entropy_z"] == 18
    torch.testing.assert_close(weight["binary_cross_entropy_y"], batch.weights["w"].sum())


def test_softmax_predicts_a_distribution_over_the_classes() -> None:
    losses = """num_class: 3 losses { softmax_cross_entropy {} } metrics { accuracy {} }
      metrics { multiclass_auc {} } metrics { recall_at_k { top_k: 2 } }"""
    model, batch = model_of(pipeline(losses=losses)), batch_of(30)
    model.init_metric()
    predictions = model(batch)
    assert predictions["logits"].shape == predictions["probs"].shape == (30, 3)
    torch.testing.assert_close(predictions["probs"].sum(1), torch.ones(30))
    model.update_metric(predictions, batch)
    hits = (predictions["probs"].argmax(1) == batch.labels["y"]).float().mean().item()
    assert model.compute_metric()["accuracy"].item() == pytest.approx(hits)


def test_grouped_auc_is_grouped_by_its_column() -> None:
    losses = BCE + ' metrics { grouped_auc { grouping_key: "k" } }'
    config = pipeline(losses=losses)
    assert grouping_keys(config) == ["k"]
    model, batch = model_of(config), batch_of(200)
    model.init_metric()
    predictions = model(batch)
    model.update_metric(predictions, batch)
    y, p, k = (
        t.detach().numpy() for t in (batch.labels["y"], predictions["probs"], batch.keys["k"])
    )
    expected = np.mean([roc_auc_score(y[k == g], p[k == g]) for g in range(5)])
    assert model.compute_metric()["grouped_auc"].item() == pytest.approx(expected, abs=1e-6)


def test_metrics_are_no_part_of_the_state_and_can_be_reset() -> None:
    losses = BCE + " metrics { auc {} } train_metrics { auc {} }"
    model = model_of(pipeline(losses=losses))
    names = set(model.state_dict())
    model.init_metric()
    values = []
    for seed in (1, 2):
        batch = batch_of(100, seed)
        model.reset_metric()
        model.update_metric(model(batch), batch)
        p, y = model(batch)["probs"].detach().numpy(), batch.labels["y"].numpy()
        values.append(model.compute_metric()["auc"].item())
        assert values[-1] == pytest.approx(roc_auc_score(y, p), abs=2e-3)
    assert set(model.state_dict()) == names
    assert set(model.train_metrics) == {"auc"}


def test_metrics_go_to_another_device_with_the_model() -> None:
    model = model_of(pipeline(losses=BCE + " metrics { auc {} } train_metrics { auc {} }"))
    model.init_metric()
    model.to("meta")
    model.update_metric(
        {"probs": torch.empty(3, device="meta")}, batch_of(3).to(torch.device("meta"))
    )
    model.update_train_metric(
        {"probs": torch.empty(3, device="meta")}, batch_of(3).to(torch.device("meta"))
    )


@pytest.mark.parametrize(
    ("labels", "scores", "without"), [(1.0, 0.5, {"auc"}), (1.0, float("nan"), set())]
)
def test_a_value_is_missing_by_the_rows_or_by_what_is_predicted(
    labels: float, scores: float, without: set[str]
) -> None:
    config = pipeline(DEEPFM, "losses { binary_cross_entropy {} } metrics { auc {} }")
    model, batch = model_of(config), batch_of(8)
    model.init_metric()
    batch.labels["y"].fill_(labels)
    predictions = {"probs": torch.full((8,), scores), "logits": torch.zeros(8)}
    model.update_metric(predictions, batch)
    assert model.compute_metric()["auc"].isnan()
    assert set(model.metric_no_value()) == {"auc"}
    assert model.metric_without_value() == without


def test_each_label_has_the_curves_of_its_finest_metric() -> None:
    metrics = """metrics { auc { thresholds: 20 } } metrics { log_loss {} } metrics { pr_auc {} }
      metrics { grouped_auc { grouping_key: "k" } }
      metrics { custom_metric { name: "torchmetrics.classification:BinaryAccuracy" } }"""
    data = TWO + ' sample_weight_fields: "w"'
    model = model_of(pipeline(losses=f"{BCE_OF_TWO} {metrics}", data=data))
    batch = batch_of(200, labels=("y", "z"))
    model.init_metric()
    predictions = model(batch)
    model.update_metric(predictions, batch)
    model.compute_metric()
    assert model.metric_curves() == {}
    model.reset_metric()
    model.draws_curves = True
    model.update_metric(predictions, batch)
    model.compute_metric()
    found = model.metric_curves()
    assert list(found) == ["pr_auc_y", "pr_auc_z"]
    for label in ("y", "z"):
        positive = batch.weights["w"][batch.labels[label] > 0].sum().item()
        assert sum(found[f"pr_auc_{label}"].positive) == pytest.approx(positive, rel=1e-6)
    assert [sum(each.groups) for each in model.metric_groups().values()] == [5, 5]
