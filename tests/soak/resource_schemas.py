"""The fields of custom resources, as their documentation has them.

Neither KubeRay nor the Prometheus operator has its definitions in a Python package, so these
schemas are written by hand, of the fields that KubeRay 1.6 and the operator document and that
`cluster/` can need. A field that they do not know is an error; pods are checked by the schemas of
Kubernetes itself.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer", "minimum": 0}
BOOLEAN: Schema = {"type": "boolean"}
STRINGS: Schema = {"type": "object", "additionalProperties": STRING}
ANY: Schema = {"type": "object"}


def _object(required: list[str], **properties: Schema) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": properties,
    }


def _one_of(*values: str) -> Schema:
    return {"enum": list(values)}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _resource(api: str, kind: str, spec: Schema) -> Schema:
    return _object(
        ["apiVersion", "kind", "metadata", "spec"],
        apiVersion={"const": api},
        kind={"const": kind},
        metadata=_object(["name"], name=STRING, labels=STRINGS, annotations=STRINGS),
        spec=spec,
    )


_HEAD = _object(
    ["template"],
    template=ANY,
    headService=ANY,
    enableIngress=BOOLEAN,
    rayStartParams=STRINGS,
    resources=STRINGS,
    labels=STRINGS,
    serviceType=_one_of("ClusterIP", "NodePort", "LoadBalancer"),
)
_WORKERS = _object(
    ["groupName", "template", "minReplicas", "maxReplicas"],
    groupName=STRING,
    suspend=BOOLEAN,
    replicas=INTEGER,
    minReplicas=INTEGER,
    maxReplicas=INTEGER,
    idleTimeoutSeconds=INTEGER,
    numOfHosts=INTEGER,
    rayStartParams=STRINGS,
    resources=STRINGS,
    labels=STRINGS,
    template=ANY,
    scaleStrategy=ANY,
)
_AUTOSCALER = _object(
    [],
    resources=ANY,
    image=STRING,
    imagePullPolicy=STRING,
    securityContext=ANY,
    idleTimeoutSeconds=INTEGER,
    upscalingMode=_one_of("Default", "Aggressive", "Conservative"),
    version=_one_of("v1", "v2"),
    env=_list(ANY),
    envFrom=_list(ANY),
    volumeMounts=_list(ANY),
)
_CLUSTER = _object(
    ["headGroupSpec"],
    authOptions=_object(
        [],
        mode=_one_of("disabled", "token"),
        secretName=STRING,
        enableK8sTokenAuth=BOOLEAN,
    ),
    suspend=BOOLEAN,
    managedBy=STRING,
    autoscalerOptions=_AUTOSCALER,
    headServiceAnnotations=STRINGS,
    enableInTreeAutoscaling=BOOLEAN,
    gcsFaultToleranceOptions=ANY,
    headGroupSpec=_HEAD,
    rayVersion={"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
    workerGroupSpecs=_list(_WORKERS),
)
RAY_CLUSTER = _resource("ray.io/v1", "RayCluster", _CLUSTER)
RAY_JOB = _resource(
    "ray.io/v1",
    "RayJob",
    _object(
        [],
        activeDeadlineSeconds=INTEGER,
        backoffLimit=INTEGER,
        rayClusterSpec=_CLUSTER,
        submitterPodTemplate=ANY,
        metadata=STRINGS,
        clusterSelector=STRINGS,
        submitterConfig=ANY,
        managedBy=STRING,
        deletionStrategy=ANY,
        entrypoint=STRING,
        runtimeEnvYAML=STRING,
        jobId=STRING,
        submissionMode=_one_of("K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"),
        entrypointResources=STRING,
        entrypointNumCpus={"type": "number"},
        entrypointNumGpus={"type": "number"},
        ttlSecondsAfterFinished=INTEGER,
        shutdownAfterJobFinishes=BOOLEAN,
        suspend=BOOLEAN,
    ),
)
POD_MONITOR = _resource(
    "monitoring.coreos.com/v1",
    "PodMonitor",
    _object(
        ["selector", "podMetricsEndpoints"],
        selector=_object([], matchLabels=STRINGS, matchExpressions=_list(ANY)),
        namespaceSelector=ANY,
        podTargetLabels=_list(STRING),
        podMetricsEndpoints=_list(
            _object(
                [],
                port=STRING,
                path=STRING,
                scheme=STRING,
                interval={"type": "string", "pattern": r"^\d+(ms|s|m|h)$"},
                scrapeTimeout={"type": "string", "pattern": r"^\d+(ms|s|m|h)$"},
                honorLabels=BOOLEAN,
                relabelings=_list(
                    _object(
                        [],
                        sourceLabels=_list(STRING),
                        separator=STRING,
                        targetLabel=STRING,
                        regex=STRING,
                        replacement=STRING,
                        action=STRING,
                    )
                ),
            )
        ),
    ),
)
PROMETHEUS_RULE = _resource(
    "monitoring.coreos.com/v1",
    "PrometheusRule",
    _object(
        ["groups"],
        groups=_list(
            _object(
                ["name", "rules"],
                name=STRING,
                interval=STRING,
                rules=_list(
                    _object(
                        ["alert", "expr", "labels", "annotations"],
                        alert=STRING,
                        expr=STRING,
                        labels=STRINGS,
                        annotations=STRINGS,
                        **{"for": {"type": "string", "pattern": r"^\d+(s|m|h)$"}},
                    )
                ),
            )
        ),
    ),
)
