"""Submits a run to a Ray cluster as a job of Ray Jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from raymon.training.on_ray.job_client import job_client, refusal
from raymon.training.on_ray.submitted_job import SubmittedJob, find_job


@dataclass(frozen=True)
class JobRequest:
    """A job to submit.

    Attributes:
        entrypoint: Command that the cluster runs.
        submission_id: Name of the job.
        runtime_env: Ray's runtime environment, with the user's code.
        metadata: Values that the dashboard shows for the run; never a secret.
    """

    entrypoint: str
    submission_id: str
    runtime_env: Mapping[str, Any]
    metadata: Mapping[str, str]


def submit(request: JobRequest, address: str) -> SubmittedJob:
    """Submits a job to a cluster.

    Args:
        request: Job to submit.
        address: Address of the dashboard, such as `http://HEAD:8265`.

    Raises:
        RunError: There is no cluster at the address, it does not accept the token, or it does not
            accept the job.
    """
    client = job_client(address)
    from ray.exceptions import RayError

    try:
        name = client.submit_job(
            entrypoint=request.entrypoint,
            submission_id=request.submission_id,
            runtime_env=dict(request.runtime_env),
            metadata=dict(request.metadata),
        )
    except (RayError, RuntimeError, ValueError, OSError) as error:
        raise refusal(address, error, "the job is not taken") from None
    return SubmittedJob(client, name, request.metadata.get("model_dir", ""))


def submitted(job: str, address: str) -> SubmittedJob:
    """Returns a job that was submitted to a cluster earlier.

    Args:
        job: Name of the job.
        address: Address of the dashboard, such as `http://HEAD:8265`.

    Raises:
        RunError: There is no cluster at the address, it does not accept the token, or it has no
            such job.
    """
    return find_job(job_client(address), job, address)
