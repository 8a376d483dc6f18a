"""Runs Chromium without a window, and does with a page what a reader does."""

import asyncio
import base64
import os
import shutil
import signal
import subprocess
import time

from devtools import DevTools, websockets

WAIT_AT_MOST_S = 60
LOOK_EVERY_S = 0.05

FLAGS = [
    "--headless=new",
    "--remote-debugging-port=0",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # small in containers
    "--hide-scrollbars",
    # Nothing of its own that would go out, and no way out.
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]

# What DevTools want to know of a key.
KEYS = {
    "Tab": {"code": "Tab", "windowsVirtualKeyCode": 9},
    "Enter": {"code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"},
    "Backspace": {"code": "Backspace", "windowsVirtualKeyCode": 8},
}


def missing():
    """What is not installed; nothing if all is there."""
    if shutil.which("chromium") is None:
        return "chromium"
    return None if websockets else "python3-websockets"


class Browser:
    """A browser that runs, with a profile of its own."""

    @classmethod
    async def start(cls, directory):
        browser = cls()
        browser._log = directory / "browser.log"
        profile = directory / "profile"
        profile.mkdir()
        # Its sandbox does not work for root.
        flags = FLAGS + (["--no-sandbox"] if os.geteuid() == 0 else [])
        with browser._log.open("wb") as log:
            browser._process = subprocess.Popen(
                ["chromium", *flags, f"--user-data-dir={profile}", "about:blank"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={"PATH": os.environ["PATH"], "HOME": str(directory), "TMPDIR": str(directory), "LC_ALL": "C.UTF-8"})
        try:
            browser._devtools = await DevTools.connect(*await browser._address(profile / "DevToolsActivePort"))
        except BaseException:
            browser._end()
            raise
        return browser

    async def open_page(self, page_class):
        target = await self._devtools.call("Target.createTarget", {"url": "about:blank"})
        attached = await self._devtools.call("Target.attachToTarget", target | {"flatten": True})
        page = page_class(self._devtools, attached["sessionId"])
        await page.start()
        return page

    async def stop(self):
        try:
            await self._devtools.call("Browser.close")
            await self._devtools.close()
            await asyncio.get_running_loop().run_in_executor(None, self._process.wait, WAIT_AT_MOST_S)
        finally:
            self._end()

    async def _address(self, file):
        """Port and path of DevTools, once the browser has written them down."""
        give_up_at = time.monotonic() + WAIT_AT_MOST_S
        while True:
            lines = file.read_text(encoding="utf-8").split("\n") if file.exists() else []
            if len(lines) == 2 and lines[1]:
                return int(lines[0]), lines[1]
            if self._process.poll() is not None or time.monotonic() > give_up_at:
                raise AssertionError("chromium does not start: " +
                                     self._log.read_text(encoding="utf-8", errors="replace"))
            await asyncio.sleep(LOOK_EVERY_S)

    def _end(self):
        # Its helpers too: they are in the group of the process that we have started.
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()


class Page:
    def __init__(self, devtools, session):
        self._devtools = devtools
        self._session = session

    async def start(self):
        for domain in ("Page", "Runtime", "Network", "Log", "Audits", "Accessibility"):
            await self.call(f"{domain}.enable")
        # As if its window were the one in front, so that there is a focus.
        await self.call("Emulation.setFocusEmulationEnabled", {"enabled": True})

    async def call(self, method, parameters=None):
        return await self._devtools.call(method, parameters, self._session)

    def events(self, *methods):
        return self._devtools.events(self._session, *methods)

    async def open(self, url):
        await self.call("Page.navigate", {"url": url})

    async def value(self, expression):
        """What an expression in JavaScript gives, as JSON; promises are awaited."""
        done = await self.call("Runtime.evaluate",
                               {"expression": expression, "returnByValue": True, "awaitPromise": True})
        if "exceptionDetails" in done:
            raise AssertionError(f"{expression}: {done['exceptionDetails']['exception'].get('description')}")
        return done["result"].get("value")

    async def until(self, expression, expected=True):
        """Waits until an expression has this value; an error if it takes too long."""
        give_up_at = time.monotonic() + WAIT_AT_MOST_S
        while (value := await self.value(expression)) != expected:
            if time.monotonic() > give_up_at:
                raise AssertionError(f"{expression} is {value!r}, and never was {expected!r}")
            await asyncio.sleep(LOOK_EVERY_S)

    async def press(self, key):
        for phase in ("keyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", {"type": phase, "key": key, **KEYS[key]})

    async def insert_text(self, text):
        await self.call("Input.insertText", {"text": text})

    async def resize(self, width, height, scale=1, is_phone=False):
        await self.call("Emulation.setDeviceMetricsOverride",
                        {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": is_phone})

    async def set_colours(self, scheme):
        """Shows the page as to someone who prefers "light" or "dark"."""
        await self.call("Emulation.setEmulatedMedia",
                        {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    async def save_picture(self, file):
        shot = await self.call("Page.captureScreenshot", {"format": "png"})
        file.write_bytes(base64.b64decode(shot["data"]))
