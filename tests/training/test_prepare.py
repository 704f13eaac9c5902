"""A run checks its config once, and again only if the data changes its meaning."""

from __future__ import annotations

from pathlib import Path

import pytest

import raymon
from raymon.config import load
from raymon.protos.data_pb2 import FgMode
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.training import prepare


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[PipelineConfig]:
    """The configs for which a model was built to check them."""
    seen: list[PipelineConfig] = []
    original = prepare.build_meta_model

    def build_meta_model(config: PipelineConfig, *rest: object) -> object:
        seen.append(config)
        return original(config, *rest)

    monkeypatch.setattr(prepare, "build_meta_model", build_meta_model)
    return seen


def test_training_checks_the_config_of_a_file_once(
    config_file: Path, checks: list[PipelineConfig]
) -> None:
    raymon.train(config_file, ["ray_config.num_workers=0", "train_config.num_steps=1"])
    assert len(checks) == 1


def test_a_config_that_nobody_has_checked_is_checked(
    config_file: Path, checks: list[PipelineConfig]
) -> None:
    prepare.plan_run(load(config_file), {})
    assert len(checks) == 1


def test_where_data_shows_that_its_columns_are_ids_the_config_is_checked_anew(
    config_file: Path, checks: list[PipelineConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    def encoded(config: PipelineConfig, *_: object, **__: object) -> PipelineConfig:
        result = PipelineConfig()
        result.CopyFrom(config)
        result.data_config.fg_mode = FgMode.FG_NONE
        return result

    monkeypatch.setattr(prepare, "resolve_fg_mode", encoded)
    with pytest.raises(raymon.DataError):  # its columns hold no ids
        prepare.plan_run(load(config_file), {}, is_checked=True)
    assert len(checks) == 1


def gpus(workers: int, **resources: float) -> PipelineConfig:
    config = PipelineConfig()
    config.ray_config.num_workers, config.ray_config.use_gpu = workers, True
    config.ray_config.resources_per_worker.update(resources)
    return config


def test_workers_that_would_share_a_gpu_are_refused() -> None:
    with pytest.raises(
        raymon.ConfigError, match=r"0\.5 GPU for each of 2 workers: two would be on"
    ):
        prepare.check_devices(gpus(2, GPU=0.5))
    # One alone shares it with nobody of its run; and more than one GPU is no error.
    for allowed in (gpus(1, GPU=0.5), gpus(2, GPU=2), gpus(2), gpus(2, CPU=0.5)):
        prepare.check_devices(allowed)


def test_a_gpu_for_this_process_has_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "why_no_gpu", lambda: "torch 2.9 finds no GPU")
    with pytest.raises(raymon.ConfigError, match=r"use_gpu: torch 2\.9 finds no GPU; or leave it"):
        prepare.check_devices(gpus(0))
    monkeypatch.setattr(prepare, "why_no_gpu", lambda: None)
    prepare.check_devices(gpus(0))
