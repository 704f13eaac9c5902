"""What TensorBoard shows of a run that is no curve: its config, its hyperparameters, its alerts."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from google.protobuf import text_format
from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData, SessionStartInfo
from tensorboardX.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboardX.summary import text

from raymon.config import TOTAL_LOSS
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.results import Alert
from raymon.sinks.curves import loss_names
from raymon.sinks.tensorboard.hyperparameters import Value, hyperparameters_of

_SESSION_START = "_hparams_/session_start_info"


@dataclass(frozen=True)
class RunCard:
    """What is known of a run before it begins.

    Attributes:
        config: The config as text; empty if there is none.
        hyperparameters: Fields of it that people tune, by path.
        losses: Names of the losses, which an evaluation has among its metrics.
    """

    config: str = ""
    hyperparameters: Mapping[str, Value] = field(default_factory=dict)
    losses: Set[str] = frozenset({TOTAL_LOSS})

    @classmethod
    def of(cls, config: PipelineConfig) -> RunCard:
        """Returns the card of a run with a config."""
        return cls(
            text_format.MessageToString(config, as_utf8=True),
            hyperparameters_of(config),
            loss_names(config),
        )

    def config_summary(self) -> Summary:
        """Returns the config, for the Text tab."""
        return _text("config", self.config) if self.config else Summary()

    def hparams_summary(self, time: float) -> Summary:
        """Returns the hyperparameters, for the HParams tab.

        Without a list of columns: TensorBoard would take that of one run for all of them. So it
        has the hyperparameters of all, and as metrics the curves of the directories with this.

        Args:
            time: Seconds since 1970 at which the run began.
        """
        if not self.hyperparameters:
            return Summary()
        start = SessionStartInfo(start_time_secs=time)
        for name, value in self.hyperparameters.items():
            if isinstance(value, bool):
                start.hparams[name].bool_value = value
            elif isinstance(value, str):
                start.hparams[name].string_value = value
            else:
                start.hparams[name].number_value = value
        content = HParamsPluginData(session_start_info=start, version=0).SerializeToString()
        plugin = SummaryMetadata.PluginData(plugin_name="hparams", content=content)
        metadata = SummaryMetadata(plugin_data=plugin)
        return Summary(value=[Summary.Value(tag=_SESSION_START, metadata=metadata)])


def alert_summary(alert: Alert) -> Summary:
    """Returns an alert, for the Text tab: as `alert/{kind}`."""
    state = "over" if alert.is_over else "began"
    line = f"{state} at step {alert.step}, in attempt {alert.attempt}: {alert.finding.text}"
    return _text(f"alert/{alert.finding.kind}", line)


def _text(tag: str, content: str) -> Summary:
    # The Text tab renders Markdown: a block of code is shown as it is.
    block = "\n".join(f"    {line}" for line in content.splitlines())
    summary: Summary = text(tag, block)
    # tensorboardX would add "/text_summary", which is shown, and makes a table of one cell.
    summary.value[0].tag = tag
    summary.value[0].tensor.ClearField("tensor_shape")
    return summary
