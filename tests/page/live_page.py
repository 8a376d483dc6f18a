"""The daemon's page as a reader finds it: by its ids and data attributes."""

import json

from browser import Page


class LivePage(Page):
    async def open_live(self, origin):
        """Opens the page, and waits until it shows figures."""
        await self.open(f"{origin}/")
        await self.until_data("#ledger", "balanced", "true")

    async def text(self, selector):
        return await self.value(f"document.querySelector({json.dumps(selector)})?.innerText")

    async def data(self, selector, key):
        return await self.value(f"document.querySelector({json.dumps(selector)})?.dataset.{key}")

    async def until_text(self, selector, expected):
        await self.until(f"document.querySelector({json.dumps(selector)})?.innerText", expected)

    async def until_data(self, selector, key, expected):
        await self.until(f"document.querySelector({json.dumps(selector)})?.dataset.{key}", expected)

    async def until_visible(self, selector, expected=True):
        await self.until(f"document.querySelector({json.dumps(selector)}).checkVisibility()", expected)

    async def row_ids(self, table):
        """From top to bottom."""
        return await self.value(f"[...document.querySelectorAll('#{table} tbody tr')].map(row => row.dataset.id)")

    async def focused(self):
        """What the element is called that has the focus."""
        return await self.value("(document.activeElement.ariaLabel ?? document.activeElement.innerText).trim()")

    async def tab_to(self, container, name):
        """Presses Tab until what is called so, in this container, has the focus."""
        for _ in range(100):
            await self.press("Tab")
            inside = await self.value(f"document.activeElement.closest({json.dumps(container)}) != null")
            if inside and await self.focused() == name:
                return
        raise AssertionError(f"Tab never gets to {name} in {container}")

    async def see_updates(self, count):
        """Waits until the page has shown that many snapshots more."""
        detail = "document.querySelector('#connection-detail').innerText"
        for _ in range(count):
            await self.until(f"{detail} != {json.dumps(await self.value(detail))}")
