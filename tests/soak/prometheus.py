"""A Prometheus server for a test."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import yaml

from tests.cluster.files import CLUSTER, RULES

Sample = tuple[Mapping[str, str], float]


def program(name: str) -> str:
    """Returns the path of a program of Prometheus; the test fails if it is missing."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is missing: apt-get install --no-install-recommends prometheus")
    return found


def short_rules(directory: Path, changes: Mapping[str, Mapping[str, str]]) -> Path:
    """Writes a copy of the rules in which some alerts fire sooner.

    Args:
        directory: Directory of the copy.
        changes: By alert, what changes: `for`, and words of the query with their replacements.
    """
    document = yaml.safe_load(RULES.read_text())
    rules = {rule["alert"]: rule for group in document["groups"] for rule in group["rules"]}
    for alert, changed in changes.items():
        for old, new in changed.items():
            if old == "for":
                rules[alert]["for"] = new
            else:
                assert old in rules[alert]["expr"]
                rules[alert]["expr"] = rules[alert]["expr"].replace(old, new)
    path = directory / RULES.name
    path.write_text(yaml.safe_dump(document))
    return path


class Prometheus:
    """A running server.

    Args:
        address: Address that it listens on.
        process: Process of the server.
    """

    def __init__(self, address: str, process: subprocess.Popen[bytes]) -> None:
        self._address = address
        self._process = process

    def query(self, query: str) -> list[Sample]:
        """Returns the samples of an instant query."""
        answer = self._get("query", query=query)
        return [(s["metric"], float(s["value"][1])) for s in answer["result"]]

    def firing(self) -> set[tuple[str, str]]:
        """Returns the alerts that fire, by their name and run."""
        alerts = self._get("alerts")["alerts"]
        return {
            (alert["labels"]["alertname"], alert["labels"].get("run", ""))
            for alert in alerts
            if alert["state"] == "firing"
        }

    def graph(self, query: str, seconds: int) -> str:
        """Returns the address of the page that draws a query.

        Args:
            query: Query that is drawn.
            seconds: Seconds of the past that are shown.
        """
        asked = {"g0.expr": query, "g0.tab": "0", "g0.range_input": f"{seconds}s"}
        return f"http://{self._address}/classic/graph?{urlencode(asked)}"

    def wait_for(self, condition: Callable[[], Any], seconds: float = 120.0) -> Any:
        """Returns the value of a condition, once it is true.

        Raises:
            TimeoutError: It was not true in time.
        """
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert self._process.poll() is None
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {seconds:g} s")
            time.sleep(0.5)
        return found

    def _get(self, what: str, **parameters: str) -> dict[str, Any]:
        url = f"http://{self._address}/api/v1/{what}?{urlencode(parameters)}"
        with urlopen(url, timeout=30) as response:
            answer = json.load(response)
        assert answer["status"] == "success"
        return dict(answer["data"])


@contextmanager
def prometheus(directory: Path, discovery: Path, rules: Path) -> Iterator[Prometheus]:
    """A server with the configuration of `cluster/`, which scrapes each second.

    Args:
        directory: Directory of its data.
        discovery: Service discovery file of Ray.
        rules: Rules in place of those in `cluster/`.
    """
    config = yaml.safe_load((CLUSTER / "prometheus" / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(rules)]
    (files,) = config["scrape_configs"][0]["file_sd_configs"]
    assert Path(files["files"][0]).name == discovery.name
    files.update(files=[str(discovery)], refresh_interval="1s")
    path = directory / "prometheus.yml"
    path.write_text(yaml.safe_dump(config))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    log = directory / "prometheus.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={path}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=output,
            stderr=output,
        )
    try:
        server = Prometheus(address, process)
        server.wait_for(lambda: _answers(server), 30)
        yield server
    finally:
        process.terminate()
        process.wait(30)


def _answers(server: Prometheus) -> bool:
    try:
        return server.query("vector(1)") == [({}, 1.0)]
    except OSError:
        return False
