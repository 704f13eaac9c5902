"""Workers with GPUs are looked at before Ray makes their process group."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from ray.train import ControllerError
from ray.train.torch import TorchConfig

from raymon.errors import ConfigError
from raymon.training.on_ray.gpu_workers import GpuConfig
from raymon.training.on_ray.trainer import _failure_of_workers
from raymon.training.rank.devices import Device, Found


class Group:
    """Workers that find what a test says, and record what else they are asked for."""

    def __init__(self, *found: Found) -> None:
        self.found = list(found)
        self.asked: list[str] = []

    def execute(self, function: Callable[[], Any]) -> list[Found]:
        self.asked.append(function.__name__)
        return self.found


def card(rank: int, uuid: str) -> Found:
    return Found(Device(rank, "a", f"cuda:{rank}", "H100", 80 * 10**9, uuid), "a", None)


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, str | None]]:
    """The worker groups for which Ray makes a process group, and of which kind."""
    made: list[tuple[Any, str | None]] = []

    def on_start(self: object, group: Any, config: TorchConfig) -> None:
        made.append((group, config.backend))

    monkeypatch.setattr(TorchConfig().backend_cls, "on_start", on_start)
    return made


def test_workers_with_gpus_of_their_own_join_by_nccl_and_gloo(
    groups: list[tuple[Any, str | None]],
) -> None:
    # Ray sends it to its controller.
    config = pickle.loads(pickle.dumps(GpuConfig()))
    group = Group(card(0, "u0"), card(1, "u1"))
    config.backend_cls().on_start(group, config)
    assert groups == [(group, "cpu:gloo,cuda:nccl")]
    assert group.asked == ["_find"]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ((card(0, "u0"), card(1, "u0")), "ranks 0 and 1 are on one GPU"),
        ((card(0, "u0"), Found(None, "b", "torch finds no GPU")), "b: torch finds no GPU"),
    ],
)
def test_others_do_not_join_and_the_run_ends_with_one_line(
    found: tuple[Found, ...], why: str, groups: list[tuple[Any, str | None]]
) -> None:
    config = GpuConfig()
    with pytest.raises(ConfigError, match=why) as told:
        config.backend_cls().on_start(Group(*found), config)
    assert groups == []
    # As the controller hands it to the driver.
    error = pickle.loads(pickle.dumps(ControllerError(told.value)))
    found_by_driver = _failure_of_workers(error)
    assert isinstance(found_by_driver, ConfigError)
    assert str(found_by_driver) == str(told.value)
