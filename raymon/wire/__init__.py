"""The messages from a worker to the reporter: layout, states, counts, fixed point."""

from raymon.wire.channel import Ack, BeatChannel, Channel, NodeLink
from raymon.wire.counts import Entries, add_counts, decode_counts, encode_counts
from raymon.wire.fixed_point import FINE_BITS, LARGEST, LARGEST_UNITS, decode, encode, real, units
from raymon.wire.heartbeats import decode_heartbeats, encode_heartbeats
from raymon.wire.histogram import HistogramCounter, encode_histogram
from raymon.wire.layout import Counts, Layout
from raymon.wire.metric_failures import (
    OF_A_METRIC,
    MetricFailure,
    MetricFailures,
    decode_metric_failures,
    encode_metric_failures,
    merge_metric_failures,
)
from raymon.wire.requests import PROFILE, STOP, Profiling, RankAnswer, RankRequest
from raymon.wire.scalar_totals import (
    MEAN,
    REDUCTIONS,
    ScalarTotal,
    ScalarTotals,
    decode_scalars,
    encode_scalars,
    merge_scalars,
)
from raymon.wire.schema_version import SCHEMA_VERSION
from raymon.wire.sending import SendingCounter, add_sending, latency_quantile
from raymon.wire.states import States, decode_states, encode_merged, encode_states, merge_into
from raymon.wire.table_layout import (
    BUCKETS,
    CELLS,
    LEVELS,
    SAMPLED_ROWS,
    TableLayout,
    TableSpec,
)
from raymon.wire.table_sketches import OCCUPIED_ROWS, TableSketches, check_tables

__all__ = [
    "BUCKETS",
    "CELLS",
    "FINE_BITS",
    "LARGEST",
    "LARGEST_UNITS",
    "LEVELS",
    "MEAN",
    "OCCUPIED_ROWS",
    "OF_A_METRIC",
    "PROFILE",
    "REDUCTIONS",
    "SAMPLED_ROWS",
    "SCHEMA_VERSION",
    "STOP",
    "Ack",
    "BeatChannel",
    "Channel",
    "Counts",
    "Entries",
    "HistogramCounter",
    "Layout",
    "MetricFailure",
    "MetricFailures",
    "NodeLink",
    "Profiling",
    "RankAnswer",
    "RankRequest",
    "ScalarTotal",
    "ScalarTotals",
    "SendingCounter",
    "States",
    "TableLayout",
    "TableSketches",
    "TableSpec",
    "add_counts",
    "add_sending",
    "check_tables",
    "decode",
    "decode_counts",
    "decode_heartbeats",
    "decode_metric_failures",
    "decode_scalars",
    "decode_states",
    "encode",
    "encode_counts",
    "encode_heartbeats",
    "encode_histogram",
    "encode_merged",
    "encode_metric_failures",
    "encode_scalars",
    "encode_states",
    "latency_quantile",
    "merge_into",
    "merge_metric_failures",
    "merge_scalars",
    "real",
    "units",
]
