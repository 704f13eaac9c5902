"""A page of a browser, driven as a person does: by keys, clicks and looks."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.harness.browser import Browser

_WAIT_S = 30.0

_CODES = {"Enter": 13, "Escape": 27, " ": 32, "End": 35, "Home": 36, "ArrowLeft": 37,
          "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Tab": 9}  # fmt: skip


class DrivenPage:
    """The page of a browser.

    Args:
        browser: The browser, which has one page.

    Attributes:
        errors: What scripts raised, and what the page wrote as errors to its console.
    """

    def __init__(self, browser: Browser) -> None:
        self.errors: list[str] = []
        self._number = 0
        self._loop = asyncio.Runner()
        self._loop.run(self._connect(browser.page_address()))

    def close(self) -> None:
        """Leaves the page."""
        self._loop.run(self._session.close())
        self._loop.close()

    def go(self, url: str) -> None:
        """Loads a page."""
        self.find("window.isLeft = true")
        self.do("Page.navigate", url=url)
        self.wait_for("!window.isLeft && document.readyState === 'complete'")

    def find(self, expression: str) -> Any:
        """Returns the value of an expression of JavaScript."""
        answer = self.do(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def text(self, selector: str) -> str:
        """Returns the text of the first element that a selector finds; "" if there is none."""
        return str(self.find(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def texts(self, selector: str) -> list[str]:
        """Returns the texts of all elements that a selector finds."""
        found = self.find(
            f"[...document.querySelectorAll({json.dumps(selector)})].map((e) => e.innerText.trim())"
        )
        return [str(each) for each in found]

    def wait_for(self, expression: str) -> Any:
        """Waits until an expression is true, and returns its value."""
        deadline = time.monotonic() + _WAIT_S
        while True:
            found = self.find(expression)
            if found not in (None, False, 0, "", []):
                return found
            assert time.monotonic() < deadline, (expression, self.text("body"), self.errors)
            time.sleep(0.05)

    def wait_for_text(self, text: str) -> None:
        """Waits until the page shows a text."""
        self.wait_for(f"document.body.innerText.includes({json.dumps(text)})")

    def press(self, *keys: str) -> None:
        """Presses keys, by what they are called in JavaScript."""
        for key in keys:
            text = "\r" if key == "Enter" else key if len(key) == 1 else ""
            press = {"key": key, "windowsVirtualKeyCode": _CODES.get(key, 0)}
            self.do("Input.dispatchKeyEvent", type="keyDown", text=text, **press)
            self.do("Input.dispatchKeyEvent", type="keyUp", **press)

    def click(self, selector: str) -> None:
        """Clicks in the middle of the first element that a selector finds."""
        name = json.dumps(selector)
        self.find(f"document.querySelector({name}).scrollIntoView({{block: 'center'}})")
        box = self.find(f"document.querySelector({name}).getBoundingClientRect().toJSON()")
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        for kind in ("mousePressed", "mouseReleased"):
            self.do("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def point(self, x: float, y: float) -> None:
        """Moves the mouse to a place, in pixels."""
        self.do("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def drag(self, begin: tuple[float, float], end: tuple[float, float]) -> None:
        """Drags the mouse from one place to another, in pixels."""
        middle = ((begin[0] + end[0]) / 2, (begin[1] + end[1]) / 2)
        for kind, (x, y) in (("mouseMoved", begin), ("mousePressed", begin), ("mouseMoved", middle),
                             ("mouseMoved", end), ("mouseReleased", end)):  # fmt: skip
            held = {} if (kind, (x, y)) == ("mouseMoved", begin) else {"button": "left"}
            buttons = 1 if held and kind != "mouseReleased" else 0
            self.do("Input.dispatchMouseEvent", type=kind, x=x, y=y, buttons=buttons, clickCount=1,
                    **held)  # fmt: skip

    def resize(self, width: int, height: int = 900) -> None:
        """Makes the window as large as that, in pixels."""
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=height,
                deviceScaleFactor=1, mobile=False)  # fmt: skip

    def prefer(self, theme: str) -> None:
        """Makes the system prefer a theme, "light" or "dark"."""
        features = [{"name": "prefers-color-scheme", "value": theme}]
        self.do("Emulation.setEmulatedMedia", features=features)

    def picture(self, file: Path) -> None:
        """Saves what is seen as a PNG."""
        file.parent.mkdir(parents=True, exist_ok=True)
        found = self.do("Page.captureScreenshot", format="png")
        file.write_bytes(base64.b64decode(found["data"]))

    def do(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Calls a method of the debugging protocol."""
        return self._loop.run(self._do(method, parameters))

    async def _connect(self, address: str) -> None:
        self._session = aiohttp.ClientSession()
        self._socket = await self._session.ws_connect(address, max_msg_size=0)
        for domain in ("Page", "Runtime", "Log"):
            await self._do(f"{domain}.enable", {})

    async def _do(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while True:
            answer = await self._socket.receive_json()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return dict(answer["result"])
            self._hear(answer.get("method"), answer.get("params") or {})

    def _hear(self, method: str | None, said: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            details = said["exceptionDetails"]
            self.errors.append(str(details.get("exception", {}).get("description", details)))
        elif method == "Runtime.consoleAPICalled" and said["type"] == "error":
            self.errors.append(_words(said["args"]))
        elif method == "Log.entryAdded" and said["entry"]["level"] == "error":
            self.errors.append(f"{said['entry']['text']} {said['entry'].get('url', '')}")


def _words(arguments: Sequence[dict[str, Any]]) -> str:
    return " ".join(str(each.get("value", each.get("description"))) for each in arguments)
