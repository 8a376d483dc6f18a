#!/usr/bin/env python3
"""Runs the benchmark and writes what it found: a table to the terminal, all figures as JSON, and a chart.

    bench/run.py BUILD_DIR [--short | --only SECTION] [--out DIR]

Every comparison is paired: both sides are run in turn, in the same run, on the same machine, and what is reported is the
median of the ratios. `--short` is for CI: the ingest ratio alone, with few frames, and it fails where that is below 0.4.
"""

import argparse
import contextlib
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import far
import hostile
import sinks
from report import HEADER_BYTES, chart, machine, print_table, table, write_markdown

REPEATS = 5
MAX_FRAMES, MAX_BYTES = 1_000_000, 268_435_456  # the buffer's default bounds
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Bench:
    """The programs of a build."""

    def __init__(self, build):
        self.bin = Path(build) / "bin"
        self.bench = Path(build) / "bench"

    def run(self, name, *arguments):
        """Runs a program of the benchmark, which prints one line of JSON."""
        command = [str(self.bench / f"bench_{name}"), *map(str, arguments)]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=600)
        return json.loads(done.stdout)


class Server:
    """A process that serves until it is told to stop."""

    def __init__(self, command, **keywords):
        self.process = subprocess.Popen([str(part) for part in command], **keywords)

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    def memory(self, what="VmRSS"):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(what + ":"):
                return int(line.split()[1]) * 1024
        raise RuntimeError(f"no {what}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)


@contextlib.contextmanager
def ceiling(bench, kept_bytes=0):
    """A bare loop that reads and throws away, or that reads into so many octets of memory in turn."""
    command = [bench.bench / "bench_ceiling", kept_bytes]
    server = Server(command, stdout=subprocess.PIPE, text=True)
    try:
        server.port = int(server.process.stdout.readline())
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def daemon(bench, **changes):
    """A meridiand with its default configuration, but for ports, the socket's path and `changes`."""
    with tempfile.TemporaryDirectory(prefix="meridian-bench-") as directory:
        path = os.path.join(directory, "control.sock")
        config = {
            "uplinks": [{"name": "native", "listen": "127.0.0.1:0", **changes.pop("uplink", {})}],
            "control": {"socket": path},
            **changes,
        }
        path = config["control"]["socket"]
        file = Path(directory) / "meridiand.json"
        file.write_text(json.dumps(config))
        log = open(Path(directory) / "log", "wb")
        server = Server([bench.bin / "meridiand", "--config", file], stderr=log)
        try:
            server.socket = path
            server.log = Path(log.name)
            server.ask = lambda line: ask(path, line)
            deadline = time.monotonic() + 10
            while not os.path.exists(path) or server.process.poll() is not None:
                if time.monotonic() > deadline:
                    raise RuntimeError((Path(directory) / "log").read_text())
                time.sleep(0.01)
            listener = ask(path, "uplinks")["listeners"][0]
            server.port = int(listener["address"].rsplit(":", 1)[1])
            yield server
        finally:
            server.stop()
            log.close()


def ask(path, line):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.sendall(line.encode() + b"\n")
        with client.makefile() as answer:
            return json.loads(answer.readline())


def median(values):
    return statistics.median(values)


def send(bench, server, uplinks, frames, payload):
    """Sends frames and returns the figures, with the processor time that the receiver took."""
    before = server.cpu_seconds()
    result = bench.run("sender", server.port, uplinks, frames, payload)
    result["receiver_cpu_s"] = server.cpu_seconds() - before
    result["frames_per_s"] = result["frames"] / result["seconds"]
    return result


def ingest(bench, payload, frames, repeats, uplinks=48):
    """Into the bare loop, into one that keeps as much as the daemon does, and into the daemon, in turn."""
    kept = min(MAX_BYTES, MAX_FRAMES * (HEADER_BYTES + payload))
    bare, keeping, ours = [], [], []
    with ceiling(bench) as floor, ceiling(bench, kept) as keeper, daemon(bench) as meridiand:
        for receiver in (floor, keeper, meridiand):  # to fill their memory, and start the machine's
            send(bench, receiver, uplinks, kept // (HEADER_BYTES + payload) + uplinks, payload)
        before = meridiand.ask("stats")["ledger"]["received"]
        for _ in range(repeats):
            bare.append(send(bench, floor, uplinks, frames, payload))
            keeping.append(send(bench, keeper, uplinks, frames, payload))
            ours.append(send(bench, meridiand, uplinks, frames, payload))
        ledger = meridiand.ask("stats")["ledger"]
        if ledger["received"] - before != frames * repeats:
            raise RuntimeError(f"frames were lost: {ledger}")

    def ratio(runs, others):
        return median([one["frames_per_s"] / other["frames_per_s"] for one, other in zip(runs, others)])

    def cpu(runs):
        return median([run["receiver_cpu_s"] / run["frames"] * 1e6 for run in runs])

    return {
        "ceiling_frames_per_s": median([run["frames_per_s"] for run in bare]),
        "keeping_frames_per_s": median([run["frames_per_s"] for run in keeping]),
        "frames_per_s": median([run["frames_per_s"] for run in ours]),
        "octets_per_s": median([run["octets"] / run["seconds"] for run in ours]),
        "ratio": ratio(ours, bare),
        "ratio_to_keeping": ratio(ours, keeping),
        "keeping_ratio": ratio(keeping, bare),
        "ceiling_cpu_s_per_million": cpu(bare),
        "keeping_cpu_s_per_million": cpu(keeping),
        "cpu_s_per_million": cpu(ours),
    }


def channels(bench, repeats):
    frames = {"batches": 40_000_000, "frames": 2_000_000, "lock": 2_000_000, "naive": 1_000_000}
    found = {}
    for producers in (1, 4, 16, 48):
        rates = {variant: [] for variant in frames}
        for _ in range(repeats):
            for variant, count in frames.items():
                run = bench.run("channel", variant, producers, count)
                rates[variant].append(run["frames"] / run["seconds"])
        found[producers] = {variant: median(values) for variant, values in rates.items()}
        found[producers]["batches_over_lock"] = median(
            [ours / lock for ours, lock in zip(rates["batches"], rates["lock"])]
        )
    return found


def many_uplinks(bench, frames, repeats):
    found = {}
    with daemon(bench, uplink={"max_sessions": 20000}) as meridiand:
        rates = {count: [] for count in (1, 48, 1000, 10000)}
        for _ in range(repeats):
            for count in rates:
                rates[count].append(send(bench, meridiand, count, frames, 64)["frames_per_s"])
    for count, values in rates.items():
        found[count] = {
            "frames_per_s": median(values),
            "share_of_48": median([one / other for one, other in zip(values, rates[48])]),
        }
    return found


def latency(bench, seconds, repeats):
    runs = []
    for _ in range(repeats):
        with daemon(bench) as meridiand:
            runs.append(
                bench.run("latency", meridiand.port, meridiand.socket, 48, 1000, seconds)
            )
    return {key: median([run[key] for run in runs]) for key in runs[0]}


@contextlib.contextmanager
def full_load(bench, meridiand):
    sender = subprocess.Popen(
        [bench.bench / "bench_sender", str(meridiand.port), "48", "10000000000", "64"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: meridiand.ask("stats")["ledger"]["dropped"]["buffer_full_oldest"] > 0)
        time.sleep(0.5)
        yield
    finally:
        sender.kill()
        sender.wait()


def depth(bench, seconds, repeats):
    """`depth`, idle and under full load, and what a process answers under that load that only sends back what it reads."""
    idle, loaded, echo = [], [], []
    with tempfile.TemporaryDirectory(prefix="meridian-bench-") as directory:
        path = os.path.join(directory, "echo.sock")
        for _ in range(repeats):
            with daemon(bench) as meridiand:
                idle.append(bench.run("depth", meridiand.socket, seconds))
                with full_load(bench, meridiand):
                    loaded.append(bench.run("depth", meridiand.socket, seconds))
                    echoer = Server([bench.bench / "bench_echo", path])
                    wait_until(lambda: os.path.exists(path))
                    echo.append(bench.run("depth", path, seconds))
                    echoer.stop()
                    os.unlink(path)
    middle = lambda runs: {key: median([run[key] for run in runs]) for key in runs[0]}
    return {"idle": middle(idle), "loaded": middle(loaded), "echo_loaded": middle(echo)}


def drains(bench, repeats):
    ratios, rates = [], []
    with daemon(bench) as meridiand:
        for _ in range(repeats):
            send(bench, meridiand, 48, 1_000_000, 64)
            octets = meridiand.ask("depth")["bytes"]
            ours = bench.run("drain", "daemon", meridiand.socket)
            bare = bench.run("drain", "bare", octets)
            if ours["octets"] != octets or bare["octets"] != octets:
                raise RuntimeError("octets were lost")
            ratios.append(bare["seconds"] / ours["seconds"])
            rates.append(octets / ours["seconds"])
    return {"octets_per_s": median(rates), "ratio": median(ratios)}


def memory(bench):
    found = {}
    with daemon(bench, uplink={"max_sessions": 20000}) as meridiand:
        found["idle_bytes"] = meridiand.memory()
        holder = subprocess.Popen(
            [bench.bench / "bench_hold", str(meridiand.port), "10000", "60"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        holder.stdout.readline()
        wait_until(lambda: meridiand.ask("stats")["sessions"]["open"] == 10000)
        with_uplinks = meridiand.memory()
        found["per_idle_uplink_bytes"] = (with_uplinks - found["idle_bytes"]) / 10000
        rounds = MAX_FRAMES // 10000
        for i in range(rounds):
            holder.stdin.write("\n")
            holder.stdin.flush()
            holder.stdout.readline()
            wait_until(lambda: meridiand.ask("depth")["frames"] == 10000 * (i + 1))
        held = meridiand.ask("depth")
        found["lone_frames"] = {
            "octets_held": held["bytes"],
            "resident_over_octets": (meridiand.memory() - with_uplinks) / held["bytes"],
        }
        holder.stdin.close()
        holder.wait()
    with daemon(bench) as meridiand:
        idle = meridiand.memory()
        send(bench, meridiand, 48, MAX_FRAMES, 60)
        held = meridiand.ask("depth")
        found["bulk"] = {
            "octets_held": held["bytes"],
            "resident_over_octets": (meridiand.memory() - idle) / held["bytes"],
        }
    with daemon(bench) as meridiand:
        send(bench, meridiand, 48, 5_000_000, 1024)
        found["peak_bytes"] = meridiand.memory("VmHWM")  # with default bounds, the buffer full
    return found


def onlookers(bench, seconds, repeats):
    """One load that goes on; its rate alone, and with a thousand watchers that do not read, a thousand slow HTTP clients
    and ten scrapes a second, in turn."""
    many = {"tails": 1000, "http_clients": 1000, "scrapes_per_s": 10}
    alone, watched, looked = [], [], []
    with tempfile.TemporaryDirectory(prefix="meridian-bench-") as directory:
        with daemon(bench, control={"socket": os.path.join(directory, "control.sock"), "max_clients": 2000},
                    http={"listen": "127.0.0.1:0", "max_clients": 2000}) as meridiand:
            port = re.search(r"listening on 127.0.0.1:(\d+) for HTTP", meridiand.log.read_text())[1]
            send(bench, meridiand, 48, 2 * MAX_FRAMES, 64)
            resident = meridiand.memory()
            with endless_load(bench, meridiand, 48, 64):
                for _ in range(repeats):
                    alone.append(received_per_s(meridiand, seconds))
                    with looking_on(meridiand, port, many) as looker:
                        wait_until(lambda: all_watchers_lose(meridiand, many["tails"]))
                        watched.append(received_per_s(meridiand, seconds))
                    looked.append(looker.found)
                    wait_until(lambda: meridiand.ask("stats")["tails"]["watchers"] == 0)
            lost = meridiand.ask("stats")["tails"]["lost"]
            peak = meridiand.memory("VmHWM")
    if not all(one["scrapes"] for one in looked):
        raise RuntimeError(f"nobody has scraped: {looked}")
    return {
        "ratio": median([some / all for some, all in zip(watched, alone)]),
        "alone_frames_per_s": median(alone),
        "watched_frames_per_s": median(watched),
        "scrape_p50_ms": median([one["scrape_p50_ms"] for one in looked]),
        "scrape_max_ms": max(one["scrape_max_ms"] for one in looked),
        "resident_before": resident,
        "resident_peak": peak,
        "copies_lost": lost,
    }


@contextlib.contextmanager
def endless_load(bench, server, uplinks, payload):
    command = [bench.bench / "bench_sender", server.port, uplinks, 10**15, payload]
    sender = Server(command, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        sender.stop()


@contextlib.contextmanager
def looking_on(meridiand, port, many):
    """`found` of what is yielded are the figures of onlookers.py, once it has ended."""
    command = [sys.executable, Path(__file__).parent / "onlookers.py", meridiand.socket, port,
               many["tails"], many["http_clients"], many["scrapes_per_s"]]
    looker = Server(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        looker.process.stdout.readline()
        yield looker
        looker.process.stdin.close()
        looker.found = json.loads(looker.process.stdout.readline())
        looker.process.wait()
    except BaseException:
        looker.process.kill()
        raise


def received_per_s(meridiand, seconds):
    """How many frames the aggregator takes, by its own count."""
    begin, before = time.monotonic(), meridiand.ask("stats")["ledger"]["received"]
    time.sleep(seconds)
    end, after = time.monotonic(), meridiand.ask("stats")["ledger"]["received"]
    return (after - before) / (end - begin)


def all_watchers_lose(meridiand, watchers):
    """Whether each frame that comes is lost for each watcher: whatever can hold frames for them is full."""
    before = meridiand.ask("stats")
    time.sleep(0.1)
    after = meridiand.ask("stats")
    lost = after["tails"]["lost"] - before["tails"]["lost"]
    received = after["ledger"]["received"] - before["ledger"]["received"]
    return received > 0 and lost == watchers * received


def wait_until(holds, patience=60):
    deadline = time.monotonic() + patience
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError("it does not come to that")
        time.sleep(0.01)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only", help="one section, such as ingest")
    parser.add_argument("--out", default="build/release/results")
    options = parser.parse_args()
    bench = Bench(options.build)
    found = {"machine": machine()}
    if options.short:
        found["ingest"] = {64: ingest(bench, 64, 10_000_000, 3)}
        print_table(table(found))
        if found["ingest"][64]["ratio"] < 0.4:
            sys.exit("the ingest ratio is below 0.4")
        return
    sections = {
        "ingest": lambda: {
            64: ingest(bench, 64, 30_000_000, REPEATS),
            256: ingest(bench, 256, 15_000_000, REPEATS),
            1024: ingest(bench, 1024, 5_000_000, REPEATS),
        },
        "uplinks": lambda: many_uplinks(bench, 20_000_000, REPEATS),
        "channel": lambda: channels(bench, REPEATS),
        "latency": lambda: latency(bench, 5, REPEATS),
        "depth": lambda: depth(bench, 5, REPEATS),
        "depth_beside": lambda: hostile.depth_beside(bench, daemon, send, 5, REPEATS),
        "drain": lambda: drains(bench, REPEATS),
        "onlookers": lambda: onlookers(bench, 4, REPEATS),
        "memory": lambda: {**memory(bench), "left_behind": hostile.left_behind(bench, daemon, send)},
        "sinks": lambda: {count: sinks.into(bench, daemon, send, count, 4_000_000, 64, REPEATS) for count in (1, 3)},
        "far": lambda: far.limits(bench, daemon, send),
    }
    if options.only:
        found[options.only] = sections[options.only]()
        print_table(table(found))
        return
    for name, measure in sections.items():
        print(f"measuring: {name}", file=sys.stderr)
        found[name] = measure()
    print_table(table(found))
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "results.json").write_text(json.dumps(found, indent=2) + "\n")
    write_markdown(found, out / "results.md")
    chart(found, out / "chart.svg")


if __name__ == "__main__":
    main()
