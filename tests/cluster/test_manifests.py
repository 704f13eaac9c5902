"""What the manifests promise: a token, no public door, one version of Ray."""

import re
import tomllib

import pytest
import ray
import yaml
from packaging.requirements import Requirement

from tests.cluster.files import CLUSTER, ROOT, manifest

PATHS = sorted(path for path in CLUSTER.rglob("*.y*ml"))
CLUSTERS = {
    "kuberay/raycluster.yaml": lambda document: document["spec"],
    "kuberay/rayjob.yaml": lambda document: document["spec"]["rayClusterSpec"],
}


def cluster_of(name: str) -> dict:
    return CLUSTERS[name](manifest(name))


def templates(cluster: dict) -> list[dict]:
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    return [group["template"] for group in groups]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_yaml_is_one_document_without_a_secret(path) -> None:
    (document,) = yaml.safe_load_all(path.read_text())
    assert isinstance(document, dict)
    assert document.get("kind") != "Secret"
    assert not re.search(r"(token|password|key): *['\"]?[A-Za-z0-9+/]{20,}", path.read_text())


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_cluster_on_kubernetes_has_a_token_and_no_public_door(name: str) -> None:
    cluster = cluster_of(name)
    assert cluster["authOptions"] == {"mode": "token", "secretName": "raymon-ray-token"}
    head = cluster["headGroupSpec"]
    assert head["serviceType"] == "ClusterIP"
    assert head["enableIngress"] is False
    for template in templates(cluster):
        assert template["spec"]["securityContext"]["runAsNonRoot"] is True
        (container,) = template["spec"]["containers"]
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert not any("hostPort" in port for port in container["ports"])


@pytest.mark.parametrize("name", CLUSTERS)
def test_every_node_has_the_storage_and_is_found_by_policy_and_monitor(name: str) -> None:
    claim = manifest("kuberay/storage.yaml")["metadata"]["name"]
    policy = manifest("kuberay/networkpolicy.yaml")["spec"]["podSelector"]["matchLabels"]
    monitor = manifest("kuberay/podmonitor.yaml")["spec"]
    (endpoint,) = monitor["podMetricsEndpoints"]
    cluster = cluster_of(name)
    for template in templates(cluster):
        labels = template["metadata"]["labels"]
        assert policy.items() <= labels.items()
        # KubeRay gives the label of its own to every node.
        assert (
            monitor["selector"]["matchLabels"].items()
            <= {
                **labels,
                "ray.io/is-ray-node": "yes",
            }.items()
        )
        (volume,) = template["spec"]["volumes"]
        assert volume["persistentVolumeClaim"]["claimName"] == claim
        (container,) = template["spec"]["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert endpoint["port"] in ports
        assert [mount["name"] for mount in container["volumeMounts"]] == [volume["name"]]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        assert group["rayStartParams"]["metrics-export-port"] == str(ports["metrics"])


def test_the_policy_opens_the_port_that_prometheus_scrapes_and_the_dashboard() -> None:
    policy = manifest("kuberay/networkpolicy.yaml")["spec"]
    assert policy["policyTypes"] == ["Ingress"]
    assert policy["ingress"][0].get("ports") is None  # the nodes themselves
    # Helm and kustomize give the operator different names, and this label both.
    (operator,) = policy["ingress"][1]["from"]
    labels = operator["podSelector"]["matchLabels"]
    assert labels == {"app.kubernetes.io/component": "kuberay-operator"}
    ports = [[port["port"] for port in rule["ports"]] for rule in policy["ingress"][1:]]
    assert ports == [[8265], [8080]]
    assert all(rule["from"] for rule in policy["ingress"])


def test_the_cluster_grows_and_shrinks() -> None:
    cluster = cluster_of("kuberay/raycluster.yaml")
    assert cluster["enableInTreeAutoscaling"] is True
    groups = {group["groupName"]: group for group in cluster["workerGroupSpecs"]}
    assert set(groups) == {"cpu", "gpu"}
    for group in groups.values():
        assert group["minReplicas"] <= group["replicas"] < group["maxReplicas"]
    # This autoscaler takes no pod that starts again where it died.
    assert cluster["autoscalerOptions"]["version"] == "v2"
    assert {template["spec"]["restartPolicy"] for template in templates(cluster)} == {"Never"}
    for container in groups["gpu"]["template"]["spec"]["containers"]:
        assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"


def test_all_clusters_have_the_ray_that_raymon_is_tested_with() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (wanted,) = [r for r in map(Requirement, project["dependencies"]) if r.name == "ray"]
    image = re.search(r"rayproject/ray:([\d.]+)-", (CLUSTER / "Containerfile").read_text())
    assert image is not None
    version = image[1]
    assert wanted.specifier.contains(version)
    assert {cluster_of(name)["rayVersion"] for name in CLUSTERS} == {version}
    assert ray.__version__.split(".")[:2] == version.split(".")[:2]


def test_virtual_machines_have_a_token_and_no_public_door() -> None:
    config = manifest("ray-up.yaml")
    assert config["provider"]["use_internal_ips"] is True
    for commands in (config["head_start_ray_commands"], config["worker_start_ray_commands"]):
        assert "RAY_AUTH_MODE=token" in commands[-1]
    assert "--dashboard-host=127.0.0.1" in config["head_start_ray_commands"][-1]
    assert "~/.ray/auth_token" in config["file_mounts"].values()


def test_ray_takes_the_file_for_virtual_machines() -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    validate_config(prepare_config(manifest("ray-up.yaml")))
