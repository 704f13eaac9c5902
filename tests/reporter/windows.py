"""Windows as workers send them, for tests of the reporter."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from raymon.embeddings import LookupCounter
from raymon.metrics import DecayAUC, TrainMetricWrapper
from raymon.recorder import Window, encode_window
from raymon.recorder.background_scalars import BackgroundScalars
from raymon.recorder.offload import Offload
from raymon.wire import Layout, TableLayout, TableSketches, TableSpec


class Counted:
    """Lookups in a table that are counted already."""

    def __init__(self, table: TableSpec, rows: torch.Tensor, norm: float | None = None) -> None:
        counter = LookupCounter(TableLayout([table]))
        counter.add(0, [rows])
        if norm is not None:
            counter.add_norms(0, rows[:1].numpy(), np.array([[norm]], np.float32))
        self.sketches = counter.take()

    def wait(self) -> TableSketches:
        return self.sketches


def auc_window(
    rank: int,
    index: int,
    steps: tuple[int, int],
    scores: torch.Tensor,
    labels: torch.Tensor,
    *,
    loss: float = 0.5,
    attempt: int = 1,
    checkpoint: bool = False,
    last: bool = False,
    tables: Counted | None = None,
    skipped_steps: int = 0,
    loss_scale: float | None = None,
    phases: Mapping[str, float] | None = None,
    host_bytes: float = 0.0,
    time: float = 0.0,
) -> bytes:
    """A serialised window with one loss and the histogram of an AUC."""
    wrapper = TrainMetricWrapper(DecayAUC())
    wrapper.hand_over()
    wrapper.update(scores, labels)
    window = Window(
        attempt=attempt,
        rank=rank,
        index=index,
        first_step=steps[0],
        end_step=steps[1],
        samples=len(scores),
        epoch=0,
        wall_s=2.0,
        phases=phases or {"step": 1.5, "monitor": 0.5},
        time=time,
        losses={"bce": BackgroundScalars([loss], None)},
        weights={"bce": BackgroundScalars([float(len(scores))], None)},
        metrics={"auc": Offload(wrapper.take_window(), None)},
        layout=Layout.of_metrics({"auc": wrapper}),
        learning_rates=(0.1,),
        checkpoint=checkpoint,
        last=last,
        tables=tables,
        skipped_steps=skipped_steps,
        loss_scale=None
        if loss_scale is None
        else Offload({"loss_scale": torch.tensor(loss_scale)}, None),
    )
    return encode_window(window, {"host_bytes": host_bytes}).SerializeToString()


def auc_metrics(decay_rate: float = 0.9, decay_step: int = 10) -> dict[str, TrainMetricWrapper]:
    """The prototypes that rank 0 gives to the reporter."""
    return {"auc": TrainMetricWrapper(DecayAUC(), decay_rate, decay_step)}


def clicks(rows: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores `[rows]` and labels that follow them."""
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand(rows, generator=generator)
    return scores, (torch.rand(rows, generator=generator) < scores).float()
