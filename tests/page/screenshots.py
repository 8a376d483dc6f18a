"""Pictures of the page, for those who have not built the daemon yet: some minutes of a small ground network.

A constellation sends all the time, and four ground stations while a satellite passes. A sink publishes into a stream.
Two passes end, so that their satellites are silent. At last the server of the stream stops, so that the buffer fills.
"""

import asyncio
import contextlib
import json
import os
import shutil
import struct
import subprocess
import tempfile
import time
from pathlib import Path

from stage import shown_daemon

SHOWN_S = 300  # what the charts show
ARCHIVE_STOPS_AFTER_S = 255
CONSTELLATION = {"uplinks": 36, "rate": 30, "payload_bytes": "40:400"}

# Of each ground station: satellite, first and last second of the pass, packets in a second.
PASSES = {
    "svalbard": (204, 20, 2 * SHOWN_S, 160),
    "awarua": (117, 45, 2 * SHOWN_S, 90),
    "wallops": (131, 30, 150, 320),
    "hartebeesthoek": (88, 90, 230, 240),
}

CONFIG = {
    "uplinks": [{"name": "constellation", "listen": "127.0.0.1:0"}]
    + [{"name": name, "listen": "127.0.0.1:0", "framing": "ccsds_space_packet", "satellite_id": satellite}
       for name, (satellite, *_) in PASSES.items()],
    "buffer": {"max_frames": 40000, "max_bytes": 40000000},
    "satellites": {"silent_after_s": 30},
}

SORT_BY_LAST_HEARD = """void [...document.querySelectorAll("#satellites thead button")]
  .find(button => button.textContent === "Last heard").click()"""

# {name: (width, height, pixels of the picture per pixel of the page, whether it is a phone, colours)}
PICTURES = {
    "live-light": (1280, 960, 1, False, "light"),
    "live-dark": (1280, 960, 1, False, "dark"),
    "live-phone": (390, 844, 2, True, "light"),
}


class Archive:
    """A NATS server that has the stream of the sink."""

    def __init__(self, programs, directory):
        self.process = subprocess.Popen(
            ["nats-server", "-js", "-sd", directory / "stream", "-a", "127.0.0.1", "-p", "-1", "--ports_file_dir",
             directory], env=os.environ | {"PATH": os.environ["PATH"] + ":/usr/sbin"}, stderr=subprocess.DEVNULL)
        while not (ports := list(directory.glob("*.ports"))) or not ports[0].read_text():
            time.sleep(0.05)
        [server] = json.loads(ports[0].read_text())["nats"]
        self.config = CONFIG | {"sinks": [{"name": "archive", "servers": [server], "stream": "TELEMETRY",
                                           "when_behind": "skip_oldest"}]}
        (directory / "sink.json").write_text(json.dumps(self.config), encoding="utf-8")
        subprocess.run([programs["meridianctl"], "sink", "create", "--config", directory / "sink.json", "--replicas", "1"],
                       stdout=subprocess.DEVNULL, check=True)

    def stop(self):
        self.process.terminate()
        self.process.wait()


@contextlib.contextmanager
def archive_of(programs):
    with tempfile.TemporaryDirectory(prefix="meridian-archive-") as directory:
        archive = Archive(programs, Path(directory))
        try:
            yield archive
        finally:
            archive.stop()


async def take_screenshots(programs, directory):
    directory.mkdir(parents=True, exist_ok=True)
    with archive_of(programs) as archive:
        async with shown_daemon(programs, archive.config) as (daemon, page):
            await take_with(archive, daemon, page, directory)


async def take_with(archive, daemon, page, directory):
    await run_network(archive, daemon, page)
    await page.value(SORT_BY_LAST_HEARD)  # those that are silent come first
    for name, (width, height, scale, is_phone, colours) in PICTURES.items():
        await page.resize(width, height, scale, is_phone)
        await page.set_colours(colours)
        await page.see_updates(2)
        await page.save_picture(directory / f"{name}.png")
        reduce_size(directory / f"{name}.png")


async def run_network(archive, daemon, page):
    """Until the buffer is full and frames are dropped."""
    recording = daemon.directory / "noisy.tlm"
    write_noisy_recording(recording)
    daemon.start_load("constellation", duration=2 * SHOWN_S, **CONSTELLATION)
    began_at = time.monotonic()
    for second in range(SHOWN_S):
        for name, (_, first, last, rate) in PASSES.items():
            if second == first:
                source = {"replay": recording} if name == "svalbard" else {"payload_bytes": "60:900"}
                daemon.start_load(name, framing="ccsds_space_packet", uplinks=1, rate=rate, duration=last - first,
                                  **source)
        if second == ARCHIVE_STOPS_AFTER_S:
            archive.stop()
        await asyncio.sleep(max(0, began_at + second + 1 - time.monotonic()))
    await page.until('!!document.querySelector("#drops [data-recent=true]")', True)
    await page.see_updates(5)


def write_noisy_recording(file):
    """Space packets of four APIDs, of which some were lost on the way and some came twice."""
    with file.open("wb") as written:
        for count in range(16384):
            for apid in (17, 64, 129, 300):
                packet = struct.pack(">HHH", 0x0800 | apid, 0xC000 | count, 199) + bytes(200)
                noise = (count * 7919 + apid * 104729) % 4001
                written.write(packet * (0 if noise < 3 * (apid % 3) else 2 if noise == 4000 else 1))


def reduce_size(file):
    """With what is installed of the tools for it."""
    for command in (["pngquant", "--force", "--ext", ".png", "--skip-if-larger", "--strip", "256"],
                    ["optipng", "-quiet", "-strip", "all"]):
        if shutil.which(command[0]):
            subprocess.run([*command, file], check=False, timeout=300)
