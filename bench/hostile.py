"""What peers and clients can do at their worst: what it costs others, and what stays behind it."""

import contextlib
import json
import re
import socket
import statistics
import struct
import threading
import urllib.request

LEASES = 1000
BATCH_BYTES = 4096
BATCHES_OF_A_SLAB = 64


class Client:
    """One connection to the control socket, to which leases belong."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def call(self, method, **params):
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        result = json.loads(self.file.readline())["result"]
        if params.get("format") == "binary":
            self.file.read(result["bytes"])
        return result

    def close(self):
        self.file.close()
        self.socket.close()


@contextlib.contextmanager
def repeated(step):
    """Calls `step` again and again meanwhile."""
    ended = threading.Event()

    def run():
        while not ended.is_set():
            step()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def frame(satellite, sequence, payload=b""):
    return struct.pack(">IIHHQ", 16 + len(payload), satellite, 0, 0, sequence) + payload


def send_satellites(port, satellites):
    """A frame of each, by one uplink, until the daemon has them."""
    with socket.create_connection(("127.0.0.1", port)) as uplink:
        uplink.sendall(b"".join(frame(each, 0) for each in satellites))
        uplink.shutdown(socket.SHUT_WR)
        uplink.recv(1)


@contextlib.contextmanager
def colliding_ids(bench, daemon, send):
    """50,000 satellites whose ids all fall into one place of a table that takes them modulo its size."""
    with daemon(bench, satellites={"max_tracked": 100_000}) as meridiand:
        send_satellites(meridiand.port, range(0, 50_000 * 85_229, 85_229))
        yield meridiand


@contextlib.contextmanager
def nested_requests(bench, daemon, send):
    """A client whose requests are nested as deeply as a line is long."""
    request = b'{"jsonrpc":"2.0","id":1,"method":"depth","params":' + b"[" * 60_000 + b"\n"
    with daemon(bench) as meridiand:
        client = Client(meridiand.socket)

        def ask():
            client.socket.sendall(request)
            client.file.readline()

        with repeated(ask):
            yield meridiand
        client.close()


@contextlib.contextmanager
def leases_in_slabs(bench, daemon, send):
    """1,000 leases of one batch of each slab, and more of them all the time."""
    with daemon(bench) as meridiand:
        client = Client(meridiand.socket)
        for _ in range(LEASES):
            lease_one_of_a_slab(bench, meridiand, client, send)
        with repeated(lambda: send(bench, meridiand, 1, BATCHES_OF_A_SLAB, BATCH_BYTES - 20)):
            with repeated(lambda: client.call("drain", max_frames=BATCHES_OF_A_SLAB, format="binary")):
                yield meridiand
        client.close()


@contextlib.contextmanager
def holes(bench, daemon, send):
    """A million frames of 48 satellites in the buffer, of which half are leased, while one that is not there is drained
    again and again, and uplinks send as fast as they can."""
    with daemon(bench) as meridiand:
        send(bench, meridiand, 48, 1_000_000, 64)
        leasing, draining = Client(meridiand.socket), Client(meridiand.socket)
        for satellite in range(1, 25):
            leasing.call("drain", max_frames=1_000_000, satellite_id=satellite, format="binary", lease_s=3600)
        with repeated(lambda: draining.call("drain", max_frames=1_000_000, satellite_id=4711)):
            with repeated(lambda: send(bench, meridiand, 48, 48 * 20_000, 64)):
                yield meridiand
        for client in (leasing, draining):
            client.close()


@contextlib.contextmanager
def large_answers(bench, daemon, send):
    """/metrics of 16,000 satellites is scraped, and the list of them asked for, all the time."""
    with daemon(bench, http={"listen": "127.0.0.1:0", "max_satellites": 16_000},
                satellites={"max_tracked": 100_000}) as meridiand:
        send_satellites(meridiand.port, range(16_000))
        port = re.search(r"listening on 127.0.0.1:(\d+) for HTTP", meridiand.log.read_text())[1]
        client = Client(meridiand.socket)

        def scrape():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
                answer.read()

        with repeated(scrape), repeated(lambda: client.call("satellites")):
            yield meridiand
        client.close()


HOSTILE = {"ids that collide": colliding_ids, "deeply nested requests": nested_requests,
           "a lease in each of 1,000 slabs": leases_in_slabs,
           "half of the buffer leased, an absent satellite drained": holes,
           "large answers": large_answers}


def depth_beside(bench, daemon, send, seconds, repeats):
    """`depth` while peers and clients do their worst."""
    found = {}
    for name, scenario in HOSTILE.items():
        with scenario(bench, daemon, send) as meridiand:
            runs = [bench.run("depth", meridiand.socket, seconds) for _ in range(repeats)]
        found[name] = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    return found


def lease_one_of_a_slab(bench, meridiand, client, send):
    """Leases the first batch of a slab, and drains the others."""
    send(bench, meridiand, 1, BATCHES_OF_A_SLAB, BATCH_BYTES - 20)
    client.call("drain", max_frames=1, format="binary", lease_s=3600)
    client.call("drain", max_frames=BATCHES_OF_A_SLAB, format="binary")


def left_behind(bench, daemon, send):
    """What is resident for leases of one batch of 4 KiB, each of which stays behind where a slab of them was."""
    with daemon(bench) as meridiand:
        send(bench, meridiand, 1, LEASES * BATCHES_OF_A_SLAB, BATCH_BYTES - 20)
        meridiand.ask("flush")  # what a run leaves behind is there before, too
        before = meridiand.memory()
        client = Client(meridiand.socket)
        for _ in range(LEASES):
            lease_one_of_a_slab(bench, meridiand, client, send)
        held = meridiand.ask("stats")["ledger"]["leased"] * BATCH_BYTES
        resident = meridiand.memory() - before
        client.close()
    return {"octets_held": held, "resident_over_octets": resident / held}
