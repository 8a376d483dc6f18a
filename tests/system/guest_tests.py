"""What is tested in a booted system. Runs as root in it, with the packages beside it:
guest_tests.py RESULTS, or --list for the names of the tests."""

import grp
import json
import os
import pwd
import re
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from report import eventually, expect, names, run_all, system_test
from telemetry import CONTROL, UPLINK, Books, Drainer, Load, ask, connect, finish, frame, frames, send

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


# --- Installing ----------------------------------------------------------------------------------


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


# --- Frames --------------------------------------------------------------------------------------


@system_test
def frames_go_in_and_come_out() -> None:
    start_afresh()
    books = Books()
    for satellite in range(1, 9):
        books.sent[satellite] = books.confirmed[satellite] = 2_500
        send(satellite, range(2_500))
    run("meridian-sim", "--uplinks", "4", "--frames", "5000")
    ledger = ctl("stats")["ledger"]
    expect(ledger["received"] == 40_000, f"40000 frames were received, not {ledger['received']}")
    for satellite in range(1, 9):
        octets = HERE / "drained"
        run("meridianctl", "drain", "--all", "--satellite", str(satellite), "--format", "binary", "--force",
            "--output", str(octets))
        if satellite > 4:  # meridian-sim has sent as 1 to 4, too
            expect(octets.read_bytes() == frames(satellite, range(2_500)), f"satellite {satellite}: as it was sent")
    ledger = ctl("stats")["ledger"]
    expect(ledger["drained"] + ledger["buffered"] == 40_000, f"what is gone was drained: {ledger}")
    octets.unlink()


@system_test
def status_shows_uplinks_and_depth() -> None:
    start_afresh()
    with connect() as uplink:
        uplink.sendall(frames(1, range(123)))
        eventually(lambda: "123" in unit("StatusText") and "1 uplink" in unit("StatusText"), "the status names both")


@system_test
def limits_fit_ten_thousand_uplinks() -> None:
    """The test itself needs as many descriptors."""
    uplinks = 9_900 if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 10_100 else 10_000
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    start_afresh(uplinks=[{"name": "native", "listen": "127.0.0.1:7400", "max_sessions": 10_000}])
    opened = [connect() for _ in range(uplinks)]
    try:
        for satellite, uplink in enumerate(opened):
            uplink.sendall(frame(satellite, 0))
        eventually(lambda: depth() == uplinks, f"{uplinks} uplinks are served", seconds=30)
        expect(ctl("stats")["sessions"]["open"] == uplinks, "all are open")
    finally:
        for uplink in opened:
            uplink.close()


# --- Reload --------------------------------------------------------------------------------------


def max_frames() -> int:
    return int(ctl("stats")["buffer"]["max_frames"])


def listening(port: int) -> dict[str, Any]:
    return {"name": f"port-{port}", "listen": f"127.0.0.1:{port}"}


@system_test
def reload_takes_up_a_good_file() -> None:
    start_afresh(uplinks=[listening(7400), listening(7410)], buffer={"max_frames": 1_000})
    pid = main_pid()
    with connect() as uplink:
        uplink.sendall(frame(1, 0))
        configure(uplinks=[listening(7400), listening(7411)], buffer={"max_frames": 2_000})
        run("systemctl", "reload", SERVICE)
        expect(max_frames() == 2_000, "the new limit holds")
        send(2, range(10), ("127.0.0.1", 7411))
        try:
            connect(("127.0.0.1", 7410)).close()
            raise AssertionError("the listener that was removed still listens")
        except ConnectionRefusedError:
            pass
        uplink.sendall(frame(1, 1))
        finish(uplink)
    expect(depth() == 12, "the session that the new file keeps went on")
    expect(main_pid() == pid and unit("ActiveState") == "active", "it is the same process")


@system_test
def reload_refuses_a_broken_file() -> None:
    start_afresh(buffer={"max_frames": 1_000})
    with connect() as uplink:
        uplink.sendall(frame(1, 0))
        before = cursor()
        CONFIG.write_text('{ "buffer": { "max_frames": 2000, "max_bites": 1 } }')
        expect(run("systemctl", "reload", SERVICE, check=False).returncode != 0, "systemctl reload fails")
        errors = [entry for entry in journal(before, _PID=main_pid()) if entry["PRIORITY"] == "3"]
        expect(any("max_bites" in entry["MESSAGE"] for entry in errors), f"the daemon's error names the key, got {errors}")
        expect(max_frames() == 1_000, "the old limit stays")
        answer = run("meridianctl", "reload", check=False)
        expect(answer.returncode == 1 and "max_bites" in answer.stderr, f"meridianctl says why, got {answer}")
        uplink.sendall(frame(1, 1))
        finish(uplink)
    expect(depth() == 2, "the session went on")
    expect(unit("ActiveState") == "active" and unit("SubState") == "running", "the service goes on")


@system_test
def reload_by_signal() -> None:
    start_afresh(buffer={"max_frames": 1_000})
    configure(buffer={"max_frames": 3_000})
    run("systemctl", "kill", "--signal=HUP", SERVICE)
    eventually(lambda: max_frames() == 3_000, "the new limit holds")
    eventually(lambda: unit("SubState") == "running", "systemd knows that the reload is over")


# --- Journal and access --------------------------------------------------------------------------


@system_test
def journal_has_levels_and_fields() -> None:
    before = cursor()
    start_afresh()
    with connect() as uplink:
        uplink.sendall(frame(7, 0) + bytes(20))  # a length of 0 is malformed
        peer = "{}:{}".format(*uplink.getsockname())
        try:
            uplink.recv(1)
        except ConnectionResetError:
            pass
    entries = journal(before, _PID=main_pid())
    expect({entry["SYSLOG_IDENTIFIER"] for entry in entries} == {"meridiand"}, "all are the daemon's")
    expect(any(entry["PRIORITY"] == "6" and entry["MESSAGE"] == "ready" for entry in entries), "ready is information")
    about = [entry for entry in entries if entry.get("MERIDIAN_PEER") == peer]
    expect(
        any(entry["PRIORITY"] == "4" and entry.get("MERIDIAN_REASON") == "length_too_small" for entry in about),
        f"a warning with peer {peer} and reason, got {about}",
    )
    by_field = run("journalctl", "--output=cat", f"MERIDIAN_PEER={peer}", "MERIDIAN_REASON=length_too_small").stdout
    expect(by_field, "journalctl finds it by its fields")


@system_test
def uid_of_who_asked_is_logged() -> None:
    start_afresh()
    before = cursor()
    uid = str(pwd.getpwnam(CONTROLLER).pw_uid)
    as_controller = {"user": CONTROLLER, "group": CONTROLLER, "extra_groups": ["meridian"]}
    for request in ["drain"], ["flush"], ["reload"]:
        run("meridianctl", *request, **as_controller)

    def logged() -> set[str]:
        return {entry.get("MERIDIAN_REQUEST", "") for entry in journal(before, MERIDIAN_UID=uid)}

    eventually(lambda: {"drain", "flush", "reload"} <= logged(), f"each with the uid {uid}")


@system_test
def visitors_are_kept_out() -> None:
    start_afresh()
    refused = run("meridianctl", "depth", check=False, user=VISITOR, group=VISITOR, extra_groups=[])
    expect(refused.returncode != 0, "who is not in the group may not ask")


@system_test
def control_group_is_given() -> None:
    with drop_in(f"SupplementaryGroups={VISITOR}"):
        start_afresh(control={"group": VISITOR, "mode": "0660"})
        at = os.stat(CONTROL)
        expect(at.st_gid == grp.getgrnam(VISITOR).gr_gid, "the socket has the group of the configuration")
        expect(stat.S_IMODE(at.st_mode) == 0o660, "and the mode")
        run("meridianctl", "depth", user=VISITOR, group=VISITOR, extra_groups=[])
    start_afresh()


# --- When it goes wrong --------------------------------------------------------------------------


@system_test
def watchdog_restarts_a_daemon_that_hangs() -> None:
    with drop_in("WatchdogSec=2s"):
        start_afresh()
        time.sleep(4)
        expect(restarts() == 0, "one that turns is left alone")
        hung = main_pid()
        os.kill(hung, signal.SIGSTOP)
        eventually(lambda: restarts() == 1 and unit("SubState") == "running", "systemd restarts it", seconds=20)
        expect(main_pid() != hung, "it is another process")
        expect(depth() == 0, "which answers")
    start_afresh()


@system_test
def kill_9_restarts() -> None:
    start_afresh()
    before = restarts()
    os.kill(main_pid(), signal.SIGKILL)
    eventually(lambda: restarts() == before + 1 and unit("SubState") == "running", "systemd restarts it")
    expect(depth() == 0, "it answers")


# --- Nothing is lost -----------------------------------------------------------------------------


@system_test
def restart_under_load_keeps_every_frame() -> None:
    start_afresh(**backpressure(150_000))
    books = Books()
    with Load(books):
        fill(books, 150_000)
        run("systemctl", "restart", SERVICE)
        expect(depth() >= 150_000, "what was counted is there again")
        books.count()
        with Drainer(books):
            time.sleep(1)
            books.count()
    books.drain_all()
    expect(books.total_drained() >= 150_000, f"{books.total_drained()} frames came out")
    books.check()


@system_test
def restarts_in_a_row_under_load_keep_every_frame() -> None:
    start_afresh(**backpressure(20_000))
    books = Books()
    with Load(books), Drainer(books):
        for _ in range(10):
            time.sleep(0.3)
            books.count()
            run("systemctl", "restart", SERVICE)
    books.drain_all()
    books.check()
    expect(unit("NRestarts") == "0", "none was systemd's own")
    print(f"{books.total_drained()} frames, {len(books.confirmed)} confirmed sessions", file=sys.stderr)


@system_test
def damaged_state_is_set_aside() -> None:
    start_afresh()
    send(1, range(10_000))
    run("systemctl", "stop", SERVICE)
    saved = STATE / "buffer.saved"
    expect(stat.S_IMODE(saved.stat().st_mode) == 0o600, "only the daemon may read what is saved")
    os.truncate(saved, saved.stat().st_size // 2)
    before = cursor()
    run("systemctl", "start", SERVICE)
    kept = depth()
    expect(4_000 <= kept < 10_000, f"half of the frames are there, not {kept}")
    expect(list(STATE.glob("buffer.damaged-*")), "the rest is set aside")
    expect(any(entry["PRIORITY"] == "3" for entry in journal(before, _PID=main_pid())), "and named")
    books = Books()
    books.sent[1] = 10_000
    books.drain_all()
    books.check()


# --- Socket activation ---------------------------------------------------------------------------


@system_test
def sockets_start_the_service() -> None:
    start_afresh()
    with activated():
        run("systemctl", "stop", SERVICE)
        send(1, range(100))
        expect(depth() == 100, "an uplink starts it")
        run("systemctl", "stop", SERVICE)
        expect(depth() == 100, "a question starts it")


@system_test
def sockets_hold_connections_during_a_restart() -> None:
    start_afresh()
    with drop_in("ExecStartPre=/bin/sleep 2"), activated():
        for _ in range(3):
            send(1, range(100))
        inode = os.stat(CONTROL).st_ino
        run("systemctl", "restart", "--no-block", SERVICE)
        eventually(lambda: unit("SubState") == "start-pre", "the daemon is not there")
        answers: list[int] = []
        asking = threading.Thread(target=lambda: answers.append(ask("depth")[0]["frames"]))
        asking.start()
        uplinks = [connect() for _ in range(20)]
        for satellite, uplink in enumerate(uplinks, start=10):
            uplink.sendall(frames(satellite, range(50)))
        expect(unit("SubState") == "start-pre", "all of them connected while it was not there")
        for uplink in uplinks:
            finish(uplink)
        asking.join()
        expect(len(answers) == 1 and answers[0] >= 300, f"the question was answered: {answers}")
        expect(depth() == 1_300, f"all were served: {depth()} frames")
        expect(os.stat(CONTROL).st_ino == inode, "the control socket is the same")


# --- Upgrade and removal -------------------------------------------------------------------------


@system_test
def upgrade_under_load_loses_nothing() -> None:
    start_afresh(**backpressure(50_000))
    changed = CONFIG.read_text()
    books = Books()
    with Load(books):
        fill(books, 50_000)
        run("dpkg", "-i", package(2))
        expect(depth() >= 50_000, "the new daemon has what the old one had")
    books.drain_all()
    books.check()
    expect(books.total_drained() >= 50_000, f"{books.total_drained()} frames came out")
    expect(CONFIG.read_text() == changed, "the changed configuration survives")
    installed = run("dpkg-query", "--show", "--showformat=${Version}", "meridian").stdout
    expect(installed.endswith("-2"), f"the second version is installed, not {installed}")


@system_test
def removal_keeps_configuration_and_state() -> None:
    send(1, range(1_000))
    run("dpkg", "--remove", "meridian")
    expect(CONFIG.exists(), "the configuration stays")
    expect((STATE / "buffer.saved").exists(), "what was in the buffer stays")
    expect(shutil.which("meridiand") is None, "the programs are gone")
    try:
        connect().close()
        raise AssertionError("somebody still listens")
    except ConnectionRefusedError:
        pass
    run("dpkg", "-i", package(2))
    expect(depth() == 1_000, "installed again, it has them again")


@system_test
def purge_leaves_nothing() -> None:
    """Even of what an administrator made of it."""
    run("systemctl", "enable", "--now", "meridiand-uplink.socket", check=False)
    (CONFIG.parent / "meridiand.json.old").write_text("{}")
    os.kill(main_pid(), signal.SIGKILL)  # something to forget
    run("dpkg", "--purge", "meridian")
    left = [
        path
        for path in run("find", "/", "-xdev", "-iname", "*meridian*", "-not", "-path", f"{HERE}/*").stdout.split()
        + run("find", "/run", "-iname", "*meridian*").stdout.split()
    ]
    expect(not left, f"no file is left, but {left}")
    for database in "passwd", "group":
        expect(run("getent", database, "meridian", check=False).returncode != 0, f"nothing is left in {database}")
    orphans = run("find", "/", "-xdev", "(", "-nouser", "-o", "-nogroup", ")").stdout
    expect(not orphans, f"no file belongs to a user who is gone: {orphans}")
    units = run("systemctl", "list-units", "--all", "--plain", "--no-legend", "meridian*").stdout
    expect(not units, f"systemd knows of no unit: {units}")
    files = run("systemctl", "list-unit-files", "--no-legend", "meridian*", check=False).stdout
    expect(not files, f"and of no unit file: {files}")
    known = run("dpkg-query", "--show", "meridian", check=False)
    expect(known.returncode != 0, "dpkg knows nothing of it")


def main() -> None:
    if sys.argv[1] == "--list":
        print("\n".join(names()))
        return
    with open(sys.argv[1], "w", encoding="utf-8") as results:
        run_all(results, after_failure=explain)


if __name__ == "__main__":
    main()
