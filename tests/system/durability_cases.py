"""Neither a restart nor a time without the daemon loses anything."""

import os
import stat
import sys
import threading
import time

from guest import (
    SERVICE,
    STATE,
    activated,
    backpressure,
    cursor,
    depth,
    drop_in,
    fill,
    journal,
    main_pid,
    run,
    start_afresh,
    unit,
)
from report import eventually, expect, system_test
from telemetry import CONTROL, Books, Drainer, Load, ask, connect, finish, frames, send


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
