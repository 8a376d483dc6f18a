#!/usr/bin/env python3
"""Runs the benchmark and writes what it found: a table to the terminal, all figures as JSON, and a chart.

    bench/run.py BUILD_DIR [--short] [--out DIR]

Every comparison is paired: both sides are run in turn, in the same run, on the same machine, and what is reported is the
median of the ratios. `--short` is for CI: the ingest ratio alone, with few frames, and it fails where that is below 0.4.
"""

import argparse
import contextlib
import json
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPEATS = 5
HEADER_BYTES = 20
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
        file = Path(directory) / "meridiand.json"
        file.write_text(json.dumps(config))
        log = open(Path(directory) / "log", "wb")
        server = Server([bench.bin / "meridiand", "--config", file], stderr=log)
        try:
            server.socket = path
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


def wait_until(holds, patience=60):
    deadline = time.monotonic() + patience
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError("it does not come to that")
        time.sleep(0.01)


def machine():
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {"processor": model, "cores": os.cpu_count(), "kernel": ".".join(platform.release().split(".")[:2])}


def million(value):
    return f"{value / 1e6:.1f} M"


def table(found):
    """Rows of (what, figures, what is compared, what is to be reached)."""
    rows = []
    to_reach = {"64": "0.60", "1024": "0.80"}
    for payload, one in found.get("ingest", {}).items():
        rows.append((f"ingest, {payload}-octet payloads",
                     f"{million(one['frames_per_s'])} frames/s, {one['octets_per_s'] / 1e9:.1f} GB/s, "
                     f"{one['cpu_s_per_million']:.3f} CPU s per million frames",
                     f"{one['ratio']:.2f} of the ceiling ({million(one['ceiling_frames_per_s'])}), "
                     f"{one['ratio_to_keeping']:.2f} of a loop that keeps as much",
                     to_reach.get(str(payload), "")))
    for count, one in found.get("uplinks", {}).items():
        rows.append((f"{count} uplink{'s' if int(count) > 1 else ''}", f"{million(one['frames_per_s'])} frames/s",
                     f"{one['share_of_48']:.2f} of the rate at 48", "0.5" if str(count) == "10000" else ""))
    for count, one in found.get("channel", {}).items():
        rows.append((f"channel, {count} producer{'s' if int(count) > 1 else ''}",
                     f"{million(one['batches'])} frames/s in batches, {million(one['frames'])} singly; "
                     f"concurrent_channel naively {million(one['naive'])}, under a lock {million(one['lock'])}",
                     f"batches {one['batches_over_lock']:.0f} × the lock", "10 ×" if str(count) == "48" else ""))
    if "latency" in found:
        rows.append(("write to buffer, at 48,000 frames/s", percentiles(found["latency"]),
                     f"p99 {found['latency']['p99_us'] / 1000:.2f} ms", "1 ms"))
    labels = {"idle": "depth, idle", "loaded": "depth, full load", "echo_loaded": "an idle process's echo, full load"}
    for load, one in found.get("depth", {}).items():
        rows.append((labels[load], percentiles(one), f"p99 {one['p99_us'] / 1000:.2f} ms",
                     "5 ms" if load == "loaded" else ""))
    if "drain" in found:
        one = found["drain"]
        rows.append(("binary drain", f"{one['octets_per_s'] / 1e9:.1f} GB/s",
                     f"{one['ratio']:.2f} of a bare socket", "0.7"))
    if "memory" in found:
        one = found["memory"]
        rows.append(("resident, idle", f"{one['idle_bytes'] / 1e6:.1f} MB", "", ""))
        rows.append(("resident, idle uplink", "of 10,000", f"{one['per_idle_uplink_bytes']:.0f} octets", "4096"))
        for kind, label, bound in (("lone_frames", "one 80-octet frame a read", "1.5 ×"),
                                   ("bulk", "80-octet frames in bulk", "")):
            rows.append((f"resident, {label}", f"{one[kind]['octets_held'] / 1e6:.0f} MB held",
                         f"{one[kind]['resident_over_octets']:.2f} × the octets", bound))
        rows.append(("resident, peak", "1024-octet payloads, 48 uplinks, buffer full",
                     f"{one['peak_bytes'] / 1e6:.0f} MB", ""))
    return rows


def percentiles(one):
    return f"p50 {one['p50_us']:.0f} µs, p99.9 {one['p999_us']:.0f} µs, max {one['max_us']:.0f} µs"


def print_table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    for *cells, bound in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths))
        print(f"{line}  {'to reach: ' + bound if bound else ''}".rstrip())


def write_markdown(found, file):
    """The table for the README."""
    machine = found["machine"]
    lines = [f"Taken on {machine['cores']} cores of {machine['processor']}, Linux {machine['kernel']}.", "",
             "| | figures | compared | to reach |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in table(found)]
    file.write_text("\n".join(lines) + "\n")


def chart(found, file):
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4))
    payloads = list(found["ingest"])
    for offset, key, label, color in ((-0.27, "ceiling_frames_per_s", "reads and discards", "#d0d7de"),
                                      (0, "keeping_frames_per_s", "reads and keeps as much", "#8c959f"),
                                      (0.27, "frames_per_s", "meridiand", "#1f6feb")):
        left.bar([i + offset for i in range(len(payloads))],
                 [found["ingest"][p][key] * (HEADER_BYTES + int(p)) / 1e9 for p in payloads],
                 width=0.25, color=color, label=label)
    left.set_xticks(range(len(payloads)), payloads)
    left.set(title="Ingest, 48 uplinks", xlabel="octets of payload", ylabel="GB/s")
    left.legend(frameon=False, loc="upper left", ncols=1)
    left.set_ylim(top=1.35 * left.get_ylim()[1])
    producers = list(found["channel"])
    for variant, label, color in (("batches", "channel, batches", "#1f6feb"),
                                  ("frames", "channel, single frames", "#54aeff"),
                                  ("lock", "deque under a lock", "#cf222e"),
                                  ("naive", "concurrent_channel, naively", "#8c959f")):
        right.plot([str(p) for p in producers],
                   [found["channel"][p][variant] / 1e6 for p in producers],
                   marker="o", color=color, label=label)
    right.set(title="Channel against lock", xlabel="producers", ylabel="million frames/s",
              yscale="log")
    right.legend(frameon=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--short", action="store_true")
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
        "drain": lambda: drains(bench, REPEATS),
        "memory": lambda: memory(bench),
    }
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
