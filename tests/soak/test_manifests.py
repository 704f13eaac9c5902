"""Manifests by the schemas of those who read them. Needs `kubernetes-validate`, of `soak`."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from jsonschema import ValidationError, validate

from tests.cluster.files import manifest
from tests.cluster.test_manifests import CLUSTERS, cluster_of, templates
from tests.soak.resource_schemas import POD_MONITOR, PROMETHEUS_RULE, RAY_CLUSTER, RAY_JOB

pytestmark = pytest.mark.soak

KUBERNETES = "1.33"

CUSTOM = {
    "kuberay/raycluster.yaml": RAY_CLUSTER,
    "kuberay/rayjob.yaml": RAY_JOB,
    "kuberay/podmonitor.yaml": POD_MONITOR,
    "kuberay/prometheusrule.yaml": PROMETHEUS_RULE,
}


@pytest.fixture
def kubernetes_validate() -> Any:
    """The validator, which is not there where soak tests are only collected."""
    import kubernetes_validate

    return kubernetes_validate


@pytest.mark.parametrize("name", ["kuberay/storage.yaml", "kuberay/networkpolicy.yaml"])
def test_kubernetes_takes_its_own_kinds(kubernetes_validate: Any, name: str) -> None:
    kubernetes_validate.validate(manifest(name), KUBERNETES, strict=True)


@pytest.mark.parametrize("name", CLUSTERS)
def test_kubernetes_takes_the_pods(kubernetes_validate: Any, name: str) -> None:
    for template in templates(cluster_of(name)):
        kubernetes_validate.validate(_pods(template), KUBERNETES, strict=True)


def test_a_field_that_pods_do_not_have_is_found(kubernetes_validate: Any) -> None:
    template = copy.deepcopy(templates(cluster_of("kuberay/rayjob.yaml"))[0])
    template["spec"]["containers"][0]["volumeMount"] = []
    with pytest.raises(kubernetes_validate.ValidationError, match="volumeMount"):
        kubernetes_validate.validate(_pods(template), KUBERNETES, strict=True)


@pytest.mark.parametrize("name", CUSTOM)
def test_operators_take_their_kinds(name: str) -> None:
    validate(manifest(name), CUSTOM[name])


@pytest.mark.parametrize("name", CUSTOM)
def test_a_field_that_operators_do_not_know_is_found(name: str) -> None:
    document = manifest(name)
    document["spec"]["authOption"] = {}
    with pytest.raises(ValidationError, match="authOption"):
        validate(document, CUSTOM[name])


def _pods(template: dict) -> dict:
    return {
        "apiVersion": "v1",
        "kind": "PodTemplate",
        "metadata": {"name": "pods"},
        "template": template,
    }
