"""Whether versions fit raymon, each other, and those of other machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from raymon.embeddings import fitting_versions
from raymon.training.doctor.facts import Facts, NodeFacts
from raymon.training.doctor.problem import Problem

_SAME = ("python", "ray", "torch", "raymon")
"""What has to be the same on all machines: Ray refuses another Ray or Python; torch of another
version sums in another order, and may not join the others; raymon sends messages of its own."""

_TABLES = ("torchrec", "fbgemm")


def check_versions(facts: Facts) -> Iterator[Problem]:
    """Yields versions that are missing, that raymon does not work with, or that differ."""
    allowed = allowed_versions()
    there = [node for node in facts.nodes if node.why_missing is None]
    for node in facts.nodes:
        if node.why_missing is not None:
            yield Problem(
                "versions",
                f"raymon does not run there: {node.why_missing}",
                "install raymon on it, in the same Python as Ray, or leave the node out",
                node.host,
                is_fatal=True,
            )
    for node in there:
        yield from _unfit(node, allowed)
        yield from _tables(node, facts.is_sharded)
    for name in _SAME:
        yield from _different(name, there)


def allowed_versions() -> dict[str, SpecifierSet]:
    """Returns the versions of each package that raymon works with, as its metadata has them."""
    try:
        listed = [Requirement(line) for line in requires("raymon") or ()]
    except PackageNotFoundError:
        return {}
    return {one.name.lower(): one.specifier for one in listed if one.marker is None}


def _unfit(node: NodeFacts, allowed: Mapping[str, SpecifierSet]) -> Iterator[Problem]:
    for name, specifier in allowed.items():
        if name not in node.versions:
            continue
        version = node.versions[name]
        if version is None:
            yield Problem(
                "versions",
                f"{name} is not installed",
                f'pip install "{name}{specifier}"',
                node.host,
                is_fatal=True,
            )
        elif not specifier.contains(version, prereleases=True):
            yield Problem(
                "versions",
                f"{name} {version} is not among those that raymon works with, {specifier}",
                f'pip install "{name}{specifier}"',
                node.host,
                is_fatal=True,
            )


def _tables(node: NodeFacts, is_sharded: bool) -> Iterator[Problem]:
    fitting = fitting_versions(node.versions.get("torch") or "")
    for name in _TABLES:
        version = node.versions.get(name)
        if version is None:
            if is_sharded:
                yield Problem(
                    "versions",
                    f"{name} is not installed, and the embedding tables are sharded",
                    "install it as the guide on embedding tables says",
                    node.host,
                    is_fatal=True,
                )
        elif fitting is None or not version.startswith(fitting.rstrip("*")):
            yield Problem(
                "versions",
                f"{name} {version} is not built for torch {node.versions.get('torch')}",
                f"install {name} {fitting}" if fitting else f"uninstall {name}",
                node.host,
                is_fatal=is_sharded,
            )


def _different(name: str, nodes: list[NodeFacts]) -> Iterator[Problem]:
    hosts: dict[str | None, list[str]] = {}
    for node in nodes:
        hosts.setdefault(node.versions.get(name), []).append(node.host)
    if len(hosts) < 2:
        return
    listed = "; ".join(f"{version} on {', '.join(found)}" for version, found in hosts.items())
    yield Problem(
        "versions",
        f"{name} differs between machines: {listed}",
        f"install the same {name} on all of them",
        is_fatal=True,
    )
