"""The trackers of a config: what is refused, in one line, and what they are made of."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from google.protobuf import text_format

from raymon.config import allow_custom_classes, check_tracker_addresses, load
from raymon.errors import ConfigError, UserError
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.sinks import MLflow, Trackio, WandB, trackers_of
from raymon.sinks.trackers.tracker_sink import TrackerSink
from tests.config.texts import TEXT, write


def config_of(trackers: str) -> PipelineConfig:
    text = f'model_dir: "/runs/ctr" monitor_config {{ {trackers} }}'
    return text_format.Parse(text, PipelineConfig())


@pytest.mark.parametrize(
    ("tracker", "words"),
    [
        ('wandb { mode: "onlin" }', 'wandb.mode: is "onlin"; must be one of online, offline'),
        ('wandb { api_key: "s3cret" }', "api_key"),
        ('mlflow { tracking_uri: "http://u:s3cret@host" }', "set MLFLOW_TRACKING_TOKEN, or MLFLOW"),
        ('mlflow { tracking_uri: "mysql://u:s3cret@host/db" }', "has credentials, which would be"),
        ('mlflow { tags { key: "hf_token" value: "s3cret" } }', "give it in the environment"),
        ('trackio { server_url: "http://h:7860/?write_token=s3cret" }', "set TRACKIO_WRITE_TOKEN"),
        ('trackio { server_url: "host" }', "is no address of http or https"),
        ("trackio { log_checkpoints: ARTIFACT }", "Trackio gets LINK or NONE"),
        ("", "names none; give one of mlflow, wandb, trackio, custom"),
        (
            'custom { class_path: "a:B" kwargs { key: "api_key" value: "\'s3cret\'" } }',
            "a variable that its class reads",
        ),
    ],
)
def test_a_wrong_tracker_is_refused_in_one_line_without_its_secret(
    tmp_path: Path, tracker: str, words: str
) -> None:
    path = write(tmp_path, TEXT + f"\nmonitor_config {{ trackers {{ {tracker} }} }}\n")
    with pytest.raises(ConfigError) as raised:
        load(path)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_a_library_that_is_not_installed_is_named_with_the_extra_that_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for name in ("mlflow", "wandb", "trackio"):
        with pytest.raises(ConfigError) as raised:
            trackers_of(config_of(f"trackers {{ {name} {{}} }}"))
        assert str(raised.value) == (
            f'monitor_config.trackers[0].{name}: needs {name}; pip install "raymon[{name}]"'
        )


def test_a_server_that_a_config_names_gets_numbers_only_if_that_is_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("raymon.config.custom._allowed", False)
    monkeypatch.delenv("RAYMON_ALLOW_CUSTOM_CLASSES", raising=False)
    for named, words in (
        ('mlflow { tracking_uri: "http://a.example/s3cret" }', 'tracking_uri: "a.example"'),
        ('trackio { server_url: "http://a.example/s3cret" }', 'server_url: "a.example"'),
        ('trackio { space_id: "else/where" }', 'space_id: "else/where"'),
    ):
        with pytest.raises(ConfigError, match=words) as raised:
            check_tracker_addresses(config_of(f"trackers {{ {named} }}").monitor_config)
        assert "s3cret" not in str(raised.value)
    local = (
        'mlflow { tracking_uri: "sqlite:///a.db" } } trackers { wandb {} } trackers { trackio {}'
    )
    check_tracker_addresses(config_of(f"trackers {{ {local} }}").monitor_config)


@pytest.mark.parametrize("make", [MLflow, WandB, Trackio])
def test_a_wrong_argument_is_refused_in_one_line(make: Callable[..., object]) -> None:
    with pytest.raises(UserError, match='log_checkpoints is "ALL"; must be one of LINK, '):
        make(log_checkpoints="ALL")
    with pytest.raises(UserError, match='mode is "on"; must be one of online, offline'):
        WandB(mode="on")


def test_mlflow_needs_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(ConfigError, match=r"tracking_uri: is missing; give one, such as"):
        trackers_of(config_of("trackers { mlflow {} }"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://host:5000")
    assert len(trackers_of(config_of("trackers { mlflow {} }"))) == 1


def test_each_tracker_knows_its_run_and_two_of_a_kind_do_not_share_what_they_keep() -> None:
    made = trackers_of(
        config_of(
            'trackers { mlflow { tracking_uri: "sqlite:///a.db" } } trackers { wandb {} } '
            'trackers { trackio {} } trackers { mlflow { tracking_uri: "sqlite:///b.db" } }'
        )
    )
    assert [type(sink) for sink in made] == [MLflow, WandB, Trackio, MLflow]
    paths = [str(sink._path) for sink in made if isinstance(sink, TrackerSink)]
    assert paths == [
        f"/runs/ctr/monitor/tracker_{name}.json"
        for name in ("mlflow", "wandb", "trackio", "mlflow_2")
    ]


OWN = "tests.sinks.trackers.own_sink"


def test_a_sink_of_ones_own_is_made_only_if_that_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = json.dumps(str(tmp_path / "rows"))
    kwargs = f"kwargs {{ key: 'path' value: {json.dumps(value)} }}"
    own = f'trackers {{ custom {{ class_path: "{OWN}:Rows" {kwargs} }} }}'
    monkeypatch.setattr("raymon.config.custom._allowed", False)
    monkeypatch.delenv("RAYMON_ALLOW_CUSTOM_CLASSES", raising=False)
    with pytest.raises(ConfigError, match="--allow-custom-classes"):
        trackers_of(config_of(own))
    allow_custom_classes()
    (sink,) = trackers_of(config_of(own))
    sink.flush()  # what the class does not define does nothing
    assert type(sink).__name__ == "Rows"
    for wrong, words in (
        (f'class_path: "{OWN}:Half"', "has no write_evaluation, write_alert, roll_back, flush"),
        (f'class_path: "{OWN}:Rows"', "cannot be made: "),
    ):
        with pytest.raises(ConfigError, match=words):
            trackers_of(config_of(f"trackers {{ custom {{ {wrong} }} }}"))
