"""What all cases need: a daemon, a browser, and the page in it."""

import asyncio
import contextlib
import shutil
import tempfile
import unittest
from pathlib import Path

import browser
from daemon import Daemon
from live_page import LivePage

PROGRAMS = ("meridiand", "meridianctl", "meridian-sim")


def programs(given):
    """{name: path}, from the command line."""
    return {name: getattr(given, name.replace("-", "_")) for name in PROGRAMS}


@contextlib.contextmanager
def working_directory():
    directory = Path(tempfile.mkdtemp(prefix="meridian-page-"))
    try:
        yield directory
    finally:
        # What a browser leaves behind may still be on its way out.
        shutil.rmtree(directory, ignore_errors=True)


class PageCase(unittest.IsolatedAsyncioTestCase):
    given = None  # the command line
    config = {}  # what the daemon has beside the usual
    maxDiff = None

    async def asyncSetUp(self):
        if browser.missing():
            self.skipTest(f"{browser.missing()} is not installed")
        # No complaint of each step that takes a tenth of a second: to start a program does.
        asyncio.get_running_loop().slow_callback_duration = 60
        directory = working_directory()
        self.daemon = Daemon(programs(self.given), directory.__enter__(), self.config)
        self.addCleanup(directory.__exit__, None, None, None)
        self.addCleanup(self.daemon.end)
        self.daemon.start()
        self.browser = await browser.Browser.start(self.daemon.directory)
        self.addAsyncCleanup(self.browser.stop)
        self.page = await self.browser.open_page(LivePage)
        await self.page.open_live(self.daemon.origin)
