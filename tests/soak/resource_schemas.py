"""The schemas of custom resources, and what the operators that read them refuse.

None of KubeRay, Kueue and the Prometheus operator has its definitions in a Python package, so these
schemas are written by hand. Those of KubeRay have all fields of its `ray.io/v1` as of 1.6, with the
values and combinations that its definitions or its operator refuse; later fields are unknown on
purpose, since `cluster/` says that 1.6 is enough. Those of the Prometheus operator, and of Kueue
in its `kueue.x-k8s.io/v1beta2`, have what `cluster/` can need. A field that a schema does not know
is an error; pods are checked by the schemas of Kubernetes itself.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer", "minimum": 0}
POSITIVE: Schema = {"type": "integer", "minimum": 1}
BOOLEAN: Schema = {"type": "boolean"}
STRINGS: Schema = {"type": "object", "additionalProperties": STRING}
QUANTITIES: Schema = {"type": "object", "additionalProperties": {"type": ["string", "integer"]}}
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


def _has(**values: Schema) -> Schema:
    """Returns a schema that holds for objects that have all these fields, with these values."""
    return {"required": list(values), "properties": values}


def _never(*cases: Schema) -> Schema:
    return {"not": {"anyOf": list(cases)}}


def _resource(api: str, kind: str, spec: Schema, name: Schema = STRING) -> Schema:
    return _object(
        ["apiVersion", "kind", "metadata", "spec"],
        apiVersion={"const": api},
        kind={"const": kind},
        metadata=_object(["name"], name=name, labels=STRINGS, annotations=STRINGS),
        spec=spec,
    )


_MANAGED_BY = _one_of("ray.io/kuberay-operator", "kueue.x-k8s.io/multikueue")
# Labels of nodes have a field of their own, and are refused here.
_START: Schema = {**STRINGS, "propertyNames": {"not": {"const": "labels"}}}
# What a node has is said in one place or in the other.
_RESOURCES_TWICE = [
    _has(resources={"minProperties": 1}, rayStartParams=_has(**{word: {"minLength": 1}}))
    for word in ("num-cpus", "num-gpus", "memory", "resources")
]
_HEAD = {
    **_object(
        ["template"],
        template=ANY,
        headService=ANY,
        enableIngress=BOOLEAN,
        resources=STRINGS,
        labels=STRINGS,
        rayStartParams=_START,
        serviceType=_one_of("ClusterIP", "NodePort", "LoadBalancer"),
    ),
    **_never(*_RESOURCES_TWICE),
}
_WORKERS = {
    **_object(
        ["groupName", "template", "minReplicas", "maxReplicas"],
        groupName=STRING,
        suspend=BOOLEAN,
        replicas=INTEGER,
        minReplicas=INTEGER,
        maxReplicas=INTEGER,
        idleTimeoutSeconds=INTEGER,
        numOfHosts=INTEGER,
        resources=STRINGS,
        labels=STRINGS,
        rayStartParams=_START,
        template=ANY,
        scaleStrategy=_object([], workersToDelete=_list(STRING)),
    ),
    **_never(*_RESOURCES_TWICE),
}
_AUTOSCALER = _object(
    [],
    resources=_object([], requests=QUANTITIES, limits=QUANTITIES, claims=_list(ANY)),
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
_AUTH = {
    **_object(
        [],
        mode=_one_of("disabled", "token"),
        secretName=STRING,
        enableK8sTokenAuth=BOOLEAN,
    ),
    # The token is in a secret, or the API server knows it.
    **_never(
        _has(enableK8sTokenAuth={"const": True}, secretName={"minLength": 1}),
        _has(enableK8sTokenAuth={"const": True}, mode={"const": "disabled"}),
    ),
}
_CREDENTIAL = _object([], value=STRING, valueFrom=ANY)
_CLUSTER = {
    **_object(
        ["headGroupSpec"],
        upgradeStrategy=_object([], type=_one_of("Recreate", "None")),
        authOptions=_AUTH,
        suspend=BOOLEAN,
        managedBy=_MANAGED_BY,
        autoscalerOptions=_AUTOSCALER,
        headServiceAnnotations=STRINGS,
        enableInTreeAutoscaling=BOOLEAN,
        gcsFaultToleranceOptions=_object(
            ["redisAddress"],
            redisAddress=STRING,
            redisUsername=_CREDENTIAL,
            redisPassword=_CREDENTIAL,
            externalStorageNamespace=STRING,
        ),
        headGroupSpec=_HEAD,
        rayVersion={"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
        workerGroupSpecs=_list(_WORKERS),
    ),
    # Whether this Ray knows tokens is told by its version.
    "dependentRequired": {"authOptions": ["rayVersion"]},
}
# Not for clusters that a job brings.
_CLUSTER_OF_A_JOB = {
    "allOf": [
        _CLUSTER,
        _never(_has(upgradeStrategy=ANY)),
        _never(_has(authOptions=_has(enableK8sTokenAuth={"const": True}))),
    ]
}
_DELETED = _one_of("DeleteCluster", "DeleteWorkers", "DeleteSelf", "DeleteNone")
_ONCE = _object(["policy"], policy=_DELETED)
_DELETION = {
    **_object(
        [],
        onSuccess=_ONCE,
        onFailure=_ONCE,
        deletionRules={
            "minItems": 1,
            **_list(
                _object(
                    ["policy", "condition"],
                    policy=_DELETED,
                    condition={
                        **_object(
                            [],
                            jobStatus=_one_of("SUCCEEDED", "FAILED"),
                            jobDeploymentStatus=_one_of("Failed"),
                            ttlSeconds=INTEGER,
                        ),
                        "oneOf": [_has(jobStatus=STRING), _has(jobDeploymentStatus=STRING)],
                    },
                )
            ),
        },
    ),
    "oneOf": [_has(onSuccess=ANY, onFailure=ANY), _has(deletionRules={"type": "array"})],
}
_JOB = {
    **_object(
        [],
        activeDeadlineSeconds=POSITIVE,
        backoffLimit=INTEGER,
        rayClusterSpec=_CLUSTER_OF_A_JOB,
        submitterPodTemplate=ANY,
        metadata=STRINGS,
        clusterSelector=STRINGS,
        submitterConfig=_object([], backoffLimit=INTEGER),
        managedBy=_MANAGED_BY,
        deletionStrategy=_DELETION,
        entrypoint=STRING,
        runtimeEnvYAML=STRING,
        jobId=STRING,
        submissionMode=_one_of("K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"),
        entrypointResources=STRING,
        entrypointNumCpus={"type": "number"},
        entrypointNumGpus={"type": "number"},
        ttlSecondsAfterFinished=INTEGER,
        preRunningDeadlineSeconds=POSITIVE,
        shutdownAfterJobFinishes=BOOLEAN,
        suspend=BOOLEAN,
    ),
    "anyOf": [_has(rayClusterSpec=ANY), _has(clusterSelector={"minProperties": 1})],
    # A cluster that stays has no time after which it goes, and cannot be suspended.
    "if": {"not": _has(shutdownAfterJobFinishes={"const": True})},
    "then": _never(_has(ttlSecondsAfterFinished=POSITIVE), _has(suspend={"const": True})),
    **_never(
        _has(
            shutdownAfterJobFinishes={"const": True},
            deletionStrategy=_has(deletionRules={"type": "array"}),
        ),
        _has(submissionMode={"const": "InteractiveMode"}, backoffLimit=POSITIVE),
        _has(submissionMode={"const": "SidecarMode"}, submitterPodTemplate=ANY),
        _has(submissionMode={"const": "SidecarMode"}, submitterConfig=ANY),
        _has(submissionMode={"const": "SidecarMode"}, clusterSelector={"minProperties": 1}),
        _has(clusterSelector={"minProperties": 1}, backoffLimit=POSITIVE),
        _has(clusterSelector={"minProperties": 1}, suspend={"const": True}),
    ),
}


def _names_services(longest: int) -> Schema:
    """Returns a schema of a name that is part of service names, of at most 63 characters."""
    return {"type": "string", "maxLength": longest, "pattern": r"^[a-z]([-a-z0-9]*[a-z0-9])?$"}


RAY_CLUSTER = _resource("ray.io/v1", "RayCluster", _CLUSTER, _names_services(53))
RAY_JOB = _resource("ray.io/v1", "RayJob", _JOB, _names_services(47))
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


_QUEUE_NAME: Schema = {
    "type": "string",
    "maxLength": 253,
    "pattern": r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
}
_QUANTITY: Schema = {
    "type": ["string", "integer"],
    "pattern": r"^[+-]?(\d+(\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?(\d+(\.\d*)?|\.\d+))?$",
}
_EFFECT = _one_of("NoSchedule", "PreferNoSchedule", "NoExecute")
_STOP = _one_of("None", "Hold", "HoldAndDrain")
_FLAVOR = {
    **_object(
        [],
        nodeLabels={**STRINGS, "maxProperties": 8},
        nodeTaints={
            "maxItems": 8,
            **_list(_object(["effect", "key"], effect=_EFFECT, key=STRING, value=STRING)),
        },
        tolerations={"maxItems": 8, **_list(ANY)},
        topologyName=_QUEUE_NAME,
    ),
    "dependentRequired": {"topologyName": ["nodeLabels"]},
}
_QUOTA = _object(
    ["name", "nominalQuota"],
    name=STRING,
    nominalQuota=_QUANTITY,
    borrowingLimit=_QUANTITY,
    lendingLimit=_QUANTITY,
)
_RESOURCE_GROUP = _object(
    ["coveredResources", "flavors"],
    coveredResources={"minItems": 1, "maxItems": 16, **_list(STRING)},
    flavors={
        "minItems": 1,
        "maxItems": 16,
        **_list(
            _object(
                ["name", "resources"],
                name=_QUEUE_NAME,
                resources={"minItems": 1, "maxItems": 16, **_list(_QUOTA)},
            )
        ),
    },
)
_CLUSTER_QUEUE = _object(
    [],
    resourceGroups={"maxItems": 16, **_list(_RESOURCE_GROUP)},
    cohortName=_QUEUE_NAME,
    queueingStrategy=_one_of("StrictFIFO", "BestEffortFIFO"),
    namespaceSelector=_object([], matchLabels=STRINGS, matchExpressions=_list(ANY)),
    flavorFungibility=_object(
        [],
        whenCanBorrow=_one_of("MayStopSearch", "TryNextFlavor"),
        whenCanPreempt=_one_of("MayStopSearch", "TryNextFlavor"),
    ),
    preemption=_object(
        [],
        reclaimWithinCohort=_one_of("Never", "LowerPriority", "Any"),
        borrowWithinCohort=_object(
            [], policy=_one_of("Never", "LowerPriority"), maxPriorityThreshold={"type": "integer"}
        ),
        withinClusterQueue=_one_of("Never", "LowerPriority", "LowerOrNewerEqualPriority"),
    ),
    stopPolicy=_STOP,
)
_LOCAL_QUEUE = _object(
    [],
    clusterQueue=_QUEUE_NAME,
    stopPolicy=_STOP,
)
_KUEUE = "kueue.x-k8s.io/v1beta2"
RESOURCE_FLAVOR = _resource(_KUEUE, "ResourceFlavor", _FLAVOR, _QUEUE_NAME)
CLUSTER_QUEUE = _resource(_KUEUE, "ClusterQueue", _CLUSTER_QUEUE, _QUEUE_NAME)
LOCAL_QUEUE = _resource(_KUEUE, "LocalQueue", _LOCAL_QUEUE, _QUEUE_NAME)
