"""A process with the sinks of four trackers, as a reporter has them.

    python -m tests.soak.tracked_reporter FOLDER ATTEMPT FIRST LAST [end]

It publishes windows of ten steps from FIRST to LAST, with the numbers of `numbers_of`, and an
evaluation at each fifth; then it prints "flushed", and either ends the run or waits to be killed.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

from raymon.results import AttemptBegan, CheckpointSaved, Evaluation, RunEnded
from raymon.sinks import BackgroundSink, MLflow, TrackedRun, Trackio, WandB, bound
from tests.sinks.snapshots import snapshot


def numbers_of(step: int, attempt: int) -> tuple[float, float]:
    """Returns the loss and the AUC of the steps before a step; each attempt has its own."""
    rng = random.Random(f"{step} {attempt}")
    return rng.random(), rng.random()


def main() -> None:
    folder, attempt, first, last = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    sinks = bound(
        [
            MLflow(tracking_uri=f"sqlite:///{folder}/mlflow.db"),
            MLflow(tracking_uri=f"{folder}/mlruns"),
            WandB(mode="offline", directory=str(folder)),
            Trackio(directory=f"{folder}/trackio"),
        ],
        TrackedRun(str(folder / "run"), "ctr", "text", {"lr": 0.1}, frozenset({"total_loss"})),
    )
    shielded = [BackgroundSink(sink) for sink in sinks]
    for sink in shielded:
        sink.begin_attempt(AttemptBegan(attempt, 2, first - 10))
        sink.roll_back(first - 10, -1)
        for step in range(first, last + 10, 10):
            loss, auc = numbers_of(step, attempt)
            at = 1e9 * attempt + step
            sink.write(snapshot(step, time=at, losses={"bce": loss}, metrics={"auc": auc}))
            if step % 50 == 0:
                scores = {"auc": auc, "total_loss": loss}
                sink.write_evaluation(Evaluation(step, scores, time=at))
                sink.write_checkpoint(CheckpointSaved(step, f"/runs/ctr/{step}", at, 1.0))
    for flushed in [sink.begin_flush() for sink in shielded]:
        assert flushed.wait(200)
    print([sink.take_notices() for sink in shielded])
    print("flushed", flush=True)
    if sys.argv[5:] == ["end"]:
        for sink in shielded:
            sink.end_run(RunEnded("done"))
            sink.close()
        print([sink.failure_reasons for sink in shielded])
    else:
        time.sleep(600)


if __name__ == "__main__":
    main()
