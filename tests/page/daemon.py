"""Runs a meridiand and loads on it, and asks what its API says."""

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
    """A meridiand in a directory of its own, started and stopped as often as a case wants it.

    It listens where there is room, and again at the same HTTP port after a stop.
    """

    def __init__(self, programs, directory, config):
        self._programs = programs  # {name: path}
        self.directory = directory
        self._socket = directory / "control.sock"
        self._config = {"uplinks": [{"name": "native", "listen": "127.0.0.1:0"}],
                        "control": {"socket": str(self._socket)},
                        "satellites": {"silent_after_s": 2}} | config
        self._process = None
        self._loads = []
        self._kept_port = None
        self.http_port = 0
        self.uplink_addresses = {}  # {name of the listener: where it listens}

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.http_port}"

    def version(self):
        said = subprocess.check_output([self._programs["meridiand"], "--version"], text=True)  # meridiand 1.2.3 (…)
        return said.split()[1]

    def start(self):
        file, log = self.directory / "meridiand.json", self.directory / "meridiand.log"
        listen = {"http": {"listen": f"127.0.0.1:{self.http_port}"}}
        file.write_text(json.dumps(self._config | listen), encoding="utf-8")
        with log.open("wb") as written:
            self._process = self._run("meridiand", "--config", file, output=written)
        give_up_at = time.monotonic() + WAIT_AT_MOST_S
        while " ready\n" not in (said := log.read_text(encoding="utf-8")):
            if self._process.poll() is not None or time.monotonic() > give_up_at:
                raise AssertionError(f"meridiand does not start: {said}")
            time.sleep(0.05)
        self.http_port = int(re.search(r"listening on 127\.0\.0\.1:(\d+) for HTTP clients", said)[1])
        self.uplink_addresses = {name: address for address, name in
                                 re.findall(r"listening on (\S+) for \w+ uplinks \((.+)\)", said)}
        if self._kept_port:
            self._kept_port.close()

    def stop(self):
        self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(WAIT_AT_MOST_S)
        if status != 0:
            raise AssertionError(f"meridiand ends with {status}")
        # Bound without listening, the port is given to nobody else, and connections to it are refused.
        self._kept_port = socket.socket()
        self._kept_port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._kept_port.bind(("127.0.0.1", self.http_port))

    def end(self):
        """Ends whatever still runs."""
        for process in [*self._loads, *([self._process] if self._process else [])]:
            process.kill()
            process.wait()
        if self._kept_port:
            self._kept_port.close()

    def start_load(self, listener="native", **options):
        """Uplinks that send; the options are those of meridian-sim. Its process."""
        words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
        load = self._run("meridian-sim", "--connect", self.uplink_addresses[listener], *words)
        self._loads.append(load)
        return load

    def run_load(self, listener="native", **options):
        """The same, until the daemon has everything."""
        status = self.start_load(listener, **options).wait(WAIT_AT_MOST_S)
        if status != 0:
            raise AssertionError(f"meridian-sim ends with {status}")

    def control(self, *command):
        """Has meridianctl carry out a command."""
        status = self._run("meridianctl", "--socket", self._socket, *command).wait(WAIT_AT_MOST_S)
        if status != 0:
            raise AssertionError(f"meridianctl {command} ends with {status}")

    def api(self, name):
        """What stands at /api/v1/NAME."""
        client = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=WAIT_AT_MOST_S)
        try:
            client.request("GET", f"/api/v1/{name}")
            return json.loads(client.getresponse().read())
        finally:
            client.close()

    def _run(self, name, *arguments, output=subprocess.DEVNULL):
        # Nothing of the environment may change what it does.
        return subprocess.Popen([self._programs[name], *map(str, arguments)], stdin=subprocess.DEVNULL,
                                stdout=output, stderr=output, cwd=self.directory,
                                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"})
