"""The package installs, and its service starts and is confined as its units say."""

import os
import pwd
import re
import stat
import sys
import time
from pathlib import Path

from guest import CONFIG, SERVICE, SOCKETS, STATE, depth, main_pid, package, run, start_afresh, unit
from report import expect, system_test
from telemetry import connect


@system_test
def package_installs_and_runs() -> None:
    run("dpkg", "-i", package(1))
    expect(depth() == 0, "the daemon answers when dpkg is done")
    expect(unit("ActiveState") == "active", "the service is active")
    expect(run("systemctl", "is-enabled", SERVICE).stdout.strip() == "enabled", "the service is enabled")
    for name in SOCKETS:
        expect(run("systemctl", "is-enabled", name, check=False).stdout.strip() == "disabled", f"{name} is not enabled")
    user = pwd.getpwnam("meridian")
    process = Path("/proc") / str(main_pid())
    expect(process.stat().st_uid == user.pw_uid, "the daemon runs as the user meridian")
    expect(re.search(r"^CapEff:\s*0+$", (process / "status").read_text(), re.MULTILINE), "it has no capabilities")
    for directory, mode in ("/run/meridian", 0o755), (str(STATE), 0o700):
        at = os.stat(directory)
        expect(stat.S_IMODE(at.st_mode) == mode, f"{directory} has the mode {mode:o}, not {at.st_mode:o}")
        expect(at.st_uid == user.pw_uid, f"{directory} belongs to meridian")
    configuration = os.stat("/etc/meridian/meridiand.json")  # which may hold a password
    expect(stat.S_IMODE(configuration.st_mode) == 0o640, f"others cannot read it: {configuration.st_mode:o}")
    expect((configuration.st_uid, configuration.st_gid) == (0, user.pw_gid), "root writes it, meridian reads it")


@system_test
def units_pass_verify() -> None:
    """Without man, which this system has not: lintian sees to the pages."""
    said = run("systemd-analyze", "verify", "--man=no", SERVICE, *SOCKETS)
    expect(not said.stdout + said.stderr, f"silence, got {said.stdout}{said.stderr}")


@system_test
def exposure_is_at_most_1_4() -> None:
    said = run("systemd-analyze", "security", "--no-pager", "--threshold=14", SERVICE, check=False)
    print(said.stdout, file=sys.stderr)
    expect(said.returncode == 0, said.stdout.strip().rpartition("\n")[2])


@system_test
def start_returns_when_depth_answers() -> None:
    for _ in range(5):
        run("systemctl", "stop", SERVICE)
        run("systemctl", "start", SERVICE)
        expect(run("meridianctl", "depth", check=False).returncode == 0, "depth answers at once")
        connect().close()


@system_test
def broken_configuration_is_not_tried_again() -> None:
    start_afresh()
    CONFIG.write_text('{ "buffer": { "max_frames": "many" } }')
    expect(run("systemctl", "restart", SERVICE, check=False).returncode != 0, "the start fails")
    expect(unit("ExecMainStatus") == "78", "with the exit status 78")
    time.sleep(1.5)  # RestartSec= has passed
    expect(unit("ActiveState") == "failed", "and is not repeated")
    start_afresh()
