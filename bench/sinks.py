"""Frames into a NATS JetStream stream: the daemon against the client library alone."""

import contextlib
import json
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

SUBJECTS = 48
STREAM = "MERIDIAN"


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextlib.contextmanager
def nats_servers(count):
    """One server, or a cluster. Yields their processes and URLs."""
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="meridian-bench-nats-")))
        ports = free_ports(3 * count)
        routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports[count:2 * count])
        processes = []
        for index in range(count):
            file = directory / f"{index}.conf"
            cluster = "" if count == 1 else (
                f'cluster {{ name: bench, listen: "127.0.0.1:{ports[count + index]}", routes: [{routes}] }}\n')
            file.write_text(
                f'server_name: "n{index}"\nlisten: "127.0.0.1:{ports[index]}"\n'
                f'http: "127.0.0.1:{ports[2 * count + index]}"\n'
                f'jetstream {{ store_dir: "{directory}/{index}", max_file_store: 20GB }}\n{cluster}')
            log = stack.enter_context(open(directory / f"{index}.log", "wb"))
            process = subprocess.Popen(["nats-server", "-c", file], stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.kill)
            processes.append(process)
        for port in ports[2 * count:]:
            wait_healthy(port)
        yield processes, [f"nats://127.0.0.1:{port}" for port in ports[:count]]


def wait_healthy(port, patience=60):
    deadline = time.monotonic() + patience
    while True:
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                if json.load(answer)["status"] == "ok":
                    return
        if time.monotonic() > deadline:
            raise RuntimeError("nats-server does not become healthy")
        time.sleep(0.05)


def make_stream(bench, url, replicas):
    subprocess.run([bench.bench / "bench_publish", "create", url, STREAM, "meridian.>", str(replicas)],
                   check=True, timeout=60)


def acknowledged(meridiand):
    (sink,) = meridiand.ask("sinks")["sinks"]
    return sink["acknowledged"]


def wait_acknowledged(meridiand, frames, patience=300):
    deadline = time.monotonic() + patience
    while acknowledged(meridiand)["frames"] < frames:
        if time.monotonic() > deadline:
            raise RuntimeError(f"not all is acknowledged: {meridiand.ask('sinks')}")
        time.sleep(0.005)


def into(bench, daemon, send, servers, frames, payload, repeats):
    """Into one server (1) or a cluster (3). The buffer is filled while the servers stand still, and empties into
    them; the library publishes as many octets in messages as large as the daemon's were."""
    frame_bytes = 20 + payload
    alone, buffered, through = [], [], []
    message_bytes = []
    with nats_servers(servers) as (processes, urls):
        make_stream(bench, urls[0], servers)
        sink = {"name": "bench", "servers": urls, "stream": STREAM}
        limits = {"max_frames": 2 * frames, "max_bytes": 2 * frames * frame_bytes, "when_full": "backpressure"}
        with daemon(bench, buffer=limits, sinks=[sink]) as meridiand:
            total = 0
            for repeat in range(repeats + 1):
                make_stream(bench, urls[0], servers)
                messages = acknowledged(meridiand)["messages"]
                for process in processes:
                    process.send_signal(signal.SIGSTOP)
                send(bench, meridiand, SUBJECTS, frames, payload)
                total += frames
                begin = time.monotonic()
                for process in processes:
                    process.send_signal(signal.SIGCONT)
                wait_acknowledged(meridiand, total)
                seconds = time.monotonic() - begin
                messages = acknowledged(meridiand)["messages"] - messages

                make_stream(bench, urls[0], servers)
                begin = time.monotonic()
                send(bench, meridiand, SUBJECTS, frames, payload)
                total += frames
                wait_acknowledged(meridiand, total)
                with_uplinks = time.monotonic() - begin

                make_stream(bench, urls[0], servers)
                octets = frames * frame_bytes
                by_itself = bench.run("publish", "run", urls[0], "meridian", messages, octets // messages, SUBJECTS,
                                      8 * 1024 * 1024)
                if repeat == 0:
                    continue  # files and memory are made
                buffered.append(octets / seconds)
                through.append(octets / with_uplinks)
                alone.append(by_itself["octets"] / by_itself["seconds"])
                message_bytes.append(octets / messages)
    return {
        "octets_per_s": statistics.median(buffered),
        "frames_per_s": statistics.median(buffered) / frame_bytes,
        "with_uplinks_octets_per_s": statistics.median(through),
        "with_uplinks_frames_per_s": statistics.median(through) / frame_bytes,
        "library_octets_per_s": statistics.median(alone),
        "message_octets": statistics.median(message_bytes),
        "ratio": statistics.median([ours / theirs for ours, theirs in zip(buffered, alone)]),
    }
