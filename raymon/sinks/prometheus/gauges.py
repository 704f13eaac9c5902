"""The gauges of a run: their names, labels and meanings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gauge:
    """A gauge, which has one value for each set of labels.

    Attributes:
        labels: Labels apart from `run`, which all gauges have. Each has few values: never a step.
        description: Description for people who look at the endpoint.
    """

    labels: tuple[str, ...]
    description: str


PREFIX = "raymon_"
"""The beginning of every name; Ray puts `ray_` before it."""

GAUGES = {
    "raymon_up": Gauge((), "1 while the run goes on, 0 when it has ended"),
    "raymon_run_info": Gauge(("model_dir", "version"), "1; where the run writes to, and by what"),
    "raymon_attempt": Gauge((), "How often workers were started, the first time included"),
    "raymon_step": Gauge((), "Steps that the newest numbers reach; lower after a roll-back"),
    "raymon_epoch": Gauge((), "Epoch of that step, from 0"),
    "raymon_loss": Gauge(("loss",), "Mean over the rows of the newest steps, and total_loss"),
    "raymon_non_finite_losses": Gauge(
        ("loss",), "Losses of single steps, among the newest, that were NaN or infinite"
    ),
    "raymon_metric": Gauge(("metric",), "Decayed train metric"),
    "raymon_scalar": Gauge(
        ("name",), "What the user logged, merged over the newest steps and ranks"
    ),
    "raymon_learning_rate": Gauge(("group",), "Learning rate of a parameter group"),
    "raymon_samples_per_second": Gauge(
        (), "Samples of all workers a second, in the newest steps; 0 while none is made"
    ),
    "raymon_steps_per_second": Gauge(
        (), "Steps a second, in the newest steps; 0 while none is made"
    ),
    "raymon_samples_total": Gauge((), "Samples of all workers since the run began"),
    "raymon_phase_share": Gauge(
        ("phase",), "Share of the time of all ranks that a phase took, in the newest steps"
    ),
    "raymon_phase_share_median": Gauge(
        ("phase",), "Share of a phase, of the median rank in each phase"
    ),
    "raymon_phase_share_slowest": Gauge(
        ("phase",), "Share of a phase, of the rank whose own work takes longest"
    ),
    "raymon_host_bytes": Gauge((), "Resident memory of the largest worker process"),
    "raymon_device_bytes": Gauge((), "Most memory that tensors took at once on a GPU"),
    "raymon_device_allocated_bytes": Gauge((), "Memory of tensors on a GPU, of the one with most"),
    "raymon_device_reserved_bytes": Gauge(
        (), "Memory that torch has taken of a GPU, of the one with most"
    ),
    "raymon_device_utilization": Gauge(
        (), "Share of the time in which kernels ran, from 0 to 1, the mean of the GPUs"
    ),
    "raymon_skipped_steps": Gauge(
        (), "Steps of the optimizer that were skipped, among the newest steps"
    ),
    "raymon_loss_scale": Gauge((), "Scale of the loss in FP16, after the newest step"),
    "raymon_table_lookups": Gauge(("table",), "Ids looked up in a table in the newest steps"),
    "raymon_table_distinct_rows": Gauge(("table",), "Different rows among those lookups"),
    "raymon_table_touched_share": Gauge(
        ("table",), "Share of the rows of a table that were looked up since the run began"
    ),
    "raymon_table_top10_share": Gauge(
        ("table",), "Share of the lookups by the ten most frequent rows"
    ),
    "raymon_table_mean_row_norm": Gauge(("table",), "Mean norm of rows that were looked up last"),
    "raymon_table_collision_share": Gauge(
        ("table",), "Expected share of hashed ids that share their row with another"
    ),
    "raymon_table_fallback_lookups": Gauge(
        ("table",), "Lookups of ids without a row of their own, in a table that grows"
    ),
    "raymon_table_admitted": Gauge(("table",), "Ids that got a row in the newest steps"),
    "raymon_table_evicted": Gauge(("table",), "Ids that lost their row in the newest steps"),
    "raymon_table_occupancy": Gauge(("table",), "Share of the rows that belong to an id"),
    "raymon_eval_metric": Gauge(("metric",), "Score of the newest evaluation"),
    "raymon_eval_step": Gauge((), "Step of the newest evaluation"),
    "raymon_checkpoint_step": Gauge((), "Step at which the newest checkpoint was due"),
    "raymon_saves_failed_total": Gauge((), "Saves that failed"),
    "raymon_world_size": Gauge((), "Ranks of the attempt"),
    "raymon_ranks_ended": Gauge((), "Ranks that have no more rows"),
    "raymon_coverage_ranks": Gauge((), "Ranks that are in what was shown last"),
    "raymon_lag_seconds": Gauge(("rank",), "Seconds since a rank was heard"),
    "raymon_lag_seconds_max": Gauge((), "Seconds since the rank was heard that is silent longest"),
    "raymon_lag_steps": Gauge(("rank",), "Steps that a rank is behind the one that is furthest"),
    "raymon_lag_steps_max": Gauge((), "Steps that the last rank is behind the first"),
    "raymon_windows_lost_total": Gauge((), "Windows of single ranks that are in no number"),
    "raymon_alert": Gauge(
        ("kind", "rank"), "1 while something is wrong; rank is empty if it is about the run"
    ),
    "raymon_alerts_total": Gauge(("kind",), "Alerts since the run began"),
    "raymon_sink_failures_total": Gauge((), "Calls to sinks that failed for good"),
}
"""The gauges by name."""
