"""Which checkpoints of a run stay, while it goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from raymon.config import CONFIG_FILE, ranking, save
from raymon.errors import RunError, os_reason, reason
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.storage import StoragePath, storage_path
from raymon.training.checkpoint.manifest import (
    Checkpoint,
    checkpoint_directories,
    has_scores_beside,
    list_checkpoints,
    remove_checkpoint,
    step_of,
)
from raymon.training.checkpoint.ranking import best_of

_log = logging.getLogger("raymon")

_MOST_NAMED = 5


@dataclass(frozen=True)
class KeepRule:
    """Which checkpoints of a run stay: the most recent, and of type best the best one too.

    Attributes:
        count: Most recent ones that stay; 0: all.
        config: What ranks checkpoints.
        scored_later: One whose scores are still to come stays until they are there.
    """

    count: int
    config: PipelineConfig
    scored_later: bool = False

    @classmethod
    def of(cls, config: PipelineConfig, *, scored_later: bool = False) -> KeepRule:
        """The rule of a run."""
        return cls(config.train_config.keep_checkpoint_max, config, scored_later)

    def obsolete(self, checkpoints: Iterable[Checkpoint]) -> list[Checkpoint]:
        """Those of all complete checkpoints of a run, by step, that do not stay."""
        by_step = sorted(checkpoints, key=lambda checkpoint: checkpoint.step)
        if self.count == 0:
            return []
        older, stay = by_step[: -self.count], set[int]()
        export = ranking(self.config)
        best = best_of(by_step, export) if export.exporter_type == "best" else None
        if best is not None:
            stay.add(best.step)
        if self.scored_later:
            stay |= {c.step for c in older if not c.metrics and not has_scores_beside(c.path)}
        return [checkpoint for checkpoint in older if checkpoint.step not in stay]


def delete_obsolete(model_dir: StoragePath, rule: KeepRule, newest: int | None = None) -> set[int]:
    """Deletes the checkpoints that do not stay; one that cannot be deleted is no reason to stop.

    Args:
        model_dir: Directory of the run.
        rule: Says which stay.
        newest: The step of the newest one; those after it, from before the run went back to an
            earlier one, do not count. None: all count.

    Returns:
        Their steps.
    """
    if rule.count == 0:
        return set()
    try:
        there = list_checkpoints(model_dir)
    except RunError as error:
        _log.warning("checkpoints are kept that are due to go: %s", error)
        return set()
    gone = rule.obsolete(c for c in there if newest is None or c.step <= newest)
    for checkpoint in gone:
        try:
            remove_checkpoint(checkpoint.path)
        except FileNotFoundError:  # somebody else was faster
            pass
        except OSError as error:
            _log.warning("%s: cannot be deleted: %s", checkpoint.path, os_reason(error))
    return {checkpoint.step for checkpoint in gone}


class CheckpointCleanup:
    """The checkpoints of a run that goes on, seen by its rank 0.

    Args:
        config: Of the run.
        scored_later: Whether checkpoints get their scores after they are written.
        tell: Shows a line to who watches the run.
    """

    def __init__(
        self, config: PipelineConfig, scored_later: bool, tell: Callable[[str], None]
    ) -> None:
        self._config = config
        self._model_dir = storage_path(config.model_dir)
        self._rule = KeepRule.of(config, scored_later=scored_later)
        self._tell = tell
        self._known: set[int] = set()

    def run(self, newest: int) -> None:
        """Deletes what does not stay beside the one that was just written, and tells of what
        somebody else has deleted; never raises: which checkpoints there are stops no run.

        Args:
            newest: The step of the one that was just written.
        """
        try:
            self._run(newest)
        except Exception as error:
            _log.warning(
                "%s: its checkpoints cannot be looked at: %s", self._model_dir, reason(error)
            )

    def _run(self, newest: int) -> None:
        there = {step_of(path) for path in checkpoint_directories(self._model_dir)}
        missing = sorted(self._known - there)
        if missing:
            self._tell(f"{self._model_dir}: {_named(missing)} by somebody else; the run goes on")
        if not (self._model_dir / CONFIG_FILE).is_file():
            # With it a run can be evaluated, exported and resumed.
            save(self._config, self._model_dir)
        self._known = there - delete_obsolete(self._model_dir, self._rule, newest)


def _named(steps: list[int]) -> str:
    shown = ", ".join(map(str, steps[:_MOST_NAMED])) + (", ..." if len(steps) > _MOST_NAMED else "")
    one = len(steps) == 1
    return f"the checkpoint{'' if one else 's'} of step{'' if one else 's'} {shown} " + (
        "was deleted" if one else "were deleted"
    )
