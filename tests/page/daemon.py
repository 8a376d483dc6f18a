"""Runs a meridiand and the load on it, and asks what its API says."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time

WAIT_AT_MOST_S = 60


class Daemon:
    """A meridiand in a directory of its own, started and stopped as a case wants it.

    It listens where there is room: its ports are those that its log names.
    """

    def __init__(self, programs, directory, config):
        self._programs = programs
        self._directory = directory
        self._socket = directory / "control.sock"
        self._config = {"uplinks": [{"name": "native", "listen": "127.0.0.1:0"}],
                        "http": {"listen": "127.0.0.1:0"},
                        "control": {"socket": str(self._socket)},
                        "satellites": {"silent_after_s": 2}} | config
        self._process = None
        self._loads = []
        self.http_port = None
        self.uplink_addresses = {}  # {name of the listener: where it listens}

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.http_port}"

    # The daemon itself.

    def start(self):
        file, log = self._directory / "meridiand.json", self._directory / "meridiand.log"
        file.write_text(json.dumps(self._config), encoding="utf-8")
        with log.open("wb") as written:
            self._process = self._run("meridiand", "--config", file, stdout=written, stderr=written)
        give_up_at = time.monotonic() + WAIT_AT_MOST_S
        while " ready\n" not in (said := log.read_text(encoding="utf-8")):
            if self._process.poll() is not None or time.monotonic() > give_up_at:
                raise AssertionError(f"meridiand does not start: {said}")
            time.sleep(0.05)
        self.http_port = int(re.search(r"listening on 127\.0\.0\.1:(\d+) for HTTP clients", said)[1])
        self.uplink_addresses = {name: address for address, name in
                                 re.findall(r"listening on (\S+) for \w+ uplinks \((.+)\)", said)}

    def stop(self):
        """Stops it in order, and keeps its port from everybody else until it is started again."""
        self._process.send_signal(signal.SIGTERM)
        if self._process.wait(WAIT_AT_MOST_S) != 0:
            raise AssertionError(f"meridiand ends with {self._process.returncode}")
        self._process = None

    def restart_at_the_same_port(self, while_gone):
        """..."""

    def end(self):
        """Ends what still runs."""
        for process in [*self._loads, *([self._process] if self._process else [])]:
            process.kill()
            process.wait()

    # Who talks to it.

    def api(self, path):
        """What stands at /api/v1/PATH."""
        client = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=WAIT_AT_MOST_S)
        try:
            client.request("GET", f"/api/v1/{path}")
            return json.loads(client.getresponse().read())
        finally:
            client.close()
