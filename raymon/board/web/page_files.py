"""What the page is made of: `index.html` and the files beside it, and Plotly."""

from __future__ import annotations

import gzip
import mimetypes
import re
import threading
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

STATIC = Path(__file__).parent / "static"

PLOTLY = "plotly.min.js"

_BASE = re.compile(rb"<base href=\"[^\"]*\">")

_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class PageFile:
    """A file of the page.

    Attributes:
        data: Its content.
        content_type: Its media type.
        version: What a `v` in its address may be, so that it never changes.
    """

    data: bytes
    content_type: str
    version: str | None = None

    @cached_property
    def tag(self) -> str:
        """Hash of its content."""
        return sha256(self.data).hexdigest()[:32]

    @cached_property
    def zipped(self) -> bytes:
        """Its content, compressed."""
        return gzip.compress(self.data, 6, mtime=0)


class PageFiles:
    """The files in the directory `static`, by name; those that change are read again."""

    def __init__(self, directory: Path = STATIC) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[int, PageFile]] = {}

    def index(self, depth: int) -> PageFile | None:
        """Returns the page for an address with so many slashes after the first one.

        All of its addresses are relative, so that it works under any path of a proxy; its `base`
        says how far up they begin. It names the version of Plotly, which a browser then keeps.
        """
        found = self.get("index.html")
        if found is None:
            return None
        up = "../" * depth or "./"
        base = f'<base href="{up}">\n<meta name="plotly" content="{_plotly_version()}">'.encode()
        return PageFile(_BASE.sub(base, found.data, count=1), "text/html")

    def get(self, name: str) -> PageFile | None:
        """Returns a file by its name, as in `views/run.js`; None if there is none."""
        if name == PLOTLY:
            return _plotly()
        path = self._names().get(name)
        if path is None:
            return None
        with self._lock:
            changed, kept = path.stat().st_mtime_ns, self._kept.get(name)
            if kept is None or kept[0] != changed:
                kept = (changed, PageFile(path.read_bytes(), _type(name)))
                self._kept[name] = kept
            return kept[1]

    def _names(self) -> dict[str, Path]:
        """Returns the paths of all files by name: a name is looked up, and no path made of it."""
        return {
            path.relative_to(self._directory).as_posix(): path
            for path in self._directory.rglob("*")
            if path.is_file() and not path.name.startswith(".")
        }


@cache
def _plotly() -> PageFile:
    # Imported when it is asked for, as it takes a while.
    from plotly.offline import get_plotlyjs

    return PageFile(get_plotlyjs().encode(), "text/javascript", _plotly_version())


@cache
def _plotly_version() -> str:
    return version("plotly")


def _type(name: str) -> str:
    suffix = Path(name).suffix
    return _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
