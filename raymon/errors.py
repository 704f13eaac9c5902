"""The exceptions of raymon.

RaymonError
├── UserError          what the user gave is wrong; one line says what, where and what is right
│   ├── ConfigError    the pipeline config, or an override of it
│   ├── DataError      the data that the config points to
│   ├── ModelError     what a model of the user's own gives back
│   └── RunError       the directory of a run, or what is asked of it
└── TrainingError      the run itself failed
    └── ClusterLostError   the Ray that it was on is gone
"""


class RaymonError(Exception):
    """Any error that raymon raises by itself."""


class UserError(RaymonError):
    """What the user gave is wrong. The message is one line; the command line exits with 2."""


class ConfigError(UserError):
    """A pipeline config, or an override of it, is wrong."""


class DataError(UserError):
    """The data is missing, or is not what the config says."""


class ModelError(UserError):
    """A model of the user's own gives back what it must not."""


class RunError(UserError):
    """The directory of a run cannot be used as asked."""


class TrainingError(RaymonError):
    """A run failed for a reason that is not the user's input. The command line exits with 1."""


class ClusterLostError(TrainingError):
    """The Ray that a run was on is gone; nothing that asks it for something is answered.

    Args:
        text: What is gone, in one line.
        interrupted: A signal asked for the end of the run at the same time.
    """

    def __init__(self, text: str, interrupted: bool = False) -> None:
        super().__init__(text)
        self.interrupted = interrupted


def first_line(error: BaseException) -> str:
    """The first line of what an error says; empty where it says nothing."""
    return next(iter(str(error).strip().splitlines()), "")


def os_reason(error: OSError) -> str:
    """What went wrong with a file, in one line; errors of object storage have no number for it."""
    return error.strerror or first_line(error)


def reason(error: BaseException) -> str:
    """What went wrong, in one line: an error of raymon says it itself, of others the type is told
    too."""
    if isinstance(error, RaymonError):
        return first_line(error)
    return f"{type(error).__name__}: {first_line(error)}".removesuffix(": ")
