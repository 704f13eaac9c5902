"""The exceptions of raymon.

RaymonError
├── UserError          what the user gave is wrong; one line says what, where and what is right
│   ├── ConfigError    the pipeline config, or an override of it
│   ├── DataError      the data that the config points to
│   ├── ModelError     what a custom model returns
│   └── RunError       the directory of a run, or what is requested of it
├── AnswerError        a run does not answer what was asked of it, or cannot do it
└── TrainingError      the run itself failed
    └── ClusterLostError   the Ray cluster of the run is gone
"""


class RaymonError(Exception):
    """The base class of all errors of raymon."""


class UserError(RaymonError):
    """The user's input is wrong; the message is one line, and the command line exits with 2."""


class ConfigError(UserError):
    """A pipeline config, or an override of it, is wrong."""


class DataError(UserError):
    """The data is missing, or is not what the config says."""


class ModelError(UserError):
    """A custom model returns what it must not."""


class RunError(UserError):
    """The directory of a run cannot be used as asked."""


class AnswerError(RaymonError):
    """A run does not answer, or cannot do what it was asked; the command line exits with 1."""


class TrainingError(RaymonError):
    """A run failed for a reason that is not the user's input; the command line exits with 1."""


class ClusterLostError(TrainingError):
    """The Ray cluster of a run is gone, so that calls to it are not answered.

    Args:
        text: What is gone, in one line.
        interrupted: Whether a signal asked for the end of the run at the same time.
    """

    def __init__(self, text: str, interrupted: bool = False) -> None:
        super().__init__(text)
        self.interrupted = interrupted


def first_line(error: BaseException) -> str:
    """Returns the first line of an error's message; empty if it has none."""
    return next(iter(str(error).strip().splitlines()), "")


def os_reason(error: OSError) -> str:
    """Returns what went wrong with a file, in one line; also for object storage, without errno."""
    return error.strerror or first_line(error)


def reason(error: BaseException) -> str:
    """Returns what went wrong, in one line; with the type, unless it is an error of raymon."""
    if isinstance(error, RaymonError):
        return first_line(error)
    return f"{type(error).__name__}: {first_line(error)}".removesuffix(": ")
