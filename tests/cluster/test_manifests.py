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


def parse_quantity(text: str | int) -> float:
    """A quantity of Kubernetes, such as 64Gi, as a number."""
    number, unit = re.fullmatch(r"([\d.]+)(Gi)?", str(text)).groups()
    return float(number) * (2**30 if unit else 1)


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


def test_a_run_in_the_queue_fits_into_its_quota_with_the_nodes_that_it_needs() -> None:
    queue = manifest("kueue/localqueue.yaml")
    quota = manifest("kueue/clusterqueue.yaml")
    assert queue["spec"]["clusterQueue"] == quota["metadata"]["name"]
    label = f"# kueue.x-k8s.io/queue-name: {queue['metadata']['name']} #"
    assert label in (CLUSTER / "kuberay" / "rayjob.yaml").read_text()
    # What Kueue takes: nothing that grows by itself, and a cluster that goes with its run.
    job = manifest("kuberay/rayjob.yaml")["spec"]
    assert job["shutdownAfterJobFinishes"] is True
    assert "enableInTreeAutoscaling" not in job["rayClusterSpec"]
    (group,) = quota["spec"]["resourceGroups"]
    flavors = {flavor["name"]: flavor["resources"] for flavor in group["flavors"]}
    for name, resources in flavors.items():
        assert manifest(f"kueue/{name}.yaml")["metadata"]["name"] == name
        assert [each["name"] for each in resources] == group["coveredResources"]
    room = {
        name: {each["name"]: parse_quantity(each["nominalQuota"]) for each in resources}
        for name, resources in flavors.items()
    }
    head, workers = templates(job["rayClusterSpec"])
    replicas = job["rayClusterSpec"]["workerGroupSpecs"][0]["replicas"]
    for template, flavor, count in ((head, "cpu-nodes", 1), (workers, "gpu-nodes", replicas)):
        (container,) = template["spec"]["containers"]
        for resource, wanted in container["resources"]["requests"].items():
            assert parse_quantity(wanted) * count <= room[flavor][resource]


def test_what_is_started_again_goes_on_where_it_was() -> None:
    entrypoint = manifest("kuberay/rayjob.yaml")["spec"]["entrypoint"].split()
    scripts = [(CLUSTER / "slurm" / "raymon.sbatch").read_text().split()]
    for words in (entrypoint, *scripts):
        assert "--resume-if-any" in words
        assert "--resume" not in words


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
