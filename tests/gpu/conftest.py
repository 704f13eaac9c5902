"""The device of the tests of this folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

DEVICE = "RAYMON_TEST_DEVICE"
"""Environment variable that is "cpu" where these tests themselves are tried without a GPU."""


@pytest.fixture(scope="session")
def device() -> torch.device:
    """The first GPU."""
    if os.environ.get(DEVICE) == "cpu":
        return torch.device("cpu")
    return torch.device("cuda", 0)


@pytest.fixture(scope="session")
def on_gpu(device: torch.device) -> str:
    """What a config says to train on the device."""
    return f"use_gpu: {str(device.type == 'cuda').lower()}"


@pytest.fixture
def config_file(config_file: Path, on_gpu: str) -> Path:
    """The config of the other tests, to train on the device."""
    text = config_file.read_text()
    config_file.write_text(text.replace("num_workers: 2 }", f"num_workers: 2 {on_gpu} }}"))
    assert on_gpu in config_file.read_text()
    return config_file
