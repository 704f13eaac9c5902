"""Manifests, checked by the schemas of their readers; needs `kubernetes-validate`, of `soak`."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from jsonschema import ValidationError, validate

from tests.cluster.files import manifest
from tests.cluster.test_manifests import CLUSTERS, cluster_of, templates
from tests.soak.resource_schemas import (
    CLUSTER_QUEUE,
    LOCAL_QUEUE,
    POD_MONITOR,
    PROMETHEUS_RULE,
    RAY_CLUSTER,
    RAY_JOB,
    RESOURCE_FLAVOR,
)

pytestmark = pytest.mark.soak

KUBERNETES = "1.33"

CUSTOM = {
    "kuberay/raycluster.yaml": RAY_CLUSTER,
    "kuberay/rayjob.yaml": RAY_JOB,
    "kuberay/podmonitor.yaml": POD_MONITOR,
    "kuberay/prometheusrule.yaml": PROMETHEUS_RULE,
    "kueue/clusterqueue.yaml": CLUSTER_QUEUE,
    "kueue/cpu-nodes.yaml": RESOURCE_FLAVOR,
    "kueue/gpu-nodes.yaml": RESOURCE_FLAVOR,
    "kueue/localqueue.yaml": LOCAL_QUEUE,
}

# What KubeRay has that the manifests do not use.
TAKEN = [
    ("kuberay/raycluster.yaml", "upgradeStrategy", {"type": "Recreate"}),
    ("kuberay/raycluster.yaml", "authOptions.enableK8sTokenAuth", False),
    ("kuberay/raycluster.yaml", "managedBy", "kueue.x-k8s.io/multikueue"),
    ("kuberay/rayjob.yaml", "preRunningDeadlineSeconds", 900),
    ("kuberay/rayjob.yaml", "submitterConfig", {"backoffLimit": 1}),
]
REFUSED = [
    ("kuberay/raycluster.yaml", "authOptions.mode", "password"),
    ("kuberay/raycluster.yaml", "authOptions.enableK8sTokenAuth", True),
    ("kuberay/raycluster.yaml", "autoscalerOptions.version", "v3"),
    ("kuberay/raycluster.yaml", "autoscalerOptions.resources.limit", {}),
    ("kuberay/raycluster.yaml", "managedBy", "helm"),
    ("kuberay/raycluster.yaml", "headGroupSpec.resources", {"CPU": "0"}),
    ("kuberay/raycluster.yaml", "headGroupSpec.rayStartParams.labels", "kind=head"),
    ("kuberay/raycluster.yaml", "tlsOptions", {"enabled": True}),
    ("kuberay/rayjob.yaml", "submissionMode", "ClusterMode"),
    ("kuberay/rayjob.yaml", "activeDeadlineSeconds", 0),
    ("kuberay/rayjob.yaml", "shutdownAfterJobFinishes", False),
    ("kuberay/rayjob.yaml", "deletionStrategy", {"onSuccess": {"policy": "DeleteSelf"}}),
    ("kuberay/rayjob.yaml", "rayClusterSpec.upgradeStrategy", {"type": "Recreate"}),
    ("kuberay/rayjob.yaml", "rayClusterSpec.authOptions", {"enableK8sTokenAuth": True}),
    # As the versions before it had it.
    ("kueue/clusterqueue.yaml", "cohort", "all"),
    ("kueue/clusterqueue.yaml", "preemption.withinClusterQueue", "Any"),
    ("kueue/clusterqueue.yaml", "resourceGroups", [{"coveredResources": ["cpu"], "flavors": []}]),
    ("kueue/localqueue.yaml", "clusterQueue", "Raymon"),
]


@pytest.fixture
def kubernetes_validate() -> Any:
    """The validator, which is missing where soak tests are only collected."""
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


@pytest.mark.parametrize(("name", "field", "value"), TAKEN)
def test_fields_of_kuberay_that_no_manifest_uses_are_known(
    name: str, field: str, value: object
) -> None:
    validate(_changed(name, field, value), CUSTOM[name])


@pytest.mark.parametrize(("name", "field", "value"), REFUSED)
def test_what_kuberay_refuses_is_found(name: str, field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        validate(_changed(name, field, value), CUSTOM[name])


def test_tokens_need_the_version_of_ray_and_names_room_for_those_of_services() -> None:
    document = manifest("kuberay/raycluster.yaml")
    del document["spec"]["rayVersion"]
    with pytest.raises(ValidationError, match="rayVersion"):
        validate(document, RAY_CLUSTER)
    document = manifest("kuberay/rayjob.yaml")
    document["metadata"]["name"] = "n" * 48
    with pytest.raises(ValidationError, match="too long"):
        validate(document, RAY_JOB)


def _changed(name: str, field: str, value: object) -> dict:
    document = manifest(name)
    *outer, last = field.split(".")
    part = document["spec"]
    for key in outer:
        part = part[key]
    part[last] = value
    return document


def _pods(template: dict) -> dict:
    return {
        "apiVersion": "v1",
        "kind": "PodTemplate",
        "metadata": {"name": "pods"},
        "template": template,
    }
