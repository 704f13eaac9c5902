"""The limits that the benchmark sets raymon beside do what they are said to do."""

from __future__ import annotations

import pytest
import torch

from benchmarks.contenders import gpu_limits
from benchmarks.contenders.gpu_task import Task, host_batches

pytestmark = pytest.mark.gpu

TASK = Task(256, 300, "BF16", ((32, 16), (32, 16)))


def test_a_graph_trains_on_each_of_its_batches(
    device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    models: list[gpu_limits.JointDLRM] = []

    class Kept(gpu_limits.JointDLRM):
        def __init__(self, task: Task, where: torch.device) -> None:
            torch.manual_seed(0)
            super().__init__(task, where)
            models.append(self)

    monkeypatch.setattr(gpu_limits, "JointDLRM", Kept)
    batches = host_batches(TASK, 3)
    graph = gpu_limits.as_graph(TASK, batches, device)
    after_capture = models[0].table.clone()
    for _ in range(3):
        graph()
    assert not torch.equal(models[0].table, after_capture)
    eager = gpu_limits.kernel_by_kernel(TASK, batches[:1], device)
    # The same steps as those before and in the capture, which does not run: on the first batch.
    for _ in range(gpu_limits._WARM_UP):
        eager()
    torch.testing.assert_close(models[1].table, after_capture, rtol=1e-3, atol=1e-5)
