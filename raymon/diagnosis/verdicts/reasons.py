"""The reasons why a run may be slow, with what helps against them."""

from __future__ import annotations

from dataclasses import dataclass

from raymon.diagnosis.verdicts.time_budget import TimeBudget
from raymon.results import (
    BACKWARD,
    CHECKPOINT,
    DATA,
    EVALUATION,
    FORWARD,
    GARBAGE_COLLECTION,
    INPUT_BATCHING,
    INPUT_DECODING,
    INPUT_FEATURES,
    INPUT_STORAGE,
    MONITOR,
    MOVE,
    OPTIMIZER,
    PEERS,
    STEP,
    Finding,
)

INPUT_BOUND, COMPUTE_BOUND = "input_bound", "compute_bound"
COMMUNICATION_BOUND, TRANSFER_BOUND = "communication_bound", "transfer_bound"
STORAGE_BOUND, EVALUATION_BOUND = "storage_bound", "evaluation_bound"
MONITORING, COLLECTING_GARBAGE = "monitoring", "garbage_collection"


@dataclass(frozen=True)
class Reason:
    """A reason why a run is slow.

    Attributes:
        finding: What is said of it.
        share: Share of the time that it takes.
        short: The same in a few words.
        remedy: What may help, in one or two sentences.
    """

    finding: Finding
    share: float
    short: str
    remedy: str


@dataclass(frozen=True)
class _Kind:
    """A kind of reason.

    Attributes:
        kind: Name of the kind.
        phase: Phase in which the time goes.
        least: Least share of the time from which on it is a reason.
        label: Name for people.
        what: What takes the time.
        remedy: What may help.
    """

    kind: str
    phase: str
    least: float
    label: str
    what: str
    remedy: str


_KINDS = (
    _Kind(
        COMMUNICATION_BOUND,
        PEERS,
        0.25,
        "communication-bound",
        "exchanging gradients and waiting for each other, all ranks alike",
        "Larger batches and gradient_accumulation_steps make the exchange rarer; fewer machines "
        "and a faster network make it shorter, and so do more CPUs where ranks share those of a "
        "busy machine.",
    ),
    _Kind(
        TRANSFER_BOUND,
        MOVE,
        0.15,
        "transfer-bound",
        "moving batches to the device",
        "pin_memory lets the copies run beside the steps; larger batches and fewer or smaller "
        "features make them cheaper.",
    ),
    _Kind(
        STORAGE_BOUND,
        CHECKPOINT,
        0.15,
        "waiting for storage",
        "saving checkpoints",
        "Save more rarely (save_checkpoints_steps), or to a faster disk.",
    ),
    _Kind(
        EVALUATION_BOUND,
        EVALUATION,
        0.25,
        "evaluation takes long",
        "evaluating",
        "Evaluate more rarely or on fewer batches (eval_config.num_steps), or beside the training "
        "(eval_config.mode: ASYNC).",
    ),
    _Kind(
        MONITORING,
        MONITOR,
        0.05,
        "monitoring takes long",
        "monitoring",
        "Fewer train metrics, a larger decay_step and log_step_count_steps make it cheaper.",
    ),
    _Kind(
        COLLECTING_GARBAGE,
        GARBAGE_COLLECTION,
        0.05,
        "garbage collection takes long",
        "Python's garbage collection",
        "A model or dataset of your own that makes many small Python objects in each step causes "
        "it.",
    ),
)

_LEAST_INPUT = 0.2

_PARTS = {
    INPUT_STORAGE: (
        "reading files or drawing from the dataset",
        "Nearer or faster storage, larger row groups, and more threads (data_config.num_workers), "
        "whose reads overlap, may help.",
    ),
    INPUT_DECODING: (
        "decoding",
        "More threads (data_config.num_workers) help as long as CPUs are free; Parquet with large "
        "row groups decodes faster than CSV.",
    ),
    INPUT_FEATURES: (
        "making features",
        "More threads (data_config.num_workers) help as long as CPUs are free; so do features that "
        "are made once, beforehand (fg_mode: FG_NONE).",
    ),
    INPUT_BATCHING: (
        "joining rows to batches",
        "Larger row groups and a smaller shuffle_buffer_size make it cheaper.",
    ),
}

_ANY_PART = (
    "More threads that read (data_config.num_workers), larger row groups, or a dataset that works "
    "ahead may help."
)


def reasons(budget: TimeBudget) -> list[Reason]:
    """Returns the reasons that take a good part of the time, the largest first."""
    shares = {kind: budget.share(kind.phase) for kind in _KINDS}
    for kind in _KINDS:
        if kind.phase == PEERS and budget.total_s > 0:
            shares[kind] = budget.exchange_s / budget.total_s
    found = [_of_kind(kind, share, budget) for kind, share in shares.items() if share >= kind.least]
    if budget.share(DATA) >= _LEAST_INPUT:
        found.append(_of_input(budget))
    return sorted(found, key=lambda reason: -reason.share)


def computing(budget: TimeBudget) -> Reason:
    """Returns the reason that is left if none of the others is: the work itself."""
    share = budget.share(FORWARD, BACKWARD, OPTIMIZER, STEP)
    parts = [
        f"{phase} {budget.share(phase) * 100:.0f} %"
        for phase in (FORWARD, BACKWARD, OPTIMIZER, STEP)
        if budget.share(phase) > 0
    ]
    short = f"compute-bound: {share * 100:.0f} % of the time is the work itself"
    return Reason(
        _finding(
            COMPUTE_BOUND, None, 0.0, f"{short} ({', '.join(parts)})", budget, with_cost=False
        ),
        share,
        short,
        "compile: true, a lower mixed_precision, larger batches, or more workers make it faster.",
    )


def _of_kind(kind: _Kind, share: float, budget: TimeBudget) -> Reason:
    short = f"{kind.label}: {share * 100:.0f} % of the time goes into {kind.what}"
    finding = _finding(kind.kind, kind.phase, share, short, budget)
    return Reason(finding, share, short, kind.remedy)


def _of_input(budget: TimeBudget) -> Reason:
    share, text, remedy = budget.share(DATA), "", _ANY_PART
    short = f"input-bound: {share * 100:.0f} % of the time goes into waiting for data"
    in_all = sum(budget.reading.values())
    if in_all > 0:
        part = max(budget.reading, key=lambda name: budget.reading[name])
        label, remedy = _PARTS[part]
        text = f" ({budget.reading[part] / in_all * 100:.0f} % of the work of its threads)"
        short = f"{short}, most of it {label}"
    finding = _finding(INPUT_BOUND, DATA, share, short + text, budget)
    return Reason(finding, share, short, remedy)


def _finding(
    kind: str,
    phase: str | None,
    share: float,
    text: str,
    budget: TimeBudget,
    *,
    with_cost: bool = True,
) -> Finding:
    return Finding(
        kind,
        text,
        phase=phase,
        first_step=budget.first_step,
        last_step=budget.end_step - 1,
        cost=budget.cost_of(share) if with_cost else None,
    )
