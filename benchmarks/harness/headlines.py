"""The figures that the README shows: each from a stored result, with its command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.harness.result import Ratio, Result, number

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- figures of make bench: begin -->", "<!-- figures of make bench: end -->"

HEADLINES = (
    # Description, benchmark, name of the ratio.
    ("what watching adds to a step", "step_overhead", "raymon: added to a step, of the step"),
    (
        "the training thread at the end of a window, times less than `ray.train.report`",
        "step_overhead",
        "end of a window: times less than ray.train.report",
    ),
    (
        "an AUC update of 8,192 scores, times faster than torchmetrics with 200 thresholds",
        "metrics",
        "AUC: update, 1 thread, 8,192 rows: times faster than torchmetrics AUROC, 200 thresholds",
    ),
    (
        "rows a second from Parquet to features, of pyarrow that only decodes",
        "data",
        "raymon: rows/s over those of pyarrow iter_batches alone",
    ),
    ("the same, times `ray.data`", "data", "raymon: rows/s over those of ray.data"),
    (
        "samples a second of a whole run, of the same loop without monitoring",
        "end_to_end",
        "samples/s, of the same loop, unwatched",
    ),
    (
        "the same, of Ray Train with `ray.data` and torchmetrics",
        "end_to_end",
        "samples/s, of Ray Train, ray.data, torchmetrics",
    ),
    (
        "the same, of Lightning with torchmetrics",
        "end_to_end",
        "samples/s, of Lightning, DDP, torchmetrics",
    ),
    (
        "grouped AUC of a million rows, times faster than a loop of torchmetrics",
        "evaluation",
        "one process, 1,000,000 rows: times faster than loop of torchmetrics binary_auroc",
    ),
    (
        "seconds to the first step, of a minimal `TorchTrainer`",
        "start_up",
        "seconds from the call to the first step",
    ),
    (
        "standstill for a checkpoint, of `torch.save` and a blocking report",
        "checkpoint",
        "standstill, of that of torch.save, blocking report",
    ),
    (
        "samples a second on 2 workers with 26 sharded tables of 1,000,000 rows, of a bare loop",
        "sharded_tables",
        "samples/s, of those of the bare loop",
    ),
    (
        "standstill for a save of these tables, of `torch.save` of each rank's part",
        "sharded_tables",
        "standstill for a save, of that of torch.save",
    ),
)


def write(results: Mapping[str, Result], readme: Path = README) -> None:
    """Replaces the table in the README.

    Raises:
        ValueError: The README has no place for it.
    """
    text = readme.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"{readme} has no lines {BEGIN} and {END}")
    table = "\n".join(_table(results))
    readme.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def _table(results: Mapping[str, Result]) -> Iterator[str]:
    yield "| | figure | raymon | beside | command |"
    yield "|---|---|---|---|---|"
    for what, benchmark, name in HEADLINES:
        ratio = next((r for r in _ratios(results, benchmark) if r.name == name), None)
        if ratio is not None:
            command = f"`python -m benchmarks {benchmark}`"
            yield f"| {what} | {number(ratio.figure)} | {ratio.ours} | {ratio.peer} | {command} |"


def _ratios(results: Mapping[str, Result], benchmark: str) -> list[Ratio]:
    return list(results[benchmark].ratios) if benchmark in results else []
