"""Area under the ROC curve within groups."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat


class GroupedAUC(Metric):
    """Mean over groups of the exact area under the ROC curve within each.

    Every group counts the same, whatever its size; groups without both classes are left out, and
    `groups_skipped` says how many those were when the value was last computed.

    States, one tensor an update: `preds`, float32; `target`, uint8; `grouping_key`, int64.

    Args:
        kwargs: what every torchmetrics metric takes.
    """

    full_state_update = False
    higher_is_better = True
    is_differentiable = False
    preds: list[Tensor]
    target: list[Tensor]
    grouping_key: list[Tensor]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("preds", "target", "grouping_key"):
            self.add_state(name, [], dist_reduce_fx="cat")
        self.groups_skipped = 0

    def update(self, preds: Tensor, target: Tensor, grouping_key: Tensor) -> None:
        """Add samples.

        Args:
            preds: float `[B]`, scores; compared as float32. A NaN makes the value NaN.
            target: `[B]`, positive above 0.5.
            grouping_key: int64 `[B]`, the group of each sample.
        """
        self.preds.append(preds.detach().float())
        self.target.append((target > 0.5).to(torch.uint8))
        self.grouping_key.append(grouping_key)

    def sync(self, *args: Any, **kwargs: Any) -> None:
        """Gather the rows of all ranks, as `torchmetrics.Metric.sync`."""
        if len(self.preds) == 0:
            # A rank without rows must take part with tensors of the types that the others have.
            none = torch.empty(0, device=self.device)
            type(self).update(self, none, none, none.long())
        super().sync(*args, **kwargs)

    def compute(self) -> Tensor:
        """The mean area: float64 scalar; NaN where no group has both classes."""
        # Gathered from other ranks, a state is one tensor and no longer a list.
        if len(self.preds) == 0:
            self.groups_skipped = 0
            return torch.tensor(float("nan"), dtype=torch.float64, device=self.device)
        preds, target, key = map(dim_zero_cat, (self.preds, self.target, self.grouping_key))
        areas, self.groups_skipped = group_areas(preds, target.long(), key)
        return areas.mean().masked_fill(preds.isnan().any(), float("nan"))


def group_areas(preds: Tensor, target: Tensor, key: Tensor) -> tuple[Tensor, int]:
    """The area under the ROC curve of each group that has both classes, ties counted half.

    By the rank sum (Mann & Whitney 1947), in integers: twice the mean rank of tied scores.

    Args:
        preds: float32 `[N]`, scores.
        target: int64 `[N]`, 0 or 1.
        key: int64 `[N]`, the group of each row.

    Returns:
        float64 `[G]`, in the order of the keys, and the number of groups left out.
    """
    if len(key) == 0:
        return preds.double(), 0
    score, order = _as_integers(preds).sort()
    key, by_key = key[order].sort(stable=True)
    score, target = score[by_key], target[order[by_key]]

    group, group_start = _runs(key[1:] != key[:-1])
    run, run_start = _runs((key[1:] != key[:-1]) | (score[1:] != score[:-1]))
    run_end = torch.cat([run_start[1:], run_start.new_tensor([len(key)])])
    twice_rank = (run_start + run_end + 1)[run] - 2 * group_start[group]

    def per_group(values: Tensor) -> Tensor:
        return torch.zeros_like(group_start).index_add_(0, group, values)

    positives, rows = per_group(target), per_group(torch.ones_like(target))
    pairs = positives * (rows - positives)
    twice_concordant = per_group(twice_rank * target) - positives * (positives + 1)
    both = pairs > 0
    areas = twice_concordant[both].double() / (2 * pairs[both])
    return areas, len(pairs) - len(areas)


def _as_integers(preds: Tensor) -> Tensor:
    """int32 `[N]` in the order of float32 `[N]`: integers sort ten times as fast."""
    # Adding 0 makes -0.0 the same score as 0.0.
    bits = (preds + 0.0).view(torch.int32)
    return torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits)


def _runs(changes: Tensor) -> tuple[Tensor, Tensor]:
    """Runs of equal rows.

    Args:
        changes: bool `[N - 1]`, whether a row differs from the one before.

    Returns:
        int64 `[N]`, the run of each row, and int64 `[R]`, where each run starts.
    """
    first = torch.nn.functional.pad(changes, (1, 0), value=True)
    return first.cumsum(0) - 1, first.nonzero().squeeze(1)
