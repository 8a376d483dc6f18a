"""What all cases have: a daemon, and its page in a browser."""

import asyncio
import contextlib
import unittest

import browser
from stage import shown_daemon


class PageCase(unittest.IsolatedAsyncioTestCase):
    programs = None  # {name: path}
    config = {}  # what the daemon has beside the usual
    maxDiff = None

    async def asyncSetUp(self):
        if browser.missing():
            self.skipTest(f"{browser.missing()} is not installed")
        # No complaint of each step that takes a tenth of a second: to start a program does.
        asyncio.get_running_loop().slow_callback_duration = 60
        stage = contextlib.AsyncExitStack()
        self.addAsyncCleanup(stage.aclose)
        self.daemon, self.page = await stage.enter_async_context(shown_daemon(self.programs, self.config))
