"""A real browser without a window, driven over a pipe in Chrome's own protocol: no driver has to be installed."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium")

WAIT_S = 30.0
"""How long a page may take for anything, in seconds."""

_SWITCHES = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--remote-debugging-pipe"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
)
_COMMANDS, _EVENTS = 3, 4
"""The file descriptors that the browser reads from and writes to."""


class Page:
    """One page of the browser; ``complaints`` is what stood in its console as an error or a warning."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self.complaints: list[str] = []
        self._out = to_browser
        self._in = from_browser
        self._read = b""
        self._last_id = 0
        self._session = ""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        self._last_id += 1
        message = {"id": self._last_id, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (answer := self._receive()).get("id") != self._last_id:
            self._note(answer)
        assert "error" not in answer, answer["error"]
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, url: str) -> None:
        """Open an address, and return once its scripts have run."""
        self.send("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'")

    def run(self, script: str) -> Any:
        """Return the value of an expression."""
        found = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait_for(self, condition: str) -> None:
        """Return once an expression is true in the page."""
        until = time.monotonic() + WAIT_S
        while not self.run(f"Boolean({condition})"):
            assert time.monotonic() < until, f"it never came: {condition}; complaints: {self.complaints}"

    def type(self, text: str) -> None:
        """Type a text key by key into what has the focus."""
        for sign in text:
            self.send("Input.dispatchKeyEvent", type="keyDown", text=sign, key=sign)
            self.send("Input.dispatchKeyEvent", type="keyUp", key=sign)

    def press(self, key: str, code: int) -> None:
        """Press a key that writes nothing, such as Tab (9)."""
        for kind in ("rawKeyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def picture(self, path: Path) -> None:
        """Write how the page looks into a PNG file."""
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"]))

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            piece = os.read(self._in, 65_536)
            assert piece, "the browser has ended"
            self._read += piece
        message, _, self._read = self._read.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def _note(self, event: dict[str, Any]) -> None:
        params = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                self.complaints.append(str(params["exceptionDetails"]))
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.complaints.append(params["entry"]["text"])
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning", "assert"):
                self.complaints.append(str(params["args"]))


@contextmanager
def browser_page(folder: Path) -> Iterator[Page]:
    """Yield a page of a browser whose profile lies in the folder."""
    assert CHROMIUM is not None
    commands_in, commands_out = os.pipe()
    events_in, events_out = os.pipe()

    def place_pipes() -> None:
        # The two may already stand where the other one belongs.
        reading, writing = os.dup(commands_in), os.dup(events_out)
        os.dup2(reading, _COMMANDS)
        os.dup2(writing, _EVENTS)

    process = subprocess.Popen(
        [CHROMIUM, *_SWITCHES, f"--user-data-dir={folder / 'browser'}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        close_fds=False,
        preexec_fn=place_pipes,
    )
    os.close(commands_in)
    os.close(events_out)
    try:
        yield Page(commands_out, events_in)
    finally:
        with suppress(OSError):
            os.close(commands_out)
        os.close(events_in)
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
