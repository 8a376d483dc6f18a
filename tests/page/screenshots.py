"""Pictures of the page, for who has not built the daemon yet: some minutes of a small ground network.

A constellation sends all the time, four ground stations while a satellite passes, and an archive drains; two passes
end, so that their satellites are silent, and at last the archive stops, so that the buffer runs full.
"""

import asyncio
import shutil
import struct
import subprocess
import time

from stage import shown_daemon

SHOWN_S = 300  # what the charts show
ARCHIVE_STOPS_AFTER_S = 255
DRAINED_IN_A_SECOND = 1650
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


async def take_screenshots(programs, directory):
    directory.mkdir(parents=True, exist_ok=True)
    async with shown_daemon(programs, CONFIG) as (daemon, page):
        await run_network(daemon, page)
        await page.value(SORT_BY_LAST_HEARD)  # those that are silent come first
        for name, (width, height, scale, is_phone, colours) in PICTURES.items():
            await page.resize(width, height, scale, is_phone)
            await page.set_colours(colours)
            await page.see_updates(2)
            await page.save_picture(directory / f"{name}.png")
            reduce_size(directory / f"{name}.png")


async def run_network(daemon, page):
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
        if second < ARCHIVE_STOPS_AFTER_S:
            daemon.control("drain", "--max", DRAINED_IN_A_SECOND, "--format", "binary")
        await asyncio.sleep(max(0, began_at + second + 1 - time.monotonic()))
    await page.until_data("#drops [data-reason=buffer_full_oldest]", "recent", "true")
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
