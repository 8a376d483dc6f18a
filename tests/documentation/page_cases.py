"""What a running daemon says of itself, and the pages as such."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import time

from documentation import Documentation


class PageCases(Documentation):
    def test_man_page_has_every_method_of_the_control_socket(self):
        with self.running_daemon() as daemon, socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(str(daemon.socket))
            client.sendall(b"no-such-method\n")
            with client.makefile() as answers:
                message = json.loads(answers.readline())["error"]["message"]
        methods = re.search(r"use one of (.+)", message)[1].split(", ")
        self.assertEqual(sorted(self.pages["meridiand"].tags("Ic", "CONTROL SOCKET")), sorted(methods))

    def test_man_page_has_every_reason_that_is_counted(self):
        with self.running_daemon(self.config_with_sink()) as daemon:
            stats = daemon.ask("stats")
            [sink] = daemon.ask("sinks")["sinks"]
        counted = (stats["ledger"]["dropped"], stats["sessions"]["closed"], stats["malformed"],
                   stats["control"]["cut_off"], sink["refused"], sink["skipped"])
        self.assertEqual(sorted(self.pages["meridianctl"].tags("Li", "REASONS")),
                         sorted(reason for reasons in counted for reason in reasons))

    def test_man_page_has_every_field_of_the_log(self):
        # One frame more than the buffer takes, something that is no frame, a request, and a sink that finds nobody.
        config = self.config_with_sink(buffer={"max_frames": 1}, log={"format": "json"})
        with self.running_daemon(config) as daemon:
            [listener] = daemon.ask("uplinks")["listeners"]
            with socket.create_connection(listener["address"].rsplit(":", 1), timeout=60) as uplink:
                uplink.sendall(2 * bytes.fromhex("00000010 00000007 0000 0000 0000000000000000") + bytes(4))
                with contextlib.suppress(ConnectionResetError):
                    uplink.recv(1)
            daemon.ask("drain")
            give_up_at = time.monotonic() + 60
            while daemon.ask("sinks")["sinks"][0]["refused"]["unreachable"] == 0:
                self.assertLess(time.monotonic(), give_up_at)
        lines = [json.loads(line) for line in (self.directory / "log").read_text(encoding="utf-8").splitlines()]
        fields = {field for line in lines for field in line} - {"time", "level", "message"}
        self.assertEqual(sorted(tag for tag in self.pages["meridiand"].tags("Li", "SYSTEMD") if tag.isupper()),
                         sorted(f"MERIDIAN_{field.upper()}" for field in fields))

    def test_mandoc_has_nothing_to_say(self):
        # Manuals that a page refers to need not be installed.
        of_others = re.compile(r"mandoc: outdated mandoc\.db lacks|: referenced manual not found:")
        for page, done in self.each_page_through("mandoc", "-T", "lint", "-W", "style"):
            with self.subTest(page):
                said = (done.stdout + done.stderr).splitlines()
                self.assertEqual([line for line in said if not of_others.search(line)], [])

    def test_man_has_nothing_to_say(self):
        for page, done in self.each_page_through("man", "--warnings", "-E", "UTF-8", "-Tutf8", "-Z", "-l"):
            with self.subTest(page):
                self.assertEqual((done.returncode, done.stderr), (0, ""))

    def each_page_through(self, tool, *arguments):
        if shutil.which(tool) is None:
            self.skipTest(f"{tool} is not installed")
        pages = sorted(self.man.iterdir())
        self.assertEqual(len(pages), 4)
        for page in pages:
            yield page.name, subprocess.run(
                [tool, *arguments, str(page)], capture_output=True, encoding="utf-8", timeout=60, check=False,
                env=os.environ | {"LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "80"})
