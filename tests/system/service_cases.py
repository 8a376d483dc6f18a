"""The service takes frames, reloads, logs, lets in whom it should, and is restarted."""

import grp
import os
import pwd
import resource
import signal
import stat
import time
from typing import Any

from guest import (
    CONFIG,
    CONTROLLER,
    HERE,
    SERVICE,
    VISITOR,
    configure,
    ctl,
    cursor,
    depth,
    drop_in,
    journal,
    main_pid,
    restarts,
    run,
    start_afresh,
    unit,
)
from report import eventually, expect, system_test
from telemetry import CONTROL, Books, connect, finish, frame, frames, send


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
