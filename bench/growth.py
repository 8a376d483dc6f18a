#!/usr/bin/env python3
"""How many daemons, streams and servers carry so many uplinks, and what is the first to be full.

    bench/growth.py [--frames-per-s 10] [--frame-bytes 80] [--writes-per-s 1] [--headroom 0.5] [RESULTS.json]

A calculation, not a measurement: it takes what bench/run.py has measured on one machine, and the assumptions printed
with the result. `docs/operate/scale.md` has its output.
"""

import argparse
import json
import math
from pathlib import Path

# What a process carries besides octets. The first is bench/run.py's `uplinks`: a daemon keeps half of its rate up to
# some ten thousand. The second is what one nats-server stored of small messages on a machine like the one measured.
UPLINKS_PER_DAEMON = 10_000
MESSAGES_PER_SERVER = 340_000
SUBJECTS_PER_STREAM = 1_000_000   # the server keeps some 200 octets for each in memory
OCTETS_PER_ID = 150               # of the duplicate window, in the memory of each server that has the stream
WINDOW_S = 120
REPLICAS = 3


def plan(uplinks, frames_per_s, frame_bytes, writes_per_s, daemon_rate, stream_rate, server_rate, headroom):
    octets = uplinks * frames_per_s * frame_bytes
    messages = uplinks * writes_per_s  # each is a read, and each read a message, as long as the sink keeps up
    daemons = {
        "uplinks": uplinks / UPLINKS_PER_DAEMON,
        "octets": octets / (daemon_rate * headroom),
    }
    streams = {
        "octets": octets / (stream_rate * headroom),
        "messages": messages / (MESSAGES_PER_SERVER / REPLICAS * headroom),
        "subjects": uplinks / SUBJECTS_PER_STREAM,
    }
    servers = {
        "octets": REPLICAS * octets / (server_rate * headroom),
        "messages": REPLICAS * messages / (MESSAGES_PER_SERVER * headroom),
    }
    return {
        "uplinks": uplinks,
        "octets_per_s": octets,
        "messages_per_s": messages,
        "daemons": most(daemons),
        "streams": most(streams),
        "servers": (max(REPLICAS, most(servers)[0]), most(servers)[1]),
        "ids_bytes": messages * WINDOW_S * OCTETS_PER_ID,
    }


def most(needs):
    """How many, and because of what."""
    why = max(needs, key=needs.get)
    return max(1, math.ceil(needs[why])), why


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="?", default=Path(__file__).parent / "results" / "results.json")
    parser.add_argument("--frames-per-s", type=float, default=10)
    parser.add_argument("--frame-bytes", type=int, default=80)
    parser.add_argument("--writes-per-s", type=float, default=1, help="of an uplink, each with what has come since")
    parser.add_argument("--headroom", type=float, default=0.5, help="share of a measured rate that is planned for")
    given = parser.parse_args()
    measured = json.loads(Path(given.results).read_text())["sinks"]
    daemon_rate = measured["1"]["with_uplinks_octets_per_s"]
    stream_rate = measured["3"]["octets_per_s"]
    server_rate = measured["1"]["library_octets_per_s"]
    print(f"one daemon into one server, while it receives: {daemon_rate / 1e6:.0f} MB/s; one stream R3: "
          f"{stream_rate / 1e6:.0f} MB/s; one server: {server_rate / 1e6:.0f} MB/s; of each {given.headroom:.0%} "
          f"planned for\n{given.frames_per_s:g} frames/s of {given.frame_bytes} octets from each uplink, in {given.writes_per_s:g} "
          f"write(s) a second\n")
    print("| uplinks | octets/s | messages/s | daemons | streams (R3) | servers | ids of two minutes |")
    print("|---:|---:|---:|---|---|---|---:|")
    for uplinks in (1_000, 100_000, 10_000_000):
        one = plan(uplinks, given.frames_per_s, given.frame_bytes, given.writes_per_s, daemon_rate, stream_rate, server_rate,
                   given.headroom)
        print(f"| {uplinks:,} | {one['octets_per_s'] / 1e6:,.1f} MB | {one['messages_per_s']:,.0f} | "
              f"{one['daemons'][0]:,} ({one['daemons'][1]}) | {one['streams'][0]:,} ({one['streams'][1]}) | "
              f"{one['servers'][0]:,} ({one['servers'][1]}) | {one['ids_bytes'] / 1e9:,.2f} GB |")


if __name__ == "__main__":
    main()
