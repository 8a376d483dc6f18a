"""The keys of the configuration: meridiand.json(5), config/meridiand.json and the daemon say the same."""

import grp
import json
import os
import re
import socket

from documentation import Documentation
from programs import BESIDE, ELEMENT, nested

FRAMINGS = ("length_prefixed", "ccsds_space_packet")
RELOADED, RESTARTED = "applied by a reload", "needs a restart"

# Keys whose elements have keys of their own.
LISTS = ("uplinks", "sinks")

# In these the two listeners of the installed file differ; what a listener without them has is tried out.
TELL_LISTENERS_APART = ("name", "listen", "framing", "satellite_id")


def bounds_in(text):
    return {(int(least), int(most)) for least, most in re.findall(r"(\d+) to (\d+)", text)}


def names_in(text):
    return set(re.findall(r'"([^"]*)"', text))


class Key:
    """What the man page says of a key, such as "Integer, 0 to 9; default 1; needs a restart."."""

    def __init__(self, item):
        said = item.first_paragraph()
        self.type = said.split(";")[0]
        self.names = names_in(self.type)
        self.bounds = bounds_in(said)
        self.defaults = [json.loads(value) for value in re.findall(r"default (.+?);", said)]
        self.when = [when for when in (RELOADED, RESTARTED) if said.endswith(f"; {when}.")]

    def default(self, framing=FRAMINGS[0]):
        """Where there are two, each is of one framing. Only of keys that have one."""
        return self.defaults[min(FRAMINGS.index(framing), len(self.defaults) - 1)]


class ConfigCases(Documentation):
    def keys(self):
        """{path: Key}, from the man page."""
        found = {item.tag.removeprefix("Va "): Key(item)
                 for section in self.config_page.sections.values() for item in section.items
                 if item.tag.startswith("Va ") and item.tag.removeprefix("Va ") not in LISTS}
        self.assertGreater(len(found), 20)
        return found

    def item_of(self, name):
        """That of a list in the man page."""
        [item] = [item for section in self.config_page.sections.values() for item in section.items
                  if item.tag == f"Va {name}"]
        return item

    def config_with(self, path, value, framing=FRAMINGS[1]):
        """A configuration with one key; in a listener, which has this framing."""
        in_listener = path.startswith("uplinks[]") and not path.endswith(".framing")
        return nested(path, value, **({"framing": framing} if in_listener else {}))

    def refusals(self, path, value):
        """What the daemon says to it, for each framing, without the value itself."""
        return [self.check.error(self.config_with(path, value, framing)).split(", is ")[0] for framing in FRAMINGS]

    def test_man_page_has_the_keys_that_the_daemon_knows(self):
        known = self.check.known_keys()
        self.assertGreater(len(known), 20)
        self.assertEqual(sorted(self.keys()), sorted(set(known)))

    def test_man_page_has_the_defaults_of_the_installed_file(self):
        flat = {}
        for section, value in self.installed.items():
            inside = {f"{section}.{key}": each for key, each in value.items()} if isinstance(value, dict) else None
            flat |= inside or {section: value}
        del flat["uplinks"]
        self.assertEqual(Key(self.item_of("sinks")).defaults, [flat.pop("sinks")])
        self.assertEqual({path: key.defaults for path, key in self.keys().items() if "[]" not in path},
                         {path: [value] for path, value in flat.items()})

    def test_man_page_has_the_listeners_of_the_installed_file(self):
        [block] = self.config_page.literal_blocks(self.item_of("uplinks").lines)
        self.assertEqual(json.loads(block), self.installed["uplinks"])
        for path, key in self.keys().items():
            section, _, name = path.rpartition(".")
            if section == "uplinks[]" and name not in TELL_LISTENERS_APART:
                for listener in self.installed["uplinks"]:
                    with self.subTest(path, listener=listener["name"]):
                        self.assertEqual(key.default(listener["framing"]), listener[name])

    def test_defaults_that_tell_listeners_apart(self):
        default = {path: key.default() for path, key in self.keys().items() if key.defaults}
        # A listener that says the default is in the way of one that says nothing.
        name = default["uplinks[].name"].replace("N", "2")
        self.assertIn("taken", self.check.error({"uplinks": [{"name": name}, {"listen": "127.0.0.1:1"}]}))
        listen = default["uplinks[].listen"]
        self.assertIn("taken", self.check.error({"uplinks": [{"name": "a", "listen": listen}, {"name": "b"}]}))
        # More than a space packet can have.
        self.assertEqual(default["uplinks[].framing"], "length_prefixed")
        self.assertEqual(self.check.error({"uplinks": [{"max_payload_bytes": 100_000}]}), "")

        with self.running_daemon({"uplinks": [{"listen": "127.0.0.1:0", "framing": "ccsds_space_packet"}]}) as daemon:
            [listener] = daemon.ask("uplinks")["listeners"]
            with socket.create_connection(listener["address"].rsplit(":", 1), timeout=60) as uplink:
                uplink.sendall(bytes.fromhex("0001 c000 0000 00"))
                uplink.shutdown(socket.SHUT_WR)
                uplink.recv(1)
            [satellite] = daemon.ask("satellites")["satellites"]
        self.assertEqual(satellite["satellite_id"], default["uplinks[].satellite_id"])

    def test_defaults_of_a_sink_are_those_that_hold(self):
        # To whom a sink says all of them, nothing has changed.
        said = {path.removeprefix("sinks[]."): key.default() for path, key in self.keys().items()
                if path.startswith("sinks[]") and key.defaults}
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

    def test_daemon_accepts_every_default(self):
        for path, key in self.keys().items():
            if not key.defaults:
                continue
            for framing in FRAMINGS:
                if path.endswith(".satellite_id") and framing == "length_prefixed":
                    continue
                with self.subTest(path, framing=framing):
                    self.assertEqual(self.check.error(self.config_with(path, key.default(framing), framing)), "")

    def test_man_page_has_the_bounds_of_every_key(self):
        for path, key in self.keys().items():
            with self.subTest(path):
                said = " ".join(self.refusals(path, []) + self.refusals(path, ""))
                self.assertEqual(key.bounds, bounds_in(said))
                self.assertEqual(key.names, names_in(said) if "must be one of" in said else set())

    def test_man_page_has_the_type_of_every_key(self):
        for path, key in self.keys().items():
            with self.subTest(path):
                kind = key.type.split(",")[0]
                said = " ".join(self.refusals(path, {}))
                # An enumeration is refused with its names, an integer with its bounds.
                self.assertEqual(kind.startswith("One of "), "must be one of" in said)
                self.assertEqual(kind == "Integer", "must be an integer" in said)
                self.assertEqual(kind.startswith("List of "), "must be a list" in said)
                self.assertEqual(kind == "Boolean", "must be true or false" in said)
                self.assertTrue(kind.startswith(("One of ", "List of "))
                                or kind in ("Boolean", "Integer", "String"), kind)
                self.assertEqual("or null" in key.type, self.refusals(path, None)[1] == "")

    def test_man_page_has_the_bounds_of_lists(self):
        for name, elements, refused in ("uplinks", "listeners", []), ("sinks", "sinks", {}):
            with self.subTest(name):
                [bounds] = re.findall(r"\d+ to \d+", self.check.error({name: refused}))
                self.assertIn(f"List of {bounds} {elements};", self.item_of(name).first_paragraph())

    def test_man_page_says_what_a_reload_applies(self):
        said = {path: key.when for path, key in self.keys().items()}
        said["sinks"] = Key(self.item_of("sinks")).when
        self.assertEqual([path for path, when in said.items() if len(when) != 1], [])
        self.assertEqual([path for path, when in said.items() if path.startswith("sinks") and when != [RESTARTED]], [])
        with self.running_daemon() as daemon:
            changed = self.everything_changed()
            (self.directory / "meridiand.json").write_text(json.dumps(self.as_file(changed)), encoding="utf-8")
            answer = daemon.ask("reload")
        # Of the lists of keys in the answer, one is of those that need a restart.
        lists = {name: paths for name, paths in answer.items() if isinstance(paths, list)}
        restarted = {path for name, paths in lists.items() if "restart" in name for path in paths}
        applied = {path for paths in lists.values() for path in paths if not path.startswith("uplinks")} - restarted
        self.assertEqual(restarted, {path for path in changed if said[path] == [RESTARTED]})
        self.assertEqual(applied, {path for path in changed if said[path] == [RELOADED]})

    def everything_changed(self):
        """{path: a value that is not its default}, for all keys that are not of elements of a list."""
        (self.directory / "state").mkdir()
        values = {"control.socket": str(self.directory / "other.sock"), "control.mode": "0600",
                  "control.group": grp.getgrgid(os.getgid()).gr_name,
                  "control.read_only_group": grp.getgrgid(os.getgid()).gr_name, "state.directory": str(self.directory / "state"),
                  "log.target": str(self.directory / "other.log"), "http.listen": "127.0.0.1:0", "http.names": ["a.example"],
                  "sinks": [ELEMENT["sinks[]"] | {"when_behind": "skip_oldest"}]}
        for path, key in self.keys().items():
            if path not in values and "[]" not in path:
                values[path] = sorted(key.names - {key.default()})[0] if key.names else key.default() + 1
        return values

    def as_file(self, values):
        config = {"uplinks": [{"listen": "127.0.0.1:0"}]}
        for path, value in values.items():
            section, _, name = path.rpartition(".")
            (config.setdefault(section, {}) if section else config)[name] = value
        return config

    def test_examples_are_valid_configurations(self):
        examples = [block for page in (self.config_page, self.pages["meridiand"])
                    for block in page.literal_blocks(page.sections["EXAMPLES"].lines)]
        configs = [config for block in examples for config in re.findall(r"^\{$.*^\}$", block, re.M | re.S)]
        self.assertEqual(len(configs), 3)
        for config in configs:
            with self.subTest(config):
                self.assertEqual(self.check.error(config), "")
