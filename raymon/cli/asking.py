"""How commands ask a run that goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from raymon.training.on_demand.request import Answer

run_argument = click.argument("run")

run_address_option = click.option(
    "--address",
    metavar="ADDRESS",
    help="Ask through the Ray cluster that the run is on, such as 'auto'; by default through its "
    "directory, or RAY_ADDRESS where that cannot be seen.",
)


def ask_run(
    run: str,
    address: str | None,
    kind: str,
    options: Mapping[str, Any] | None = None,
    accepted: Callable[[], None] = lambda: None,
) -> Answer:
    """Asks a run, and waits for the answer.

    Args:
        run: Its directory.
        address: Address of its cluster; None to ask through its directory.
        kind: What is asked, as in `raymon.training.on_demand.request`.
        options: Options of the request.
        accepted: Called once the run begins to do it.

    Raises:
        RunError: There is no such run, or the request is wrong.
        AnswerError: The run is over, does not answer, or cannot do it.
    """
    from raymon.training.on_demand.find_run import find_run
    from raymon.training.on_demand.request import Request

    found, request = find_run(run, address), Request(kind, options or {})
    if found.address is None:
        from raymon.training.on_demand.ask import ask

        return ask(found.model_dir, request, accepted)
    # Imported only where it is needed, as importing Ray takes seconds.
    from raymon.training.on_ray.ask import ask_on_ray

    return ask_on_ray(str(found.model_dir), found.address, request, accepted)


def rank_list(context: click.Context, parameter: click.Parameter, text: str | None) -> list[int]:
    """Returns the ranks of a text such as `0,3`; of None, none.

    Raises:
        click.BadParameter: It is something else.
    """
    parts = [] if text is None else text.split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise click.BadParameter(f"{text}: give ranks such as 0,3")
    return sorted({int(part) for part in parts})
