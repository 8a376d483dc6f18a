"""The page and its daemon: what goes between them, and what when one is gone."""

from urllib.parse import urlsplit

from page_case import PageCase

# The icon, drawn by the browser as it would be in a tab.
DRAW_ICON = """(async () => {
  const icon = new Image();
  icon.src = document.querySelector("link[rel=icon]").href;
  await icon.decode();
  const canvas = new OffscreenCanvas(32, 32).getContext("2d");
  canvas.drawImage(icon, 0, 0, 32, 32);
  return canvas.getImageData(0, 0, 32, 32).data.filter((part, i) => i % 4 === 3 && part > 0).length;
})()"""


class ConnectionCases(PageCase):
    async def test_page_says_that_its_daemon_is_gone_and_then_recovers(self):
        self.daemon.run_load(uplinks=2, frames=50)
        await self.page.until_text("#figure-received", "100")
        await self.page.value("void (globalThis.isTheSamePage = true)")

        self.daemon.stop()
        await self.page.until_data("#connection", "state", "stale")
        self.assertEqual(await self.page.text("#connection-word"), "Daemon gone")
        self.assertEqual(await self.page.data("#main", "stale"), "true")
        await self.page.until_visible("#stale-warning")
        self.assertRegex(await self.page.text("#stale-warning"), r"since \d\d:\d\d:\d\d UTC")
        self.assertIn("stale", await self.page.value("document.title"))
        self.assertEqual(await self.page.text("#figure-received"), "100")

        self.daemon.start()
        await self.page.until_data("#connection", "state", "live")
        self.assertEqual(await self.page.data("#main", "stale"), "false")
        await self.page.until_visible("#stale-warning", False)
        self.daemon.run_load(uplinks=2, frames=10)
        await self.page.until_text("#figure-received", "20")
        self.assertTrue(await self.page.value("isTheSamePage"))

    async def test_page_asks_its_daemon_alone_and_nothing_fails(self):
        self.daemon.run_load(uplinks=4, frames=100)
        await self.page.until_text("#figure-received", "400")
        await self.page.tab_to("#satellites", "Frames")
        await self.page.press("Enter")
        await self.page.see_updates(2)

        urls = [urlsplit(event["request"]["url"]) for event in self.page.events("Network.requestWillBeSent")]
        self.assertEqual({f"{url.scheme}://{url.netloc}" for url in urls}, {self.daemon.origin})
        self.assertLessEqual({"/", "/style.css", "/app.js", "/model.js", "/api/v1/events"}, {url.path for url in urls})
        self.assertEqual([url.path for url in urls if url.query], [])
        self.assertEqual(self.page.events("Network.loadingFailed"), [])
        statuses = {event["response"]["status"] for event in self.page.events("Network.responseReceived")}
        self.assertEqual(statuses, {200})
        # Audits have what violates the Content-Security-Policy, among others.
        self.assertEqual(self.page.events("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded",
                                          "Audits.issueAdded"), [])

    async def test_icon_can_be_drawn(self):
        self.assertGreater(await self.page.value(DRAW_ICON), 100)
