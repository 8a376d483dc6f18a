"""What the tests in the booted system ask it, and how they bring about what they test."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from report import eventually, expect
from telemetry import Books

HERE = Path(__file__).parent
SERVICE = "meridiand.service"
SOCKETS = ["meridiand-uplink.socket", "meridiand-control.socket"]
CONFIG = Path("/etc/meridian/meridiand.json")
STATE = Path("/var/lib/meridian")
DROP_INS = Path("/run/systemd/system/meridiand.service.d")
CONTROLLER, VISITOR = "controller", "visitor"  # in the group meridian, and not


# --- Asking the system ---------------------------------------------------------------------------


def run(*command: str, check: bool = True, seconds: float = 60, **options: Any) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit status {done.returncode}: {done.stderr or done.stdout}")
    return done


def ctl(*arguments: str) -> Any:
    return json.loads(run("meridianctl", "--json", *arguments).stdout)


def depth() -> int:
    return int(ctl("depth")["frames"])


def unit(name: str, of: str = SERVICE) -> str:
    """A property of a unit."""
    return run("systemctl", "show", "--property", name, "--value", of).stdout.strip()


def main_pid() -> int:
    pid = int(unit("MainPID"))
    expect(pid > 0, "the daemon runs")
    return pid


def restarts() -> int:
    return int(unit("NRestarts"))


def package(release: int) -> str:
    (found,) = HERE.glob(f"meridian_*-{release}_*.deb")
    return str(found)


def cursor() -> str:
    """Where the journal ends now."""
    run("journalctl", "--sync")
    shown = run("journalctl", "--lines=0", "--show-cursor").stdout
    return shown.rpartition("-- cursor: ")[2].strip()


def journal(after: str, **fields: object) -> list[dict[str, str]]:
    """The entries with these fields. Not by journalctl's own matches: with --after-cursor, systemd 252
    skips the first that it finds."""
    run("journalctl", "--sync")
    lines = run("journalctl", "--after-cursor", after, "--output=json", "--no-pager").stdout.splitlines()
    entries = [json.loads(line) for line in lines]
    return [entry for entry in entries if all(entry.get(name) == str(value) for name, value in fields.items())]


def explain() -> None:
    """For whoever reads why a test failed."""
    print(run("systemctl", "status", "--no-pager", "--full", "--lines=20", SERVICE, check=False).stdout, file=sys.stderr)


# --- Bringing it about ---------------------------------------------------------------------------


def configure(**changes: Any) -> None:
    """Writes a configuration: what is given, else the defaults."""
    CONFIG.write_text(json.dumps(changes))


def start_afresh(**changes: Any) -> None:
    """A daemon with an empty buffer and this configuration."""
    run("systemctl", "stop", SERVICE)
    for saved in STATE.iterdir():
        saved.unlink()
    configure(**changes)
    run("systemctl", "reset-failed", SERVICE)
    run("systemctl", "start", SERVICE)


def backpressure(max_frames: int) -> dict[str, Any]:
    return {"buffer": {"max_frames": max_frames, "when_full": "backpressure"}}


@contextmanager
def drop_in(*lines: str) -> Iterator[None]:
    """Changes [Service] of the unit for a while."""
    DROP_INS.mkdir(parents=True, exist_ok=True)
    changed = DROP_INS / "test.conf"
    changed.write_text("\n".join(["[Service]", *lines, ""]))
    run("systemctl", "daemon-reload")
    try:
        yield
    finally:
        changed.unlink()
        DROP_INS.rmdir()
        run("systemctl", "daemon-reload")


@contextmanager
def activated() -> Iterator[None]:
    """systemd holds the sockets for a while."""
    run("systemctl", "stop", SERVICE)
    run("systemctl", "start", *SOCKETS)
    run("systemctl", "start", SERVICE)
    try:
        yield
    finally:
        run("systemctl", "stop", *SOCKETS, SERVICE)
        run("systemctl", "start", SERVICE)


def fill(books: Books, max_frames: int) -> None:
    eventually(lambda: depth() >= max_frames, "the buffer is full", seconds=30)
    books.count()
