"""Text stands out from what is behind it, in both colour schemes."""

import json
import re

from troubled_case import TroubledCase

# WCAG 2.1, level AA, for text that is not large.
LEAST = 4.5

# What has colours of its own. A page that is live and in trouble has all of it.
LIVE = """
h1; h1 small; .facts dt; .facts dd; .facts dd[data-alarm=true]; #connection-word; #connection-detail; #silence
.panel h2; #balance; #ledger dt; #ledger .figure; #ledger .figure[data-alarm=true]; #note-received
.chart h3; .chart strong; .chart[data-alarm=true] strong; .tick; .legends span
.reasons [data-value="0"]; .reasons [data-recent=true]; .reasons [data-recent=true] em
.reasons [data-recent=true] .count; .row-count; label; input
thead button; [aria-sort=ascending] button; tbody th; tbody td; [data-mark=none]; [data-mark=growing]
[data-silent=true] > *; [data-mark=silent]; #uplinks [data-state=held] > *; [data-mark=held]
footer p; footer a
"""
STALE = "#connection-word; #connection-detail; #stale-warning; .facts dd; #ledger .figure; tbody td"

# The colour of the text, and that of the nearest thing behind it that is painted.
COLOURS = """(selectors => selectors.map(selector => {
  const element = [...document.querySelectorAll(selector)].find(element => element.checkVisibility());
  if (!element) {
    return [selector, null, null];
  }
  let behind = element;
  while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") {
    behind = behind.parentElement;
  }
  return [selector, getComputedStyle(element).color, getComputedStyle(behind).backgroundColor];
}))(%s)"""


def luminance(colour):
    """Relative luminance as WCAG defines it, of "rgb(r, g, b)"."""
    parts = [int(part) / 255 for part in re.fullmatch(r"rgb\((\d+), (\d+), (\d+)\)", colour).groups()]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear))


def contrast(one, other):
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


class ContrastCases(TroubledCase):
    async def assert_readable(self, selectors):
        selectors = re.split(r"[;\n]\s*", selectors.strip())
        for scheme in ("light", "dark"):
            await self.page.set_colours(scheme)
            for selector, text, behind in await self.page.value(COLOURS % json.dumps(selectors)):
                with self.subTest(selector, scheme=scheme):
                    self.assertIsNotNone(text, "is not on the page")
                    self.assertGreaterEqual(contrast(text, behind), LEAST, f"{text} on {behind}")

    async def test_text_is_readable_while_there_is_trouble(self):
        await self.assert_readable(LIVE)

    async def test_text_is_readable_once_the_daemon_is_gone(self):
        self.daemon.stop()
        await self.page.until_data("#connection", "state", "stale")
        await self.assert_readable(STALE)
