"""The phases of a step, and what is outside of steps."""

from __future__ import annotations

DATA, MOVE = "data", "move"
FORWARD, BACKWARD, PEERS, OPTIMIZER = "forward", "backward", "peers", "optimizer"
MONITOR, GARBAGE_COLLECTION = "monitor", "garbage_collection"
STEP = "step"

STEP_PHASES = (
    DATA,
    MOVE,
    FORWARD,
    BACKWARD,
    PEERS,
    OPTIMIZER,
    MONITOR,
    GARBAGE_COLLECTION,
    STEP,
)
"""Phases whose seconds add up to those of the steps.

They are: waiting for a batch, moving it to the device, forward, backward, waiting for other ranks,
the optimizer, monitoring, garbage collection; and what a custom loop does not tell apart.
"""

CHECKPOINT, EVALUATION, START = "checkpoint", "evaluation", "start"

OUTSIDE_PHASES = (CHECKPOINT, EVALUATION, START)
"""Phases that are no part of steps: saves, evaluations, and what comes before the first step."""

PHASES = (*STEP_PHASES, *OUTSIDE_PHASES)

OWN_PHASES = tuple(phase for phase in STEP_PHASES if phase != PEERS)
"""Phases of a step in which a rank does its own work, and waits for no other rank."""

INPUT_STORAGE, INPUT_DECODING = "input_storage", "input_decoding"
INPUT_FEATURES, INPUT_BATCHING = "input_features", "input_batching"

INPUT_PARTS = (INPUT_STORAGE, INPUT_DECODING, INPUT_FEATURES, INPUT_BATCHING)
"""Parts of reading, whose seconds are those of all threads of a rank that read, added up.

They are: waiting for files, decoding them, making features of them, joining rows to batches.
"""
