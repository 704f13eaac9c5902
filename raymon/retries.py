"""Retries of calls that failed and may succeed a moment later."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_chain,
    wait_fixed,
)


def retrying(
    pauses_s: Sequence[float],
    may_pass: Callable[[BaseException], bool],
    on_failure: Callable[[BaseException], object] = lambda error: None,
) -> Retrying:
    """Returns a caller that tries a function again after pauses.

    Args:
        pauses_s: Seconds between one try and the next; there is one more try than pauses.
        may_pass: Function that returns whether a failure may be gone after a pause; others are
            raised at once.
        on_failure: Called with each failure that is followed by another try, before the pause.

    Returns:
        A callable that takes a function and its arguments, and returns what the function returns.
        It raises what the last try raised.
    """

    def before_pause(state: RetryCallState) -> None:
        assert state.outcome is not None
        error = state.outcome.exception()
        assert error is not None
        on_failure(error)

    return Retrying(
        stop=stop_after_attempt(len(pauses_s) + 1),
        # tenacity asks for a pause after the last try too.
        wait=wait_chain(*map(wait_fixed, (*pauses_s, 0.0))),
        retry=retry_if_exception(may_pass),
        before_sleep=before_pause,
        reraise=True,
    )


def retrying_for(
    seconds: float, pause_s: float, may_pass: Callable[[BaseException], bool]
) -> Retrying:
    """Returns a caller that tries a function again for a while, and at least once.

    Args:
        seconds: Time after which no try begins.
        pause_s: Seconds between two tries.
        may_pass: Function that returns whether a failure may be gone after a pause; others are
            raised at once.

    Returns:
        A callable as that of `retrying`.
    """
    return Retrying(
        stop=stop_before_delay(seconds),
        wait=wait_fixed(pause_s),
        retry=retry_if_exception(may_pass),
        reraise=True,
    )
