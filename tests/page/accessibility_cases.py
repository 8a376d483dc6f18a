"""Who reads the page by ear, by keyboard or on a phone reads all of it."""

from troubled_case import TroubledCase

CONTROLS = {"button", "link", "searchbox", "textbox", "checkbox", "combobox"}
PHONE = {"width": 390, "height": 844, "scale": 2, "is_phone": True}


class AccessibilityCases(TroubledCase):
    async def nodes(self, *roles):
        """What an assistive technology finds of these roles, in its order: (role, name, level of a heading)."""
        tree = await self.page.call("Accessibility.getFullAXTree")
        found = []
        for node in tree["nodes"]:
            if not node["ignored"] and node["role"]["value"] in roles:
                properties = {each["name"]: each["value"].get("value") for each in node.get("properties", [])}
                found.append((node["role"]["value"], node.get("name", {}).get("value", ""), properties.get("level")))
        return found

    async def test_every_chart_says_its_figure(self):
        charts = await self.page.value("document.querySelectorAll('.chart svg').length")
        self.assertGreaterEqual(charts, 4)
        names = [name for _, name, _ in await self.nodes("image", "img")]
        self.assertEqual(len(names), charts)
        for name in names:
            self.assertRegex(name, r"^[A-Z][a-z ]+: \d[\d,.]*\s.* now; .*\d")

    async def test_headings_go_down_step_by_step(self):
        levels = [level for *_, level in await self.nodes("heading")]
        self.assertGreater(len(levels), 5)
        self.assertEqual((levels[0], levels.count(1)), (1, 1))
        for above, level in zip(levels, levels[1:]):
            self.assertLessEqual(level, above + 1)

    async def test_landmarks_are_there(self):
        landmarks = [role for role, *_ in await self.nodes("banner", "main", "navigation", "contentinfo")]
        self.assertEqual(sorted(landmarks), ["banner", "contentinfo", "main", "navigation"])
        regions = [name for _, name, _ in await self.nodes("region")]
        self.assertGreaterEqual(len(regions), 5)
        self.assertNotIn("", regions)

    async def test_every_control_has_a_name(self):
        controls = await self.nodes(*CONTROLS)
        self.assertGreater(len(controls), 20)
        self.assertEqual([role for role, name, _ in controls if not name.strip()], [])
        tables = [name for _, name, _ in await self.nodes("table")]
        self.assertEqual(tables, ["Satellites", "Uplinks"])

    async def test_phone_needs_no_scrolling_sideways(self):
        await self.page.resize(**PHONE)
        await self.page.see_updates(1)
        self.assertLessEqual(await self.page.value("document.documentElement.scrollWidth"), PHONE["width"])
        # Not cut off either: what is wider is in a part that scrolls by itself.
        self.assertEqual(await self.page.value(
            "[...document.querySelectorAll('body *:not(.scroll *, .skip)')]"
            f".filter(element => element.getBoundingClientRect().right > {PHONE['width']})"
            ".map(element => element.outerHTML.slice(0, 80))"), [])
