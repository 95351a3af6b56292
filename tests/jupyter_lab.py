"""A real JupyterLab in a headless Chromium, driven by the DevTools protocol over the websocket that Jupyter brings."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chromium import BROWSER
from conftest import ROOT

WIDE, TALL = 1400, 1000
PANEL = "[...(window.jupyterapp?.shell?.widgets('main') ?? [])].find(one => one.content?.widgets)"
"""The open notebook, whatever has the focus."""

SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # cells out of sight are there, too
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
PATIENCE = 180.0
"""How long anything may take on a busy machine [seconds]."""


class Page:
    """A page of the browser."""

    def __init__(self, address: str) -> None:
        from websocket import create_connection

        self._socket = create_connection(address, timeout=PATIENCE, suppress_origin=True)
        self._asked = 0

    def call(self, method: str, **parameters: Any) -> Any:
        """Ask the browser for something, and return its answer."""
        self._asked += 1
        self._socket.send(json.dumps({"id": self._asked, "method": method, "params": parameters}))
        while (answer := json.loads(self._socket.recv())).get("id") != self._asked:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def close(self) -> None:
        """Let go of the page."""
        self._socket.close()

    def js(self, code: str) -> Any:
        """Return what some JavaScript comes to; a promise is awaited."""
        answer = self.call("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def until(self, code: str, every: float = 0.2) -> Any:
        """Wait until some JavaScript comes to something true, and return that."""
        end = time.monotonic() + PATIENCE
        while not (value := self.js(code)):
            assert time.monotonic() < end, f"not within {PATIENCE:g} s: {code}"
            time.sleep(every)
        return value

    def press(self, key: str) -> None:
        """Press and release a key."""
        code = {"ArrowRight": 39, "ArrowUp": 38}[key]
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def shoot(self, file: Path) -> None:
        """Write what the page shows as a picture."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def open_notebook(self, lab: str, name: str) -> None:
        """Open a notebook, and wait until its kernel is there."""
        self.call("Page.navigate", url=f"{lab}/lab/tree/{name}?token=test&reset")
        self.until(f"{PANEL}?.sessionContext?.session?.kernel?.status === 'idle'")

    def run_all(self) -> None:
        """Run all cells, as the menu does, without waiting."""
        self.js(f"jupyterapp.shell.activateById({PANEL}.id)")
        self.js("void jupyterapp.commands.execute('notebook:run-all-cells')")

    def finish(self) -> None:
        """Wait until every cell of code has run."""
        cells = f"{PANEL}.content.widgets.filter(w => w.model.type === 'code')"
        self.until(f"{cells}.every(w => w.model.executionState !== 'running' && w.model.executionCount !== null)", 0.5)
        self.until(f"{PANEL}.sessionContext.session.kernel.status === 'idle'")

    def pictures(self) -> dict[str, int]:
        """Return by cell, counted from 0 and text included, how many pictures are seen there, whole."""
        return self.js(
            f"Object.fromEntries({PANEL}.content"
            """.widgets.map((cell, number) => [number,
            [...cell.node.querySelectorAll('.jp-OutputArea-output img')].filter(
                one => one.complete && one.naturalWidth > 0 && one.getBoundingClientRect().width > 100).length
            ]).filter(([_, count]) => count))"""
        )

    def errors(self) -> list[str]:
        """Return what stands on a red ground: errors, and what went to stderr."""
        return self.js(
            """[...document.querySelectorAll('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"], '
            + '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]')].map(one => one.innerText)"""
        )


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _get(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=5) as answer:
        return bytes(answer.read())


def _await(found: Any, what: str) -> Any:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            return found()
        except (OSError, ValueError, IndexError, StopIteration):
            time.sleep(0.3)
    raise AssertionError(f"{what} did not start within {PATIENCE:g} s")


@contextmanager
def _process(command: list[str], log: Path, **more: str) -> Iterator[None]:
    with log.open("wb") as file:
        running = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env={**os.environ, **more})
        try:
            yield
        finally:
            running.terminate()
            try:
                running.wait(20)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


@contextmanager
def lab_on(folder: Path, place: Path) -> Iterator[str]:
    """Serve a folder by JupyterLab, whose own files go to another place; yield its address."""
    for name, settings in SETTINGS.items():
        file = place / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings))
    port = _free_port()
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser",
        f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token=test",
        f"--ServerApp.root_dir={folder}",
    ]  # fmt: skip
    homes = {name: str(place / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")}
    homes |= {"JUPYTERLAB_SETTINGS_DIR": str(place / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(place / "spaces")}
    with _process(command, place / "lab.log", PYTHONPATH=str(ROOT / "src"), **homes):
        address = f"http://127.0.0.1:{port}"
        _await(lambda: _get(f"{address}/api?token=test"), "JupyterLab")
        yield address


@contextmanager
def browser(place: Path) -> Iterator[Page]:
    """Start a headless Chromium with one page, whose own files go to a place."""
    assert BROWSER is not None
    profile = place / "profile"
    command = [
        BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--remote-debugging-port=0", f"--user-data-dir={profile}", f"--window-size={WIDE},{TALL}", "about:blank",
    ]  # fmt: skip

    def address() -> str:
        port = (profile / "DevToolsActivePort").read_text().splitlines()[0]
        pages = json.loads(_get(f"http://127.0.0.1:{port}/json"))
        return str(next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page"))

    with _process(command, place / "chromium.log"):
        page = Page(_await(address, "Chromium"))
        try:
            yield page
        finally:
            page.close()
