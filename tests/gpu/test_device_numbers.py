"""Numbers of a GPU are those of torch and of the driver, and want of memory is told in a line."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
import torch

import raymon
from raymon.errors import TrainingError
from raymon.recorder.device_watch import DeviceWatch
from raymon.results import DEVICE_FIGURES
from raymon.training.loop.train_step import TrainStep
from raymon.training.rank.devices import find_gpu

pytestmark = pytest.mark.gpu

RUN = {"ray_config.num_workers": 0, "train_config.num_steps": 40}


def lines_of(model_dir: str) -> list[dict[str, Any]]:
    text = Path(model_dir, "monitor", "windows.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_a_run_has_the_numbers_and_the_name_of_its_gpu(
    config_file: Path, device: torch.device
) -> None:
    summary = raymon.train(config_file, RUN)
    lines = lines_of(summary.model_dir)
    assert lines
    run = json.loads(Path(summary.model_dir, "run.json").read_text())
    (of_worker,) = run["devices"]
    if device.type == "cpu":
        assert {line[name] for line in lines for name in DEVICE_FIGURES} == {None}
        assert (of_worker["device"], run["device_numbers"]) == ("cpu", None)
        return
    for line in lines:
        assert 0 < line["device_allocated_bytes"] <= line["device_bytes"]
        assert line["device_bytes"] <= line["device_reserved_bytes"]
    card = torch.cuda.get_device_properties(device)
    assert (of_worker["device"], of_worker["name"]) == ("cuda:0", card.name)
    assert of_worker["memory_bytes"] == card.total_memory
    assert run["device_numbers"].keys() == set(DEVICE_FIGURES)


def test_memory_is_that_of_tensors_and_the_use_is_there_with_nvml(device: torch.device) -> None:
    watch = DeviceWatch(device)
    watch.take()
    kept = torch.zeros(1 << 26, device=device)
    more = torch.zeros(1 << 26, device=device)
    del more
    numbers = watch.take()
    if device.type == "cpu":
        assert numbers is None
        return
    assert numbers is not None
    assert numbers.max_bytes - numbers.allocated_bytes >= kept.nbytes
    assert numbers.allocated_bytes == torch.cuda.memory_allocated(device)
    assert numbers.reserved_bytes == torch.cuda.memory_reserved(device)
    has_nvml = importlib.util.find_spec("pynvml") is not None
    assert (numbers.utilization is not None) == has_nvml
    if numbers.utilization is not None:
        assert 0 <= numbers.utilization <= 1


def test_this_torch_finds_this_gpu(device: torch.device) -> None:
    found = find_gpu(lambda: device, 0)
    if device.type == "cuda":
        assert found.why is None
        assert found.device is not None
        assert found.device.card is not None
        assert found.device.uuid
    elif not torch.cuda.is_available():
        assert found.why is not None


def test_a_gpu_whose_memory_is_used_up_is_told_in_one_line(
    config_file: Path, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    backward = TrainStep.backward

    def hungry(self: TrainStep, *arguments: Any) -> Any:
        torch.empty(1 << 50, dtype=torch.uint8, device=device)
        return backward(self, *arguments)

    monkeypatch.setattr(TrainStep, "backward", hungry)
    with pytest.raises(TrainingError) as told:
        raymon.train(config_file, RUN)
    line = str(told.value)
    assert "\n" not in line
    assert "training with batch_size 256, as 1,126 TB more were asked for" in line
    assert "the largest tensors are " in line
    of_card = f"{torch.cuda.get_device_name()} has " if device.type == "cuda" else "of the host"
    assert of_card in line
