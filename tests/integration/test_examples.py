"""The example configs on real data, if that is there."""

import json
import os
from pathlib import Path

import pytest

from tests.integration.conftest import run_raymon

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "raymon" / "examples"
DATA = Path(os.environ.get("RAYMON_TEST_DATA", ROOT.parent / "shared" / "data"))

pytestmark = [
    pytest.mark.needs_shared_data,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is not there"),
]


@pytest.mark.parametrize(
    ("name", "folder", "least", "names"),
    [
        (
            "kuairand",
            "kuairand",
            {"auc": 0.72},
            {"grouped_auc", "normalized_entropy", "binary_cross_entropy"},
        ),
        ("adult", "adult", {"auc": 0.90}, {"normalized_entropy", "binary_cross_entropy"}),
        pytest.param(
            "kuairand_tasks",
            "kuairand",
            {"auc_click": 0.72, "auc_long_view": 0.715, "auc_like": 0.7},
            {"grouped_auc_like", "normalized_entropy_click", "binary_cross_entropy_long_view"},
            marks=pytest.mark.soak,
        ),
    ],
)
def test_an_example_reaches_what_it_promises(
    ray_address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    folder: str,
    least: dict[str, float],
    names: set[str],
) -> None:
    monkeypatch.setenv(f"{folder.upper()}_DIR", str(DATA / folder))
    config = EXAMPLES / f"{name}.config"
    override = f"model_dir={tmp_path / name}"
    finished = run_raymon("train", config, "--set", override, "--json", address=ray_address)
    assert finished.returncode == 0, finished.stderr
    summary = json.loads(finished.stdout)
    for metric, value in least.items():
        assert summary["best_metrics"][metric] >= value
    assert names <= set(summary["eval_metrics"])
    assert "ranks:2/2" in finished.stderr


def test_a_variable_that_is_not_set_is_named_with_its_override(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("KUAIRAND_DIR", raising=False)
    finished = run_raymon("train", EXAMPLES / "kuairand.config")
    assert finished.returncode == 2
    assert "KUAIRAND_DIR" in finished.stderr
    assert "--set train_input_path=" in finished.stderr
