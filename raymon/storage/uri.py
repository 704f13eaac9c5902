"""URIs of storage, as `pyarrow.fs` opens them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, urlsplit

from pyarrow import fs

from raymon.errors import UserError

_SECRET = re.compile(r"key|secret|token|password|credential|signature", re.IGNORECASE)

_QUERY = re.compile(r"\?\w+=(?:://|[^/?])*$")
"""The query of a URI, whose only slashes are those of the URL of an endpoint."""


def open_uri(uri: str) -> tuple[Any, str]:
    """Returns the `pyarrow.fs.FileSystem` of a URI, and the path on it.

    The S3 server is that of AWS_ENDPOINT_URL, or of `endpoint_override` in the URI.

    Raises:
        UserError: There are credentials in the URI.
        pyarrow.ArrowException: It is no URI that pyarrow opens.
        OSError: The storage does not answer.
    """
    check_no_credentials(uri)
    path, query = split_query(uri)
    filesystem, inner = fs.FileSystem.from_uri(_quoted(path) + query)
    return filesystem, inner


def split_query(uri: str) -> tuple[str, str]:
    """Returns a URI without its query, and the query with its question mark.

    A question mark that no name and equals sign follow belongs to the path.
    """
    found = _QUERY.search(uri)
    return (uri[: found.start()], found[0]) if found else (uri, "")


def _quoted(uri: str) -> str:
    """Returns a URI with all other characters percent-encoded; what is encoded already stays."""
    scheme, _, rest = uri.partition("://")
    host, slash, path = rest.partition("/")
    path = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", path)
    return f"{scheme}://{host}{slash}{quote(path, safe='/%!$&()*+,;=:@~')}"


def check_no_credentials(path: str) -> None:
    """Checks that nothing secret is in a path or a URI, which is logged and kept with a run.

    Raises:
        UserError: There are credentials; the message does not repeat them.
    """
    parts = urlsplit(path) if "://" in path else SplitResult("", "", "", "", "")
    user, at, host = parts.netloc.rpartition("@")
    # On other storage than S3, a user name alone says whose the data is.
    in_front = bool(at) and (":" in user or parts.scheme == "s3")
    in_query = any(_SECRET.search(name) for name, _ in parse_qsl(parts.query))
    if in_front or in_query:
        raise UserError(
            f"{parts.scheme}://{host}{parts.path}: is given with credentials, which would be kept "
            "with the run; give them by the environment, as AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY"
        )


def with_few_tries(filesystem: Any) -> Any:
    """Returns the file system with S3 or Google giving up after seconds, not minutes.

    The callers that need more tries repeat their calls themselves.
    """
    if isinstance(filesystem, fs.S3FileSystem):
        make, (options,) = filesystem.__reduce__()
        # With a delayed open, a small object takes one request.
        chosen = {**options, "allow_delayed_open": True}
        if options["connect_timeout"] < 0:
            chosen["connect_timeout"] = 3
        if options["request_timeout"] < 0:
            chosen["request_timeout"] = 5
        strategy = fs.AwsStandardS3RetryStrategy(max_attempts=4)
        return make({**chosen, "retry_strategy": strategy})
    if filesystem.type_name == "gcs":
        make, (options,) = filesystem.__reduce__()
        return make({**options, "retry_time_limit": timedelta(seconds=10)})
    return filesystem
