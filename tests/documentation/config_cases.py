"""The keys of the configuration: the schema in docs/reference/ and the daemon say the same."""

import json

from documentation import Documentation
from programs import BESIDE, ELEMENT, nested

FRAMINGS = ("length_prefixed", "ccsds_space_packet")


class ConfigCases(Documentation):
    def keys(self):
        """{path: its part of the schema}."""
        found = dict(self.keys_below("", self.schema))
        self.assertGreater(len(found), 40)
        return found

    def keys_below(self, path, schema):
        for name, inner in schema["properties"].items():
            if "properties" in inner:
                yield from self.keys_below(f"{path}{name}.", inner)
            elif "properties" in inner.get("items", {}):
                yield from self.keys_below(f"{path}{name}[].", inner["items"])
            else:
                yield path + name, inner

    def config_with(self, path, value, framing=FRAMINGS[0]):
        """A configuration with one key. In a listener: one that the key is for."""
        if path == "uplinks[].satellite_id":
            framing = FRAMINGS[1]
        if path == "sinks[].max_in_flight_bytes":  # not below that of a message
            return nested(path, value, batch_max_bytes=1024)
        in_listener = path.startswith("uplinks[]") and not path.endswith(".framing")
        return nested(path, value, **({"framing": framing} if in_listener else {}))

    def test_schema_has_the_keys_that_the_daemon_knows(self):
        known = self.check.known_keys()
        self.assertGreater(len(known), 40)
        self.assertEqual(sorted(self.keys()), sorted(set(known)))

    def test_daemon_accepts_every_default(self):
        for path, schema in self.keys().items():
            if "default" in schema:
                with self.subTest(path):
                    self.assertEqual(self.check.error(self.config_with(path, schema["default"])), "")

    def test_daemon_holds_integers_to_the_bounds_of_the_schema(self):
        integers = {path: schema for path, schema in self.keys().items() if schema.get("type") == "integer"}
        self.assertGreater(len(integers), 20)
        for path, schema in integers.items():
            for value, allowed in ((schema["minimum"], True), (schema["maximum"], True),
                                   (schema["minimum"] - 1, False), (schema["maximum"] + 1, False)):
                with self.subTest(path, value=value):
                    said = self.check.error(self.config_with(path, value))
                    # Messages of a sink must fit into what may be in flight.
                    fits = path != "sinks[].batch_max_bytes" or value <= 8_388_608
                    self.assertEqual(said == "", allowed and fits, said)

    def test_daemon_knows_the_names_of_the_schema(self):
        choices = {path: schema["enum"] for path, schema in self.keys().items() if "enum" in schema}
        self.assertGreater(len(choices), 5)
        for path, names in choices.items():
            with self.subTest(path):
                for name in names:
                    self.assertNotIn("must be one of", self.check.error(self.config_with(path, name)))
                said = self.check.error(self.config_with(path, "no-such-name"))
                self.assertIn(", ".join(f'"{name}"' for name in names), said)

    def test_installed_file_has_the_defaults_of_the_schema(self):
        flat = {}
        for section, value in self.installed.items():
            flat |= ({f"{section}.{key}": each for key, each in value.items()} if isinstance(value, dict)
                     else {} if isinstance(value, list) else {section: value})
        self.assertEqual(flat, {path: schema["default"] for path, schema in self.keys().items() if "[]" not in path})

    def test_defaults_of_a_sink_are_those_that_hold(self):
        # To whom a sink says all of them, nothing has changed.
        said = {path.removeprefix("sinks[]."): schema["default"] for path, schema in self.keys().items()
                if path.startswith("sinks[]") and "default" in schema}
        self.assertGreater(len(said), 8)
        sink = ELEMENT["sinks[]"] | {"servers": [f"nats://{self.closed_port()}"], "tls": {}}
        explicit = dict(sink)
        for path, value in said.items():
            inner, _, name = path.rpartition(".")
            (explicit[inner] if inner else explicit)[name] = value
        explicit["name"] = explicit["name"].replace("N", "1")
        config = {"uplinks": [{"listen": "127.0.0.1:0"}], **BESIDE["sinks[]"], "sinks": [sink]}
        with self.running_daemon(config) as daemon:
            for sinks, restart in ([explicit], []), ([explicit | {"stream": "OTHER"}], ["sinks"]):
                changed = config | {"sinks": sinks, "control": {"socket": str(daemon.socket)}}
                (self.directory / "meridiand.json").write_text(json.dumps(changed), encoding="utf-8")
                self.assertEqual(daemon.ask("reload")["needs_restart"], restart)

    def test_examples_are_valid_configurations(self):
        configs = [config for page in (self.config_page, self.pages["meridiand"])
                   for config in self.objects_in(page.literal_blocks(page.sections["EXAMPLES"].lines))]
        self.assertEqual(len(configs), 3)
        for config in configs:
            with self.subTest(config):
                self.assertEqual(self.check.error(config), "")
