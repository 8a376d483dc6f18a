"""The reference is what the program renders, and what a running daemon knows is in it."""

import contextlib
import json
import re
import socket
import subprocess
import sys
import time

from documentation import Documentation


class ReferenceCases(Documentation):
    def test_committed_reference_is_what_the_program_renders(self):
        if "without" in self.programs["meridiand"].run("--version").stdout:
            self.skipTest("this build leaves out parts that the reference describes")
        done = subprocess.run([sys.executable, self.source / "scripts/reference", "--check",
                               self.programs["meridiand"].path],
                              capture_output=True, encoding="utf-8", timeout=300, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def test_unknown_form_is_refused_with_those_that_there_are(self):
        done = self.programs["meridiand"].run("--print-reference=no-such-form")
        self.assertEqual(done.returncode, 64)
        self.assertIn("configuration.md", done.stderr)

    def test_reference_has_every_method_of_the_control_socket(self):
        with self.running_daemon() as daemon, socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(str(daemon.socket))
            client.sendall(b"no-such-method\n")
            with client.makefile() as answers:
                message = json.loads(answers.readline())["error"]["message"]
        methods = re.search(r"use one of (.+)", message)[1].split(", ")
        self.assertEqual(sorted(method["name"] for method in self.open_rpc["methods"]), sorted(methods))
        self.assertGreaterEqual(set(self.pages["meridiand"].tags("Ic", "CONTROL SOCKET")), set(methods))

    def test_answers_have_the_fields_of_the_reference(self):
        results = {method["name"]: set(method["result"]["schema"]["properties"]) for method in self.open_rpc["methods"]}
        with self.running_daemon(self.config_with_sink()) as daemon:
            for method in ("depth", "stats", "uplinks", "satellites", "sinks", "version", "flush", "health", "reload"):
                with self.subTest(method):
                    self.assertEqual(set(daemon.ask(method)), results[method])

    def test_reference_has_every_reason_that_is_counted(self):
        with self.running_daemon(self.config_with_sink()) as daemon:
            stats = daemon.ask("stats")
            [sink] = daemon.ask("sinks")["sinks"]
        counted = (stats["ledger"]["dropped"], stats["sessions"]["closed"], stats["malformed"],
                   stats["control"]["cut_off"], stats["leases"]["ended"], stats["faults"], sink["refused"],
                   sink["skipped"])
        text = (self.source / "docs/reference/reasons.md").read_text(encoding="utf-8")
        self.assertEqual(sorted(re.findall(r"^\| `(\w+)` \|", text, re.M)),
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
