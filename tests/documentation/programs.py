"""Runs the programs, and reads what they say about themselves."""

import contextlib
import dataclasses
import json
import os
import re
import signal
import subprocess
import time

# What would change what a program does.
FOREIGN = ("MERIDIAN_SOCKET XDG_RUNTIME_DIR STATE_DIRECTORY NOTIFY_SOCKET WATCHDOG_USEC WATCHDOG_PID "
           "LISTEN_PID LISTEN_FDS LISTEN_FDNAMES JOURNAL_STREAM").split()


def environment():
    return {name: value for name, value in os.environ.items() if name not in FOREIGN} | {"LC_ALL": "C.UTF-8"}


@dataclasses.dataclass
class Help:
    """What --help lists."""

    options: dict  # {"--name": what its value is called, "" where it has none}
    commands: list
    operands: list  # what a command takes without an option

    def long_options(self):
        return {name for name in self.options if name.startswith("--")}


class Program:
    def __init__(self, name, path):
        self.name = name
        self.path = path

    def run(self, *arguments):
        return subprocess.run([self.path, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                              encoding="utf-8", env=environment(), timeout=60, check=False)

    def help(self, *command):
        done = self.run(*command, "--help")
        if done.returncode != 0:
            raise AssertionError(f"{self.name} {command} --help: {done.stderr}")
        options, commands, operands, section = {}, [], [], ""
        for line in done.stdout.splitlines():
            section = line if line.endswith(":") and not line.startswith(" ") else section
            if not re.match(r"  \S", line):
                continue
            # Names, what the value is called, and what CLI11 says about other options.
            names, value, *_ = re.split(r"\s{2,}", line.strip())[0].split(" ") + [""]
            if names.startswith("-"):
                options |= dict.fromkeys(names.split(","), "" if value.endswith(":") else value)
            else:
                (operands if section == "Positionals:" else commands).append(names)
        return Help(options, commands, operands)


def listed_names(message):
    """The names that an error lists as the allowed ones; nothing if it lists none."""
    listed = re.search(r"must be (?:one of )?([a-z_.-]+(?:, [a-z_.-]+)*(?:,? or [a-z_.-]+)?)(?:, is .*)?$", message, re.M)
    names = re.split(r", or | or |, ", listed[1]) if listed else []
    return set(names) if len(names) > 1 else set()


class ConfigCheck:
    """Asks meridiand what it thinks of a configuration."""

    def __init__(self, meridiand, directory):
        self.meridiand = meridiand
        self.file = directory / "checked.json"

    def error(self, config):
        """The message that refuses it; "" if it is valid."""
        self.file.write_text(config if isinstance(config, str) else json.dumps(config), encoding="utf-8")
        done = self.meridiand.run("--config", self.file, "--check-config")
        if done.returncode not in (0, 78):
            raise AssertionError(f"meridiand --check-config: exit status {done.returncode}: {done.stderr}")
        return done.stderr.strip() if done.returncode else ""

    def known_keys(self, path=""):
        """All keys that may stand below a path, such as "buffer.max_frames" and "uplinks[].name"."""
        allowed = re.search(r"unknown key; allowed here: (.+)", self.error(nested(path + "no such key", 1)))
        if not allowed:
            return []
        found = []
        for key in allowed[1].split(", "):
            inside = self.known_keys(f"{path}{key}.") or self.known_keys(f"{path}{key}[].")
            found += inside or [path + key]
        return found


# What an element of a list must have, and what must stand beside the list.
ELEMENT = {"sinks[]": {"servers": ["nats://127.0.0.1:4222"], "stream": "TELEMETRY"}}
BESIDE = {"sinks[]": {"buffer": {"when_full": "backpressure"}}}


def nested(path, value, **siblings):
    """A configuration with one key: "uplinks[].name" leads to {"uplinks": [{"name": value}]}. It also has what
    that key needs."""
    *outer, last = path.split(".")
    config = {**siblings, last: value}
    for key in reversed(outer):
        config = {**ELEMENT.get(key, {}), **config}
        config = {key.removesuffix("[]"): [config] if key.endswith("[]") else config}
    return BESIDE.get(outer[0], {}) | config if outer else config


def without_comments(text):
    """JSON without // comments. Strings may have // in them."""
    return re.sub(r'("(?:[^"\\]|\\.)*")|//.*', lambda match: match[1] or "", text)


class Daemon:
    """A meridiand that runs."""

    def __init__(self, meridianctl, socket):
        self.meridianctl = meridianctl
        self.socket = socket

    def ask(self, command):
        done = self.meridianctl.run("--socket", self.socket, "--json", command)
        if done.returncode != 0:
            raise AssertionError(f"meridianctl {command}: exit status {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)


@contextlib.contextmanager
def running_daemon(meridiand, meridianctl, directory, config):
    """Runs a daemon with this configuration, which is in directory/meridiand.json."""
    socket = directory / "control.sock"
    file = directory / "meridiand.json"
    file.write_text(json.dumps(config | {"control": {"socket": str(socket)}}), encoding="utf-8")
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen([meridiand.path, "--config", str(file)], stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log, env=environment())
    try:
        give_up_at = time.monotonic() + 60
        while meridianctl.run("--socket", socket, "version").returncode != 0:
            if process.poll() is not None or time.monotonic() > give_up_at:
                raise AssertionError("meridiand did not start: " + (directory / "log").read_text(encoding="utf-8"))
            time.sleep(0.05)
        yield Daemon(meridianctl, socket)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
    finally:
        process.kill()
        process.wait()
