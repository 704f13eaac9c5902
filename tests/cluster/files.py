"""The files in `cluster/`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CLUSTER = ROOT / "cluster"
RULES = CLUSTER / "prometheus" / "raymon.rules.yml"
DASHBOARD = CLUSTER / "grafana" / "dashboards" / "raymon.json"

_GAUGE = re.compile(r"\bray_(raymon_\w+)")
_BY = re.compile(r"by \(([^)]*)\) \(ray_(raymon_\w+)")


def manifest(name: str) -> dict[str, Any]:
    """The only document of a YAML file."""
    (document,) = yaml.safe_load_all((CLUSTER / name).read_text())
    return document


def panels() -> list[dict[str, Any]]:
    """The panels of the dashboard, rows among them."""
    return json.loads(DASHBOARD.read_text())["panels"]


def dashboard_queries() -> Iterator[tuple[str, str]]:
    """The title of a panel, and each of its queries."""
    for panel in panels():
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def rules() -> list[dict[str, Any]]:
    """The alerts."""
    return [
        rule
        for group in manifest("prometheus/raymon.rules.yml")["groups"]
        for rule in group["rules"]
    ]


def gauges_of(query: str) -> set[str]:
    """The names of raymon's gauges in a query, without the `ray_` of Ray."""
    return set(_GAUGE.findall(query))


def labels_of(query: str) -> Iterator[tuple[str, set[str]]]:
    """Gauges that a query aggregates by labels, and these."""
    for labels, gauge in _BY.findall(query):
        yield gauge, {label.strip() for label in labels.split(",")}
