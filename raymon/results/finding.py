"""A finding: something that is wrong with a run, or a reason why it is slow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

HANG = "hang"
"""Kind of a finding: ranks do not go on."""

RANK_GONE = "rank_gone"
"""Kind of a finding: the process of a rank has ended without a word."""

Key = tuple[str, int | None, str]
"""What a finding is about: its kind, rank and subject."""


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a run, or a reason why it is slow.

    Attributes:
        kind: Kind of the finding, such as "straggler" or "loss_spike".
        text: What is wrong, in one line, for people.
        rank: Rank that it is about; None if it is about the run.
        host: Host of the rank; None if it is not known.
        phase: Phase of a step that it is about, as in `STEP_PHASES`; None if it is about none.
        first_step: Step from which on it is so; None if it is not known.
        last_step: Last step of which it is known to be so; None if it is not known.
        cost: Samples per second that it costs the cluster; None if it costs none that is known.
        subject: What in particular it is about, such as the name of a metric or a table.
        of_steps: Whether it follows from the numbers of steps alone, so that steps that are made
            again after a restart say the same again.
    """

    kind: str
    text: str
    rank: int | None = None
    host: str | None = None
    phase: str | None = None
    first_step: int | None = None
    last_step: int | None = None
    cost: float | None = None
    subject: str = ""
    of_steps: bool = False

    @property
    def key(self) -> Key:
        """What the finding is about; two findings with the same key are one that goes on.

        Without the rank where it is of steps, which are those of all ranks.
        """
        return self.kind, None if self.of_steps else self.rank, self.subject

    def to_json(self) -> dict[str, Any]:
        """Returns the finding as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Finding:
        """Returns the finding of a JSON object, which may have more in it.

        Raises:
            TypeError: Its kind or text is missing.
        """
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in record.items() if name in names})
