"""What is tested of the container's image, without an engine: systemd-nspawn runs what the image says
as an engine would, as process 1 with namespaces and a user of its own.
image_tests.py ROOT INSPECTED VOLUMES RESULTS (files of the image, `buildah inspect`, a directory for
the volumes), or --list for the names of the tests."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from report import eventually, expect, names, run_all, system_test

NANOSECONDS = 1e9
GRACE_SECONDS = 10


@dataclass
class Image:
    root: Path
    config: dict[str, Any]
    volumes: Path

    @property
    def user(self) -> tuple[int, int]:
        user = self.config["User"]
        uid, _, gid = user.partition(":")
        expect(uid.isdigit() and gid.isdigit(), f"a user and a group by number, not {user!r}")
        return int(uid), int(gid)


@dataclass
class Container:
    """A running one. `daemon` is its process 1, as seen from here."""

    image: Image
    engine: subprocess.Popen[bytes]
    daemon: int

    def run(self, *command: str, seconds: float = 30) -> subprocess.CompletedProcess[str]:
        """What `docker exec` does: in the container, as its user."""
        uid, gid = self.image.user
        namespaces = ["--mount", "--net", "--pid", "--ipc", "--uts", f"--setuid={uid}", f"--setgid={gid}"]
        return subprocess.run(
            ["nsenter", f"--target={self.daemon}", *namespaces, "--", *command],
            capture_output=True,
            text=True,
            timeout=seconds,
        )

    def depth(self) -> int:
        return int(json.loads(self.run("meridianctl", "--json", "depth").stdout)["frames"])

    def stop(self) -> int:
        """What `docker stop` does: the exit status, or an error once the time of grace is over."""
        os.kill(self.daemon, signal.SIGTERM)
        return self.engine.wait(GRACE_SECONDS)


image: Image


def descendants(process: int) -> Iterator[int]:
    """Some may be gone by the time they are looked at."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return
    for child in map(int, children):
        yield child
        yield from descendants(child)


def executable(process: int) -> str:
    try:
        return os.readlink(f"/proc/{process}/exe")
    except OSError:
        return ""


def wait_for_daemon(engine: subprocess.Popen[bytes]) -> int:
    """The process below the engine that has become the image's entry point."""
    entry = image.config["Entrypoint"][0]
    found: list[int] = []

    def is_there() -> bool:
        expect(engine.poll() is None, f"the container runs, but it ended with {engine.returncode}")
        found.extend(process for process in descendants(engine.pid) if executable(process).endswith(entry))
        return bool(found)

    eventually(is_there, "the entry point runs")
    return found[0]


@contextmanager
def container() -> Iterator[Container]:
    binds = [f"--bind={image.volumes}{path}:{path}" for path in image.config["Volumes"]]
    environment = [f"--setenv={variable}" for variable in image.config["Env"]]
    with open(image.volumes / "log", "ab") as log:
        engine = subprocess.Popen(
            ["systemd-nspawn", "--quiet", f"--directory={image.root}", "--register=no", "--keep-unit"]
            + ["--console=pipe", "--private-network", "--no-new-privileges=yes", "--user=meridian"]
            + binds
            + environment
            + ["--"]
            + image.config["Entrypoint"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    daemon = None
    try:
        daemon = wait_for_daemon(engine)
        yield Container(image, engine, daemon)
    finally:
        if engine.poll() is None:
            os.kill(daemon or engine.pid, signal.SIGKILL)
            engine.wait()


def healthy(running: Container) -> bool:
    check = image.config["Healthcheck"]
    expect(check["Test"][0] == "CMD", "the health check needs no shell")
    return running.run(*check["Test"][1:], seconds=check["Timeout"] / NANOSECONDS).returncode == 0


def wait_healthy(running: Container) -> None:
    """Within the time that the image gives itself."""
    seconds = image.config["Healthcheck"]["StartPeriod"] / NANOSECONDS
    eventually(lambda: healthy(running), "the container is healthy", seconds)


@system_test
def image_says_what_an_engine_needs() -> None:
    uid, gid = image.user
    expect(uid > 0 and gid > 0, f"a user who is not root, not {image.config['User']}")
    expect(set(image.config["Volumes"]) == {"/etc/meridian", "/run/meridian", "/var/lib/meridian"}, "three volumes")
    expect(set(image.config["ExposedPorts"]) == {"7400/tcp", "7401/tcp"}, "two ports")
    expect(image.config["Entrypoint"] == ["/usr/bin/meridiand"], "no shell between the engine and the daemon")


@system_test
def image_has_a_configuration_that_others_cannot_read() -> None:
    configuration = (image.root / "etc/meridian/meridiand.json").stat()  # which may hold a password
    expect(stat.S_IMODE(configuration.st_mode) == 0o640, f"others cannot read it: {configuration.st_mode:o}")
    expect((configuration.st_uid, configuration.st_gid) == (0, image.user[1]), "root writes it, the daemon reads it")


@system_test
def image_has_only_runtime_packages() -> None:
    installed = subprocess.run(
        ["chroot", image.root, "dpkg-query", "--show", "--showformat=${Package}\n"], capture_output=True, text=True, check=True
    ).stdout.split()
    tools = [name for name in installed if re.search(r"-dev$|^(g\+\+|gcc|cpp|cmake|ninja|make)(-[0-9]+|-build)?$", name)]
    expect(not tools, f"nothing that builds, but {tools}")
    for program in "meridiand", "meridianctl", "meridian-sim":
        version = subprocess.run(["chroot", image.root, program, "--version"], capture_output=True, text=True)
        expect(version.returncode == 0, f"{program} has its libraries: {version.stderr}")


@system_test
def container_is_not_root_and_becomes_healthy() -> None:
    with container() as running:
        wait_healthy(running)
        status = Path(f"/proc/{running.daemon}/status").read_text()
        uid, gid = image.user
        expect(re.search(rf"^Uid:(\s+{uid}){{4}}$", status, re.MULTILINE), f"the daemon has the uid {uid}")
        expect(re.search(rf"^Gid:(\s+{gid}){{4}}$", status, re.MULTILINE), f"and the gid {gid}")
        expect(re.search(r"^CapEff:\s*0+$", status, re.MULTILINE), "and no capabilities")
        expect(re.search(r"^NSpid:.*\s1$", status, re.MULTILINE), "it is process 1")
        expect(running.stop() == 0, "it stops with 0")


@system_test
def container_listens_on_all_addresses() -> None:
    with container() as running:
        wait_healthy(running)
        found = json.loads(running.run("meridianctl", "--json", "uplinks").stdout)["listeners"]
        addresses = {listener["address"] for listener in found}
        expect(addresses == {"0.0.0.0:7400", "0.0.0.0:7401"}, f"where who publishes its ports looks, not {addresses}")


@system_test
def container_stops_in_time_and_keeps_its_frames() -> None:
    with container() as running:
        wait_healthy(running)
        sent = running.run("meridian-sim", "--uplinks", "4", "--frames", "50000")
        expect(sent.returncode == 0, f"uplinks are served: {sent.stderr}")
        expect(running.depth() == 200_000, "the frames are in the buffer")
        began = time.monotonic()
        expect(running.stop() == 0, "it stops with 0")
        print(f"stopped in {time.monotonic() - began:.2f} s", file=sys.stderr)
    expect((image.volumes / "var/lib/meridian/buffer.saved").exists(), "what was in the buffer is on the volume")
    with container() as running:
        wait_healthy(running)
        expect(running.depth() == 200_000, "the next container has it")
        expect(running.stop() == 0, "it stops with 0")


@system_test
def control_socket_is_on_its_volume() -> None:
    with container() as running:
        wait_healthy(running)
        asked = subprocess.run(
            [image.root / "usr/bin/meridianctl", "--socket", image.volumes / "run/meridian/control.sock", "version"],
            capture_output=True,
        )
        expect(asked.returncode == 0, f"the host reaches it there: {asked.stderr!r}")


def make_volumes(where: Path) -> None:
    """As an engine makes them: with what the image has there, and its owners."""
    for path in image.config["Volumes"]:
        (where / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", f"{image.root}{path}", f"{where}{path}"], check=True)


def print_log(log: Path) -> None:
    """Of the last container, if one has run."""
    if log.exists():
        print(log.read_text(), file=sys.stderr)


def main() -> None:
    global image
    if sys.argv[1] == "--list":
        print("\n".join(names()))
        return
    root, inspected, volumes, results = map(Path, sys.argv[1:])
    image = Image(root, json.loads(inspected.read_text())["Docker"]["config"], volumes)
    make_volumes(volumes)
    with open(results, "w", encoding="utf-8") as lines:
        run_all(lines, after_failure=lambda: print_log(volumes / "log"))


if __name__ == "__main__":
    main()
