"""The package is upgraded, removed and purged."""

import os
import shutil
import signal

from guest import CONFIG, HERE, STATE, backpressure, depth, fill, main_pid, package, run, start_afresh
from report import expect, system_test
from telemetry import Books, Load, connect, send


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
