"""What the page shows is what the daemon counts."""

from page_case import PageCase

LEDGER = ("received", "buffered", "leased", "delivered", "drained", "flushed", "dropped")


class FiguresCases(PageCase):
    config = {"buffer": {"max_frames": 500}}

    def ledger(self):
        """{name: figure}, from the API."""
        ledger = self.daemon.api("stats")["ledger"]
        return ledger | {"dropped": sum(ledger["dropped"].values())}

    async def until_ledger_is(self, ledger):
        for name in LEDGER:
            await self.page.until_data(f"#figure-{name}", "value", str(ledger[name]))
            await self.page.until_text(f"#figure-{name}", f"{ledger[name]:,}")

    async def test_version_is_that_of_the_daemon(self):
        await self.page.until_text("#version", self.daemon.version())

    async def test_figures_move_under_a_load(self):
        self.daemon.start_load(uplinks=2, rate=100, duration=60)
        value = "Number(document.querySelector('#figure-received').dataset.value)"
        for _ in range(4):
            await self.page.until(f"{value} > {await self.page.value(value)}")

    async def test_ledger_is_that_of_the_api(self):
        self.daemon.run_load(uplinks=4, frames=300)
        self.daemon.control("drain", "--max", 120)
        self.daemon.control("flush")
        self.daemon.run_load(uplinks=4, frames=20)
        ledger = self.ledger()
        self.assertEqual({name: ledger[name] for name in LEDGER},
                         {"received": 1280, "buffered": 80, "leased": 0, "delivered": 0, "drained": 120, "flushed": 380, "dropped": 700})
        await self.until_ledger_is(ledger)
        self.assertEqual(await self.page.data("#ledger", "balanced"), "true")
        self.assertIn("balances", await self.page.text("#balance"))

    async def test_drop_is_recent_for_a_while(self):
        reason = "#drops [data-reason=buffer_full_oldest]"
        self.assertEqual(await self.page.data(reason, "recent"), "false")
        self.daemon.run_load(uplinks=1, frames=1700)
        await self.page.until_data(reason, "recent", "true")
        dropped = self.daemon.api("stats")["ledger"]["dropped"]["buffer_full_oldest"]
        await self.page.until_data(reason, "value", str(dropped))
        await self.page.until_text(f"{reason} .count", f"{dropped:,}")
        self.assertIn("dropping", await self.page.value("document.title"))

        await self.page.until_data(reason, "recent", "false")
        self.assertEqual(await self.page.data(reason, "value"), str(dropped))
        await self.page.until("document.title.includes('dropping')", False)

    async def test_silent_satellite_is_named_until_it_is_heard_again(self):
        """Satellite 1 goes on, satellite 2 does not."""
        self.daemon.start_load(uplinks=1, rate=20, duration=120)
        self.daemon.run_load(uplinks=2, frames=1)
        await self.until_silent({"1/0": "false", "2/0": "true"})
        await self.page.until_data("#silent-count", "value", "1")
        await self.page.until("document.title.includes('1 silent')")
        await self.page.until("document.querySelector('#silence').innerText.endsWith(': 2')")
        await self.page.until_visible("#silence")
        self.assertEqual(await self.page.text("#satellites [data-silent=true] td:nth-child(3)"), "silent")

        self.daemon.start_load(uplinks=2, rate=20, duration=120)
        await self.until_silent({"1/0": "false", "2/0": "false"})
        await self.page.until_data("#silent-count", "value", "0")
        await self.page.until("document.title", "Meridian")
        await self.page.until_visible("#silence", False)

    async def until_silent(self, expected):
        """Waits until these are the satellites, and whether each is silent."""
        await self.page.until("Object.fromEntries([...document.querySelectorAll('#satellites tbody tr')]"
                              ".map(row => [row.dataset.id, row.dataset.silent]))", expected)
