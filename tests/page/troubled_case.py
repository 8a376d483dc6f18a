"""A page on which every kind of alarm shows at once."""

from page_case import PageCase


class TroubledCase(PageCase):
    # A satellite falls silent; then the buffer is full at once: one listener holds its uplinks back, the other drops
    # what they send.
    config = {"uplinks": [{"name": "patient", "listen": "127.0.0.1:0"},
                          {"name": "hasty", "listen": "127.0.0.1:0", "when_channel_full": "drop"}],
              "buffer": {"max_frames": 100, "when_full": "backpressure"},
              "channel": {"capacity": 1}}

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.daemon.run_load("patient", uplinks=2, frames=10)
        await self.page.until_data("#satellites [data-id='2/0']", "silent", "true")
        self.daemon.start_load("patient", uplinks=1, rate=1000, duration=300)
        await self.page.until_data("#uplinks [data-state=held]", "state", "held")
        self.daemon.start_load("hasty", uplinks=1, rate=50, duration=300)
        await self.page.until_data("#drops [data-reason=channel_full]", "recent", "true")
