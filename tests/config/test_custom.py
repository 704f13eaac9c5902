"""A config from somebody else runs no code of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from raymon.config import custom
from raymon.errors import ConfigError
from tests.cli.test_bad_input import raymon

__all__ = ["raymon"]


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module whose import leaves a trace; custom classes are not allowed."""
    trace = tmp_path / "trace"
    (tmp_path / "strange_module.py").write_text(f"open({str(trace)!r}, 'w').close()\nclass C: ...")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv(custom.ALLOWED_BY)
    monkeypatch.setattr(custom, "_allowed", False)
    sys.modules.pop("strange_module", None)
    return trace


@pytest.mark.parametrize(
    "override",
    [
        'model_config.custom={class_path: "strange_module:C"}',
        'model_config.metrics+={custom_metric {name: "strange_module:C"}}',
        'model_config.train_metrics+={custom_metric {name: "strange_module:C"}}',
    ],
)
def test_nothing_is_imported_that_was_not_allowed(
    stranger: Path, config_file: Path, raymon, override: str
) -> None:
    more = ["--set", "model_config.deepfm="] if "class_path" in override else []
    code, errors = raymon("config", "check", config_file, *more, "--set", override)
    assert code == 2
    assert len(errors.splitlines()) == 1
    assert "--allow-custom-classes" in errors
    assert not stranger.exists()
    code, errors = raymon(
        "config", "check", config_file, *more, "--set", override, "--allow-custom-classes"
    )
    assert code == 2, "it is neither a model nor a metric"
    assert stranger.exists()


def test_it_is_allowed_by_the_environment_too(stranger: Path, monkeypatch) -> None:
    with pytest.raises(ConfigError, match=custom.ALLOWED_BY):
        custom.import_class("strange_module:C", "here")
    monkeypatch.setenv(custom.ALLOWED_BY, "1")
    assert custom.import_class("strange_module:C", "here").__name__ == "C"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('alert_command: ["/bin/sh", "-c", "true"]', 'alert_command: "/bin/sh"'),
        ('alert_webhook: "https://a.example/s3cret"', 'alert_webhook: "a.example"'),
    ],
)
def test_alerts_go_nowhere_that_was_not_allowed(
    stranger: Path, config_file: Path, raymon, text: str, named: str
) -> None:
    config_file.write_text(f"{config_file.read_text()}\nmonitor_config {{ {text} }}")
    code, errors = raymon("config", "check", config_file)
    assert code == 2
    assert len(errors.splitlines()) == 1
    assert named in errors
    assert "--allow-custom-classes" in errors
    assert "s3cret" not in errors
    assert raymon("config", "check", config_file, "--allow-custom-classes")[0] == 0


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "gopher://a.example", "https://", "https://me:s3cret@a.example"],
)
def test_an_address_for_alerts_is_one_of_the_web_and_has_no_credentials(
    config_file: Path, raymon, address: str
) -> None:
    text = f'monitor_config {{ alert_webhook: "{address}" }}'
    config_file.write_text(f"{config_file.read_text()}\n{text}")
    code, errors = raymon("config", "check", config_file)
    assert code == 2
    assert "alert_webhook" in errors
    assert "s3cret" not in errors
