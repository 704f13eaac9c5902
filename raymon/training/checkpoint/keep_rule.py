"""The rule for which checkpoints of a run are kept, and the deletion of the others."""

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
    has_checkpoint_scores,
    list_checkpoints,
    remove_checkpoint,
    step_of,
)
from raymon.training.checkpoint.ranking import best_of

_log = logging.getLogger("raymon")

_MOST_NAMED = 5


@dataclass(frozen=True)
class KeepRule:
    """Keeps the most recent checkpoints, and with exporter type "best" also the best one.

    Attributes:
        count: Number of most recent checkpoints to keep; 0 for all.
        config: Pipeline config, which ranks checkpoints.
        scored_later: Whether checkpoints get their scores later; one without scores is then kept.
    """

    count: int
    config: PipelineConfig
    scored_later: bool = False

    @classmethod
    def of(cls, config: PipelineConfig, *, scored_later: bool = False) -> KeepRule:
        """Returns the rule of a run."""
        return cls(config.train_config.keep_checkpoint_max, config, scored_later)

    def obsolete(self, checkpoints: Iterable[Checkpoint]) -> list[Checkpoint]:
        """Returns the checkpoints that are not kept, out of all complete ones of a run, by step."""
        by_step = sorted(checkpoints, key=lambda checkpoint: checkpoint.step)
        if self.count == 0:
            return []
        older, stay = by_step[: -self.count], set[int]()
        export = ranking(self.config)
        best = best_of(by_step, export) if export.exporter_type == "best" else None
        if best is not None:
            stay.add(best.step)
        if self.scored_later:
            stay |= {c.step for c in older if not c.metrics and not has_checkpoint_scores(c.path)}
        return [checkpoint for checkpoint in older if checkpoint.step not in stay]


def delete_obsolete(model_dir: StoragePath, rule: KeepRule, newest: int | None = None) -> set[int]:
    """Deletes the checkpoints that are not kept; one that cannot be deleted does not stop the run.

    Args:
        model_dir: Directory of the run.
        rule: Which checkpoints are kept.
        newest: Step of the newest checkpoint; later ones, from before the run went back to an
            earlier step, are ignored. None ignores none.

    Returns:
        The steps of the obsolete checkpoints.
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
        except FileNotFoundError:  # another process was faster
            pass
        except OSError as error:
            _log.warning("%s: cannot be deleted: %s", checkpoint.path, os_reason(error))
    return {checkpoint.step for checkpoint in gone}


class CheckpointCleanup:
    """Deletes obsolete checkpoints while a run goes on; used on rank 0.

    Args:
        config: Config of the run.
        scored_later: Whether checkpoints get their scores after they are written.
        tell: Shows a line to the user.
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
        """Deletes obsolete checkpoints, and reports those that others have deleted.

        Never raises, as no state of the checkpoints may stop the run.

        Args:
            newest: Step of the checkpoint that was just written.
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
            # Without its config a run cannot be evaluated, exported or resumed.
            save(self._config, self._model_dir)
        self._known = there - delete_obsolete(self._model_dir, self._rule, newest)


def _named(steps: list[int]) -> str:
    shown = ", ".join(map(str, steps[:_MOST_NAMED])) + (", ..." if len(steps) > _MOST_NAMED else "")
    one = len(steps) == 1
    return f"the checkpoint{'' if one else 's'} of step{'' if one else 's'} {shown} " + (
        "was deleted" if one else "were deleted"
    )
