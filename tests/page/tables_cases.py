"""The tables hold all that the API has, in the order and choice of their reader."""

from page_case import PageCase

SATELLITES = "#satellites"
FRAMES_COLUMN = 6


class TablesCases(PageCase):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        # Satellite 1 has sent the most, satellite 4 the least; two uplinks stay.
        for uplinks in (4, 3, 2, 1):
            self.daemon.run_load(uplinks=uplinks, frames=1000)
        self.daemon.start_load(uplinks=2, rate=20, duration=300)
        await self.page.until(f"document.querySelectorAll('{SATELLITES} tbody tr').length", 4)
        await self.page.until("document.querySelectorAll('#uplinks tbody tr').length", 2)

    async def test_tables_list_what_the_api_lists(self):
        satellites = [f"{row['satellite_id']}/{row['channel_id']}"
                      for row in self.daemon.api("satellites")["satellites"]]
        uplinks = [str(row["id"]) for row in self.daemon.api("uplinks")["uplinks"]]
        self.assertEqual((len(satellites), len(uplinks)), (4, 2))
        self.assertEqual(sorted(await self.page.row_ids("satellites")), sorted(satellites))
        self.assertEqual(sorted(await self.page.row_ids("uplinks")), sorted(uplinks))

    async def test_keyboard_sorts_and_keeps_its_place(self):
        await self.page.value(f"void (globalThis.firstRow = document.querySelector('{SATELLITES} [data-id=\"1/0\"]'))")
        await self.page.tab_to(SATELLITES, "Frames")
        for order, ids in (("descending", ["1/0", "2/0", "3/0", "4/0"]), ("ascending", ["4/0", "3/0", "2/0", "1/0"])):
            await self.page.press("Enter")
            for _ in range(2):
                self.assertEqual(await self.page.row_ids("satellites"), ids)
                self.assertEqual(await self.sorted_column(), ["Frames", order])
                self.assertEqual(await self.page.focused(), "Frames")
                await self.page.see_updates(1)
        # A selection and a screen reader stay in a row only if it is the same element.
        self.assertTrue(await self.page.value("firstRow.isConnected"))

    async def sorted_column(self):
        return await self.page.value(f"(header => [header.innerText.trim(), header.ariaSort])"
                                     f"(document.querySelector('{SATELLITES} [aria-sort$=ending]'))")

    async def test_filter_leaves_what_matches(self):
        await self.page.tab_to(SATELLITES, "Filter satellites")
        await self.page.insert_text("3/")
        for _ in range(3):
            self.assertEqual(await self.page.row_ids("satellites"), ["3/0"])
            self.assertEqual(await self.page.text(f"{SATELLITES} .row-count"), "1 matching, of 4")
            self.assertEqual(await self.page.focused(), "Filter satellites")
            await self.page.see_updates(1)

        await self.page.insert_text("no such")
        self.assertEqual(await self.page.row_ids("satellites"), [])
        self.assertEqual(await self.page.text(f"{SATELLITES} .nothing"), "No satellites match the filter.")

        while await self.page.value("document.activeElement.value"):
            await self.page.press("Backspace")
        self.assertEqual(len(await self.page.row_ids("satellites")), 4)
        await self.page.until_visible(f"{SATELLITES} .nothing", False)
