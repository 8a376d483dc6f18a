"""What all cases need: the programs, the pages, the completion."""

import json
import re
import socket
import tempfile
import unittest
from pathlib import Path

from completion import Completion
from man_page import ManPage
from programs import ConfigCheck, Program, running_daemon, without_comments

PAGES = {"meridiand": "meridiand.8", "meridianctl": "meridianctl.1", "meridian-sim": "meridian-sim.1"}


class Documentation(unittest.TestCase):
    given = None  # the command line
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.source = source = Path(cls.given.source)
        cls.man = source / "docs/man"
        cls.programs = {name: Program(name, getattr(cls.given, name.replace("-", "_"))) for name in PAGES}
        cls.pages = {name: ManPage(cls.man / file) for name, file in PAGES.items()}
        cls.config_page = ManPage(cls.man / "meridiand.json.5")
        cls.installed = json.loads(without_comments((source / "config/meridiand.json").read_text(encoding="utf-8")))
        cls.schema = json.loads((source / "docs/reference/configuration.schema.json").read_text(encoding="utf-8"))
        cls.open_rpc = json.loads((source / "docs/reference/control.openrpc.json").read_text(encoding="utf-8"))
        cls.completion = Completion(source / "completions/meridian.bash")

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="meridian-documentation-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.check = ConfigCheck(self.programs["meridiand"], self.directory)

    def running_daemon(self, config=None):
        """Runs a daemon for as long as a `with` lasts. It listens on a port that is free."""
        config = config or {"uplinks": [{"listen": "127.0.0.1:0"}]}
        return running_daemon(self.programs["meridiand"], self.programs["meridianctl"], self.directory, config)

    def config_with_sink(self, **changes):
        """One whose sink finds nobody, and skips what it cannot deliver."""
        sink = {"name": "a", "servers": [f"nats://{self.closed_port()}"], "stream": "S", "when_behind": "skip_oldest"}
        return {"uplinks": [{"listen": "127.0.0.1:0"}], "sinks": [sink], **changes}

    @staticmethod
    def objects_in(blocks):
        """The JSON objects that begin and end with a brace at the edge."""
        return [config for block in blocks for config in re.findall(r"^\{$.*^\}$", block, re.M | re.S)]

    @staticmethod
    def placed(program, here):
        for there, instead in here.items():
            program = program.replace(there, instead)
        return program

    @staticmethod
    def port_of(daemon):
        """Of its only listener."""
        [listener] = daemon.ask("uplinks")["listeners"]
        return listener["address"].rsplit(":", 1)[1]

    def closed_port(self):
        """An address at which nobody listens, nor can as long as the case runs."""
        bound = socket.socket()
        self.addCleanup(bound.close)
        bound.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{bound.getsockname()[1]}"
