"""A headless Chromium that looks at pages, by its debugging protocol.

It needs Debian's package `chromium`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.harness.free_port import free_port

SCREENS = Path(__file__).parents[2] / "demo" / "screens"
"""Where pictures are left, to be looked at."""

_LOAD_S = 60.0


class Browser:
    """A browser without a window, as wide as a laptop's screen."""

    def __init__(self) -> None:
        program = shutil.which("chromium")
        assert program, "no chromium: apt-get install chromium"
        self._profile = tempfile.mkdtemp(prefix="chromium-")
        self._port = free_port()
        self._process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             f"--remote-debugging-port={self._port}", f"--user-data-dir={self._profile}",
             "--remote-allow-origins=*", "--window-size=1400,1500", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._profile, ignore_errors=True)

    def look(self, url: str, file: Path, *, cookies: dict[str, str], wait_for: str) -> str:
        """Takes a picture of a page once it has some text.

        Args:
            url: Address of the page.
            file: Path of the picture, a PNG.
            cookies: Cookies for the host of the page.
            wait_for: Regular expression that the text of the page has to match first.

        Returns:
            Text of the page.
        """
        return asyncio.run(self._look(url, file, cookies, wait_for))

    async def _look(self, url: str, file: Path, cookies: dict[str, str], wait_for: str) -> str:
        async with aiohttp.ClientSession() as session:
            page = await session.ws_connect(self.page_address(), max_msg_size=0)
            calls = _Calls(page)
            for name, value in cookies.items():
                await calls.do("Network.setCookie", name=name, value=value, url=url)
            await calls.do("Page.navigate", url=url)
            deadline = time.monotonic() + _LOAD_S
            text = ""
            while not re.search(wait_for, text):
                assert time.monotonic() < deadline, f"{url} has no {wait_for!r}:\n{text}"
                await asyncio.sleep(0.5)
                answer = await calls.do("Runtime.evaluate", expression="document.body.innerText")
                text = str(answer["result"].get("value", ""))
            await asyncio.sleep(1.0)  # what moves comes to rest
            picture = await calls.do("Page.captureScreenshot", format="png")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(base64.b64decode(picture["data"]))
            return text

    def page_address(self) -> str:
        """Returns the address at which its page is driven."""
        deadline = time.monotonic() + 30
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/json") as answer:
                    pages = [each for each in json.load(answer) if each["type"] == "page"]
                return str(pages[0]["webSocketDebuggerUrl"])
            except (OSError, IndexError):
                assert time.monotonic() < deadline, "chromium does not start"
                time.sleep(0.2)


class _Calls:
    def __init__(self, page: aiohttp.ClientWebSocketResponse) -> None:
        self._page = page
        self._number = 0

    async def do(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        await self._page.send_json({"id": self._number, "method": method, "params": parameters})
        while True:
            answer = await self._page.receive_json()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return dict(answer["result"])
