"""A daemon, and a browser that shows its page, in a directory that goes away with them."""

import contextlib
import shutil
import tempfile
from pathlib import Path

from browser import Browser
from daemon import Daemon
from live_page import LivePage


@contextlib.asynccontextmanager
async def shown_daemon(programs, config):
    """The daemon and its page, for as long as an `async with` lasts. `programs` is {name: path}."""
    directory = Path(tempfile.mkdtemp(prefix="meridian-page-"))
    daemon = Daemon(programs, directory, config)
    try:
        daemon.start()
        browser = await Browser.start(directory)
        try:
            page = await browser.open_page(LivePage)
            await page.open_live(daemon.origin)
            yield daemon, page
        finally:
            await browser.stop()
    finally:
        daemon.end()
        # What a browser has left behind may still be on its way out.
        shutil.rmtree(directory, ignore_errors=True)
