"""Recipes for other systems: Meridian's side of each does what it says, and the settings for the other side fit.

The other systems are not there. What stands in for one reads or writes as the recipe's settings say.
"""

import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading

from documentation import Documentation
from markdown import Markdown
from page_cases import ALONE

FEND, FESC, TFEND, TFESC = 0xC0, 0xDB, 0xDC, 0xDD

# Reads a connection as a splitter by a length field does, and prints one packet a line, in hexadecimal.
SPLITTER = """
import json, socket, subprocess, sys, time
offset, length, adjustment, strip, role, port, count = json.loads(sys.argv[1])

def connect():
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            time.sleep(0.05)

def watchers():
    return json.loads(subprocess.run(["meridianctl", "--json", "stats"], capture_output=True, check=True).stdout)["tails"]["watchers"]

if role == "dials":
    stream = connect()
else:
    server = socket.create_server(("127.0.0.1", port))
    stream = server.accept()[0]
while watchers() == 0:
    time.sleep(0.05)
uplink = socket.create_connection(("127.0.0.1", 7401))
uplink.sendall(open("packets", "rb").read())
uplink.shutdown(socket.SHUT_WR)
octets = stream.makefile("rb")
for _ in range(count):
    head = octets.read(offset + length)
    whole = head + octets.read(int.from_bytes(head[offset:], "big") + adjustment - len(head))
    print(whole[strip:].hex())
"""

# Sends packets as datagrams: the first again and again, until the relay takes it, then each of the others once.
# Prints how many different ones have come.
DATAGRAMS = """
import socket, subprocess, time
packets = [bytes.fromhex(line) for line in open("packets.hex")]
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
came = set()

def drain():
    octets = subprocess.run(["meridianctl", "drain", "--all", "--format", "binary"], capture_output=True, check=True).stdout
    while octets:
        end = 4 + int.from_bytes(octets[:4], "big")
        came.add(octets[20:end])
        octets = octets[end:]

while not came:
    sender.sendto(packets[0], ("127.0.0.1", 1235))
    time.sleep(0.05)
    drain()
for packet in packets[1:]:
    sender.sendto(packet, ("127.0.0.1", 1235))
while not came.issuperset(packets):
    time.sleep(0.05)
    drain()
print(len(came))
"""


def space_packet(count, payload):
    return struct.pack(">HHH", 0x0800 | 0x123, 0xC000 | count, len(payload) - 1) + payload


def escaped(frame):
    return frame.replace(bytes([FESC]), bytes([FESC, TFESC])).replace(bytes([FEND]), bytes([FESC, TFEND]))


class RecipeCases(Documentation):
    def setUp(self):
        super().setUp()
        self.recipes = Markdown(self.source / "docs/integrate/recipes.md")
        self.packets = [space_packet(i, bytes([i]) * (1 + 7 * i)) for i in range(40)]

    def block(self, heading, *, with_text):
        [block] = [each for each in self.recipes.shell_blocks(heading) if with_text in each]
        return block

    def alone(self, recipe, other_side, *arguments):
        """Runs the daemon of the recipes, a recipe, and the other side of it, in a network of their own. What the
        other side prints."""
        if os.geteuid() != 0 or subprocess.run(ALONE + ["-c", "true"], check=False).returncode != 0:
            self.skipTest("only root gets a network of its own, in which the ports of a recipe are free")
        for tool in ("socat", "nc"):
            if shutil.which(tool) is None:
                self.skipTest(f"{tool} is not installed")
        [shown] = [each for each in self.recipes.programs("jsonc") if "packets" in each]
        config = json.loads(shown) | {"control": {"socket": str(self.directory / "control")}}
        (self.directory / "meridiand.json").write_text(json.dumps(config), encoding="utf-8")
        for name, program in self.programs.items():
            (self.directory / name).symlink_to(program.path)
        (self.directory / "packets").write_bytes(b"".join(self.packets))
        (self.directory / "packets.hex").write_text("\n".join(each.hex() for each in self.packets), encoding="utf-8")
        (self.directory / "recipe").write_text(recipe, encoding="utf-8")
        (self.directory / "other_side.py").write_text(other_side, encoding="utf-8")
        script = """
            export PATH=$PWD:$PATH MERIDIAN_SOCKET=$PWD/control
            meridiand --config meridiand.json 2>log &
            until meridianctl depth >/dev/null 2>&1; do sleep 0.05; done
            bash recipe >recipe.out 2>&1 &
            exec python3 other_side.py "$@"
            """
        done = subprocess.run([*ALONE, "-c", script, "bash", *arguments], cwd=self.directory, stdin=subprocess.DEVNULL,
                              capture_output=True, encoding="utf-8", timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split()

    def assert_splits(self, recipe, settings):
        """That a splitter with these settings finds the packets in what the recipe serves."""
        found = self.alone(recipe, SPLITTER, json.dumps([*settings, len(self.packets)]))
        self.assertEqual(found, [packet.hex() for packet in self.packets])

    def test_recipe_of_yamcs_splits_what_socat_serves(self):
        [link] = [each for each in self.recipes.programs("yaml") if "TcpTmDataLink" in each]
        value = {name: int(number) for name, number in re.findall(r"(\w+): (\d+)", link)}
        self.assertGreaterEqual(value["maxPacketLength"], 65_562)
        self.assert_splits(self.block("Live, over TCP", with_text="socat"),
                           [value["lengthFieldOffset"], value["lengthFieldLength"], value["lengthAdjustment"],
                            value["initialBytesToStrip"], "dials", value["port"]])

    def test_recipe_of_cosmos_splits_what_is_sent(self):
        offset, bits, adjustment, per_count, strip = self.cosmos_protocol("tcpip_server_interface")
        self.assertEqual(per_count, 1)
        recipe = self.block("From Meridian, COSMOS listens", with_text="nc")
        self.assert_splits(recipe, [offset // 8, bits // 8, adjustment, strip, "listens", 7501])

    def test_recipes_of_cosmos_have_one_protocol(self):
        protocols = {self.cosmos_protocol(name) for name in
                     ("tcpip_client_interface", "tcpip_server_interface", "file_interface")}
        self.assertEqual(protocols, {(0, 32, 4, 1, 20)})

    def cosmos_protocol(self, interface):
        [line] = [each for each in self.recipes.lines if each.startswith("INTERFACE") and interface in each]
        return tuple(map(int, re.search(r"LENGTH (\d+) (\d+) (\d+) (\d+) BIG_ENDIAN (\d+)$", line).groups()))

    def test_recipe_of_cfs_relays_datagrams(self):
        [relayed] = self.alone(self.block("cFS", with_text="UDP4-RECV"), DATAGRAMS)
        self.assertEqual(int(relayed), len(self.packets))

    def test_recipe_for_files_hands_over_every_frame(self):
        storage = self.directory / "storage"
        loop = self.block("Handing over frames in files", with_text="while sleep 5")
        loop = loop.replace("/storage/meridian", str(storage)).replace("sleep 5", "sleep 0.1")
        other_side = f"""
import pathlib, socket, time
uplink = socket.create_connection(("127.0.0.1", 7401))
uplink.sendall(open("packets", "rb").read())
uplink.shutdown(socket.SHUT_WR)
uplink.recv(1)
ready = pathlib.Path({str(storage / "ready")!r})
while not ready.exists() or not list(ready.iterdir()):
    time.sleep(0.05)
for file in sorted(ready.iterdir()):
    print(file.read_bytes().hex())
"""
        [octets] = self.alone(loop, other_side)
        self.assertEqual(self.payloads_of(bytes.fromhex(octets)), self.packets)

    def payloads_of(self, octets):
        """Of frames in the native layout."""
        payloads = []
        while octets:
            end = 4 + int.from_bytes(octets[:4], "big")
            payloads.append(octets[20:end])
            octets = octets[end:]
        return payloads

    def drained(self, daemon):
        done = self.programs["meridianctl"].run("--socket", daemon.socket, "drain", "--all", "--format", "binary",
                                                "--output", self.directory / "drained")
        self.assertEqual(done.returncode, 0, done.stderr)
        return (self.directory / "drained").read_bytes()

    def test_recipe_of_gr_satellites_takes_frames_out_of_kiss(self):
        [adapter] = [each for each in self.recipes.programs("python") if "FEND" in each]
        frames = [b"plain", bytes([FEND]), bytes([FESC, TFEND, FEND, FESC]), bytes(range(256))]
        kiss = b"".join(bytes([FEND, 9]) + b"time stamp" + bytes([FEND, FEND, 0]) + escaped(each) + bytes([FEND])
                        for each in frames)
        with socket.create_server(("127.0.0.1", 0)) as server, self.running_daemon() as daemon:
            def serve():
                connection = server.accept()[0]
                with connection:
                    for i in range(len(kiss)):  # a frame may come in any parts
                        connection.sendall(kiss[i:i + 1])
            thread = threading.Thread(target=serve)
            thread.start()
            here = {"7400": self.port_of(daemon), "8100": str(server.getsockname()[1])}
            subprocess.run([sys.executable, "-c", self.placed(adapter, here)], check=True, timeout=60)
            thread.join()
            octets = self.drained(daemon)
        self.assertEqual(self.payloads_of(octets), frames)
        self.assertEqual(struct.unpack(">IHHQ", octets[4:20]), (39444, 0, 0, 0))

    def test_recipe_of_satnogs_sends_the_files_of_an_observation(self):
        [script] = [each for each in self.recipes.programs("python") if "satnogs" in each]
        data = self.directory / "data"
        data.mkdir()
        for name, content in {"data_7_2026-11-30T00-00-01": b"first", "data_7_2026-11-30T00-00-02": b"second",
                              "data_7_2026-11-30T00-00-03.png": b"an image", "data_8_2026-11-30T00-00-00": b"other"}.items():
            (data / name).write_bytes(content)
        with self.running_daemon() as daemon:
            here = {"7400": self.port_of(daemon), "/tmp/.satnogs/data": str(data)}
            subprocess.run([sys.executable, "-c", self.placed(script, here), "39444", "7"], check=True, timeout=60)
            octets = self.drained(daemon)
        self.assertEqual(self.payloads_of(octets), [b"first", b"second"])
        self.assertEqual(struct.unpack(">IHHQ", octets[4:20]), (39444, 0, 1, 0), "stored frames")
