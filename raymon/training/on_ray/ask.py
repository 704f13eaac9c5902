"""Asks a run, through the Ray cluster that it is on."""

from __future__ import annotations

import time

import ray

from raymon.errors import AnswerError
from raymon.reporter.on_ray import named_runs, reporter_of
from raymon.training.on_demand.ask import Accepted, checked
from raymon.training.on_demand.request import Answer, Request
from raymon.training.on_ray.cluster import connect

_LOOK_S = 0.3

_PATIENCE_S = 15.0
"""Seconds that the driver of the run has for its first answer."""

_CALL_S = 10.0


def ask_on_ray(run: str, address: str, request: Request, accepted: Accepted) -> Answer:
    """Asks a run, and waits for the last answer.

    Args:
        run: Its `model_dir`, as the run itself has it.
        address: Address of the cluster.
        request: What is asked.
        accepted: Called when the run begins to do it.

    Raises:
        RunError: The request is wrong, or there is no cluster at the address.
        AnswerError: There is no such run, it does not answer, or it cannot do it.
    """
    connect(address)
    try:
        actor = reporter_of(run)
    except ValueError:
        there = ", ".join(named_runs()) or "none"
        raise AnswerError(f"{run}: no such run goes on at {address}; those are: {there}") from None
    body, is_accepted = request.to_bytes(), False
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            data = ray.get(actor.post.remote(request.id, body), timeout=_CALL_S)
        except ray.exceptions.GetTimeoutError:
            data = None
        except ray.exceptions.RayError:
            raise AnswerError(f"{run}: the run is over: its reporter has ended") from None
        answer = None if data is None else Answer.from_bytes(data)
        if answer is not None and answer.is_last:
            return checked(answer)
        if answer is not None and not is_accepted:
            is_accepted = True
            accepted()
        if not is_accepted and time.monotonic() > deadline:
            raise AnswerError(f"{run}: no answer of its driver in {_PATIENCE_S:.0f} s")
        time.sleep(_LOOK_S)
