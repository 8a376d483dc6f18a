"""What is taken out of the middle of the buffer, or is not there: what it costs others, and what stays behind it."""

import contextlib
import json
import socket
import statistics
import threading

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


def depth_beside(bench, daemon, send, seconds, repeats):
    """`depth` with a million frames of 48 satellites in the buffer, of which half are leased, while one that is not there is
    drained again and again, and uplinks send as fast as they can."""
    runs = []
    with daemon(bench) as meridiand:
        for _ in range(repeats):
            send(bench, meridiand, 48, 1_000_000, 64)
            leasing, draining = Client(meridiand.socket), Client(meridiand.socket)
            for satellite in range(1, 25):
                leasing.call("drain", max_frames=1_000_000, satellite_id=satellite, format="binary", lease_s=3600)
            frames_each = 20_000
            with repeated(lambda: draining.call("drain", max_frames=1_000_000, satellite_id=4711)):
                with repeated(lambda: send(bench, meridiand, 48, 48 * frames_each, 64)):
                    runs.append(bench.run("depth", meridiand.socket, seconds))
            for client in (leasing, draining):
                client.close()
            meridiand.ask("flush")
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def left_behind(bench, daemon, send):
    """What is resident for leases of one batch of 4 KiB, each of which stays behind where a slab of them was."""
    with daemon(bench) as meridiand:
        send(bench, meridiand, 1, LEASES * BATCHES_OF_A_SLAB, BATCH_BYTES - 20)
        meridiand.ask("flush")  # what a run leaves behind is there before, too
        before = meridiand.memory()
        client = Client(meridiand.socket)
        for _ in range(LEASES):
            send(bench, meridiand, 1, BATCHES_OF_A_SLAB, BATCH_BYTES - 20)
            client.call("drain", max_frames=1, format="binary", lease_s=3600)
            client.call("drain", max_frames=BATCHES_OF_A_SLAB, format="binary")
        held = meridiand.ask("stats")["ledger"]["leased"] * BATCH_BYTES
        resident = meridiand.memory() - before
        client.close()
    return {"octets_held": held, "resident_over_octets": resident / held}
