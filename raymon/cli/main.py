"""The entry point of the `raymon` command."""

from __future__ import annotations

import gc
import logging
import os
import sys
import traceback
from contextlib import suppress
from importlib import import_module

import click

from raymon.cli.signals import Signals
from raymon.cli.streams import prepare_streams, readable
from raymon.errors import ClusterLostError, RaymonError, UserError
from raymon.log import set_up_logging

EXIT_FAILED = 1
EXIT_USER_ERROR = 2
COMPLETION = "_RAYMON_COMPLETE"

_LOOKS = frozenset({"board", "compare", "explain", "runs", "watch"})
"""Commands that only look at runs, and so need no torch."""


def main() -> None:
    """Runs the command line, and exits.

    The exit code is 0 when done, 1 if the run failed, 2 if what the user gave is wrong, 130 after
    Ctrl-C, 143 after SIGTERM, 129 after SIGHUP.
    """
    prepare_streams()
    signals = Signals()
    try:
        code = _run(signals)
    except (KeyboardInterrupt, click.Abort):
        code = signals.exit_code
        _say("interrupted")
    except SystemExit:
        raise
    except BaseException:
        # Another error on the way out, for example if the terminal is gone.
        if signals.received is None:
            raise
        code = signals.exit_code
        _say("interrupted")
    if signals.received is not None and _has_started_ray():
        # All of Ray ends with this process; Ray itself would take ten seconds.
        with suppress(OSError):
            sys.stdout.flush()
        os._exit(code)
    sys.exit(code)


def _has_started_ray() -> bool:
    cluster = sys.modules.get("raymon.training.on_ray.cluster")
    return cluster is not None and bool(cluster.has_started_ray())


def _run(signals: Signals) -> int:
    """Runs the command; returns its exit code, after printing one line if something is wrong."""
    try:
        set_up_logging()
        from raymon.cli.commands import raymon

        if _runs_a_command():
            # Imported here, where signals are handled, because importing torch takes seconds.
            _import_to_stay("raymon.config" if sys.argv[1] in _LOOKS else "torch")
        # A custom model is found in the working directory, as with `python -m`. It comes after the
        # imports above, so that none of them is looked for there.
        sys.path.insert(0, os.getcwd())
        raymon.main(standalone_mode=False, obj=signals)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return EXIT_USER_ERROR
    except click.ClickException as error:
        _say(f"{error.format_message()} (see --help)")
        return EXIT_USER_ERROR
    except UserError as error:
        _say(str(error))
        return EXIT_USER_ERROR
    except ClusterLostError as error:
        is_asked_for = signals.received is not None
        _say("interrupted" if is_asked_for else str(error))
        # A normal exit of Ray would wait for the lost cluster.
        sys.stdout.flush()
        os._exit(signals.exit_code if is_asked_for else EXIT_FAILED)
    except RaymonError as error:
        _say(str(error))
        if logging.getLogger("raymon").isEnabledFor(logging.DEBUG):
            traceback.print_exc()
        return EXIT_FAILED
    except click.Abort:
        raise
    except Exception as error:
        from raymon.training.run_failure import line_of

        if signals.received is not None:
            # An import turns an interruption into an error of another type.
            _say(f"interrupted; on the way out: {line_of(error, None, 'command')}")
            return signals.exit_code
        _say(line_of(error, None, "command"))
        return EXIT_FAILED
    return 0


def _runs_a_command() -> bool:
    """Returns whether a command runs, not only --version, --help or completion."""
    return sys.argv[1:2] != [] and sys.argv[1][:1] != "-" and COMPLETION not in os.environ


def _import_to_stay(module: str) -> None:
    """Imports a module, and excludes its objects from garbage collection, now and later.

    Imports make hundreds of thousands of objects that stay. The collections that they cause, and
    those of the imports after them, took a fifth of the 3 s until a run on Ray begins.
    """
    gc.disable()
    try:
        import_module(module)
    finally:
        gc.freeze()
        gc.enable()


def _say(text: str) -> None:
    # The terminal may be gone.
    with suppress(OSError):
        click.echo(readable(f"raymon: {text}"), err=True)
