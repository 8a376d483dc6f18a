"""Uplinks, drains, and the books that are kept of both."""

import errno
import itertools
import json
import socket
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from report import expect

HEADER = struct.Struct(">IIHHQ")
LENGTH_COUNTS_FROM = 4
UPLINK = ("127.0.0.1", 7400)
CONTROL = "/run/meridian/control.sock"


def frame(satellite: int, sequence: int, payload: bytes = b"telemetry") -> bytes:
    return HEADER.pack(HEADER.size - LENGTH_COUNTS_FROM + len(payload), satellite, 0, 0, sequence) + payload


def frames(satellite: int, sequences: range, payload: bytes = b"telemetry") -> bytes:
    return b"".join(frame(satellite, sequence, payload) for sequence in sequences)


def parse(octets: bytes) -> Iterator[tuple[int, int]]:
    """Satellite and sequence of each native frame."""
    at = 0
    while at < len(octets):
        length, satellite, _, _, sequence = HEADER.unpack_from(octets, at)
        yield satellite, sequence
        at += LENGTH_COUNTS_FROM + length


def connect(address: tuple[str, int] = UPLINK) -> socket.socket:
    return socket.create_connection(address, timeout=30)


def say_all_is_sent(uplink: socket.socket) -> None:
    """A connection that was reset just before is a ConnectionError like any other."""
    try:
        uplink.shutdown(socket.SHUT_WR)
    except OSError as error:
        if error.errno != errno.ENOTCONN:
            raise
        raise ConnectionResetError("reset before everything was said to be sent") from error


def finish(uplink: socket.socket) -> None:
    """Says that everything is sent, and waits until the daemon has it."""
    say_all_is_sent(uplink)
    expect(uplink.recv(1) == b"", "the daemon closes when it has everything")
    uplink.close()


def send(satellite: int, sequences: range, address: tuple[str, int] = UPLINK) -> None:
    uplink = connect(address)
    uplink.sendall(frames(satellite, sequences))
    finish(uplink)


def ask(method: str, path: str = CONTROL, **parameters: Any) -> tuple[Any, bytes]:
    """The result of a method, and the octets that follow it if it is a binary drain."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        client.connect(path)
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        client.sendall(json.dumps(request).encode() + b"\n")
        with client.makefile("rb") as reply:
            line = reply.readline()
            if not line.endswith(b"\n"):
                raise ConnectionError("no answer")
            answer = json.loads(line)
            expect("result" in answer, f"an answer to {method}, got {answer}")
            result = answer["result"]
            octets = reply.read(result["bytes"]) if parameters.get("format") == "binary" else b""
    if parameters.get("format") == "binary" and len(octets) != result["bytes"]:
        raise ConnectionError("the answer was cut short")
    return result, octets


@dataclass
class Books:
    """What was sent, what was accepted, and what came out, by satellite. Each session of a load is a
    satellite of its own that counts from zero, so that what is accepted of it is a beginning of it."""

    sent: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    confirmed: dict[int, int] = field(default_factory=dict)
    counted: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    drained: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def count(self) -> None:
        """Notes what the daemon says it has received."""
        for row in ask("satellites")[0]["satellites"]:
            satellite = row["satellite_id"]
            if satellite is not None:
                self.counted[satellite] = max(self.counted[satellite], row["frames"])

    def drain(self, max_frames: int = 20_000) -> int:
        """Takes frames out; an answer that is cut short is none, and its frames go back."""
        result, octets = ask("drain", max_frames=max_frames, format="binary")
        for satellite, sequence in parse(octets):
            self.drained[satellite].append(sequence)
        return int(result["frames"])

    def drain_all(self) -> None:
        while self.drain() > 0:
            pass

    def total_drained(self) -> int:
        return sum(map(len, self.drained.values()))

    def check(self) -> None:
        """Everything that was accepted came out once and in order, and nothing else did."""
        for satellite in set(self.sent) | set(self.drained) | set(self.counted):
            out = self.drained.get(satellite, [])
            what = f"satellite {satellite}: {len(out)} frames came out"
            expect(out == list(range(len(out))), f"{what}, not in order, with gaps or twice: {_break_in(out)}")
            expect(len(out) <= self.sent[satellite], f"{what}, {self.sent[satellite]} were sent")
            expect(len(out) >= self.counted[satellite], f"{what}, {self.counted[satellite]} were counted")
            if satellite in self.confirmed:
                expect(
                    len(out) == self.confirmed[satellite],
                    f"{what}, {self.confirmed[satellite]} were confirmed",
                )


def _break_in(sequences: list[int]) -> str:
    for expected, sequence in enumerate(sequences):
        if sequence != expected:
            return f"{sequence} stands where {expected} should"
    return "none"


class Load:
    """Uplinks that send sessions of some thousand frames as fast as they can, and come again."""

    SESSION_FRAMES = 5_000
    CHUNK_FRAMES = 250

    def __init__(self, books: Books, uplinks: int = 4, first_satellite: int = 1) -> None:
        self.books = books
        self._satellites = itertools.count(first_satellite)
        self._stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._failures: list[BaseException] = []
        self._threads = [threading.Thread(target=self._send_sessions) for _ in range(uplinks)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Whoever is held back is cut off: how much of a session is accepted is the daemon's to say."""
        self._stopping.set()
        while any(thread.is_alive() for thread in self._threads):
            with self._lock:
                for uplink in self._open:
                    try:
                        uplink.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass  # it is over already
            time.sleep(0.05)
        if self._failures:
            raise self._failures[0]

    def _send_sessions(self) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    self._send_session()
                except (ConnectionError, TimeoutError):
                    time.sleep(0.02)  # the daemon is being restarted
        except BaseException as failure:  # the test reports it
            self._failures.append(failure)

    def _send_session(self) -> None:
        with connect() as uplink:
            with self._lock:
                satellite = next(self._satellites)
                self._open.add(uplink)
            try:
                for first in range(0, self.SESSION_FRAMES, self.CHUNK_FRAMES):
                    chunk = range(first, first + self.CHUNK_FRAMES)
                    self.books.sent[satellite] = chunk.stop  # at most
                    uplink.sendall(frames(satellite, chunk, bytes(64)))
                say_all_is_sent(uplink)
                if uplink.recv(1) == b"" and not self._stopping.is_set():
                    self.books.confirmed[satellite] = self.SESSION_FRAMES
            finally:
                with self._lock:
                    self._open.discard(uplink)


class Drainer:
    """Drains all the time, whatever happens to the daemon."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._stopping = threading.Event()
        self._failures: list[BaseException] = []
        self._thread = threading.Thread(target=self._drain)

    def __enter__(self) -> "Drainer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        if self._failures:
            raise self._failures[0]

    def _drain(self) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    if self._books.drain() == 0:
                        time.sleep(0.005)
                except (ConnectionError, FileNotFoundError, TimeoutError):
                    time.sleep(0.01)  # the daemon is being restarted
        except BaseException as failure:  # the test reports it
            self._failures.append(failure)
