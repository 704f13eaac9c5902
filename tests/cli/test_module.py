from __future__ import annotations

import runpy

import pytest


def test_the_package_is_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["raymon", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("raymon", run_name="__main__")
    assert not ended.value.code
    assert capsys.readouterr().out.startswith("raymon, version")
