"""The reporter's files on the storage of the run: states, and journals of all records since.

`monitor/state-{step}.pb` is the state of the reporter as of a checkpoint,
`monitor/journal-{step}.pb` what happened after it; on object storage the journal is a directory of
parts. A restarted reporter, on any node, continues from the newest state and its journal. They are
in `monitor/` and not in the checkpoint itself, because a save that had to collect them would wait
for the reporter.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import DecodeError

from raymon.protos.report_pb2 import JournalRecord, ReporterState
from raymon.reporter.store.journal import Journal
from raymon.reporter.store.object_journal import ObjectJournal, open_journal, read_journal
from raymon.storage import StoragePath, remove_tree, write_whole

_STATE = re.compile(r"state-(\d+)\.pb")
_JOURNAL = re.compile(r"journal-(\d+)\.pb")
_CHECKPOINT = re.compile(r"model\.ckpt-(\d+)")


@dataclass(frozen=True)
class Saved:
    """What the store has of a run.

    Attributes:
        state: The newest state that can be read; None if there is none.
        records: Records of the journal since that state, in order.
        unreadable: Names of states that were there and could not be read.
    """

    state: ReporterState | None
    records: list[JournalRecord]
    unreadable: list[str]


class Store:
    """The states and journals of a run.

    Args:
        model_dir: Directory of the run.
    """

    def __init__(self, model_dir: StoragePath) -> None:
        self._model_dir = model_dir
        self._directory = model_dir / "monitor"
        self._journal: Journal | ObjectJournal | None = None

    def load(self) -> Saved:
        """Reads the newest readable state, and the journal since; `append` continues that journal.

        Raises:
            OSError: The storage cannot be read.
        """
        state, unreadable = None, []
        for step in sorted(self._steps(_STATE), reverse=True):
            try:
                state = ReporterState.FromString(self._state_path(step).read_bytes())
                break
            except (OSError, DecodeError) as error:
                # On a disk, only this state is bad. An OSError of object storage means that the
                # storage cannot be reached, so that no other state can be read either.
                if isinstance(error, OSError) and not isinstance(self._directory, Path):
                    raise
                unreadable.append(self._state_path(step).name)
        base = state.end_step if state else 0
        # If newer states cannot be read, their journals follow that of this one.
        journals = sorted(step for step in self._steps(_JOURNAL) if step >= base) or [base]
        self._begin_journal(journals[-1])
        records = [r for step in journals for r in read_journal(self._journal_path(step))]
        return Saved(state, records, unreadable)

    def append(self, record: JournalRecord) -> None:
        """Takes a record; `flush` makes it durable."""
        assert self._journal is not None
        self._journal.append(record)

    def flush(self) -> None:
        """Makes the records that were appended durable.

        Raises:
            OSError: They are not durable; they are kept, and written by the next call.
        """
        if self._journal is not None:
            self._journal.flush()

    def write_state(self, state: ReporterState) -> None:
        """Writes a state, whole or not at all, and begins a new journal after it.

        Raises:
            OSError: It is not written; the journal goes on.
        """
        self.flush()
        # A journal of this step from before a roll-back would be read as if it followed this state.
        self._remove_journal(state.end_step)
        write_whole(self._state_path(state.end_step), state.SerializeToString())
        self._begin_journal(state.end_step)
        self._remove_superseded(state.end_step)

    def forget_after(self, step: int) -> None:
        """Removes the states after `step`, and the journals that begin after it."""
        for found in self._steps(_STATE):
            if found > step:
                self._state_path(found).unlink(missing_ok=True)
        for found in self._steps(_JOURNAL):
            if found > step:
                self._remove_journal(found)

    def close(self) -> None:
        """Closes the journal."""
        if self._journal is not None:
            self._journal.close()

    def _begin_journal(self, step: int) -> None:
        self.close()
        self._journal = open_journal(self._journal_path(step))

    def _remove_superseded(self, newest: int) -> None:
        # A run that goes back to a checkpoint needs the last state up to it. The checkpoint of the
        # newest state may still be under way.
        states = sorted(self._steps(_STATE))
        checkpoints = [
            int(name[1])
            for name in (_CHECKPOINT.fullmatch(entry.name) for entry in self._model_dir.iterdir())
            if name
        ]
        needed = {max((s for s in states if s <= c), default=0) for c in checkpoints}
        needed |= {*states[-2:], newest}
        for step in self._steps(_STATE) | self._steps(_JOURNAL):
            if step < newest and step not in needed:
                self._state_path(step).unlink(missing_ok=True)
                self._remove_journal(step)

    def _remove_journal(self, step: int) -> None:
        path = self._journal_path(step)
        if isinstance(path, Path):
            path.unlink(missing_ok=True)
        else:
            with suppress(FileNotFoundError):
                remove_tree(path)

    def _state_path(self, step: int) -> StoragePath:
        return self._directory / f"state-{step}.pb"

    def _journal_path(self, step: int) -> StoragePath:
        return self._directory / f"journal-{step}.pb"

    def _steps(self, pattern: re.Pattern[str]) -> set[int]:
        if not self._directory.is_dir():
            return set()
        names = (pattern.fullmatch(entry.name) for entry in self._directory.iterdir())
        return {int(name[1]) for name in names if name}
