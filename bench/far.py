"""A sink whose server is far away: what the time of a round trip leaves of the rate."""

import asyncio
import contextlib
import multiprocessing
import socket
import time
from urllib.parse import urlsplit

import sinks

PAYLOAD = 1024
FRAME_BYTES = 20 + PAYLOAD
ROUND_TRIPS_S = (0.05, 0.1, 0.6, 1.2)
KIB, MIB = 1024, 1024 * 1024
# Satellites, batch_max_bytes, max_in_flight_bytes.
SETTINGS = ((1, 512 * KIB, 8 * MIB), (1, 1000 * KIB, 8 * MIB), (48, 512 * KIB, 8 * MIB), (48, 512 * KIB, 32 * MIB))
MESSAGES_OF_EACH = 12  # as many round trips, so that the first small ones matter little


async def pass_on(reader, writer, delay_s):
    """Each piece arrives so much later; whatever comes meanwhile is on its way too."""
    loop = asyncio.get_running_loop()
    on_its_way = asyncio.Queue()

    async def arrive():
        while piece := await on_its_way.get():
            due, octets = piece
            await asyncio.sleep(max(0.0, due - loop.time()))
            writer.write(octets)
            await writer.drain()

    arriving = asyncio.create_task(arrive())
    with contextlib.suppress(ConnectionError):
        while octets := await reader.read(256 * KIB):
            on_its_way.put_nowait((loop.time() + delay_s, octets))
    on_its_way.put_nowait(None)
    with contextlib.suppress(ConnectionError):
        await arriving
    writer.close()


def relay(listener, port, delay_s):
    async def serve():
        async def connected(reader, writer):
            there, back = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(pass_on(reader, back, delay_s), pass_on(there, writer, delay_s))

        await (await asyncio.start_server(connected, sock=listener)).serve_forever()

    asyncio.run(serve())


@contextlib.contextmanager
def far_away(url, round_trip_s):
    """The URL by which a server is so far away."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = multiprocessing.Process(target=relay, args=(listener, urlsplit(url).port, round_trip_s / 2), daemon=True)
        process.start()
        try:
            yield f"nats://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            process.kill()
            process.join()


def rate(bench, daemon, send, url, satellites, batch_max_bytes, max_in_flight_bytes):
    """Octets per second from the first frame to the last acknowledgement."""
    octets = satellites * MESSAGES_OF_EACH * batch_max_bytes
    if satellites * batch_max_bytes > max_in_flight_bytes:
        octets = MESSAGES_OF_EACH * max_in_flight_bytes
    frames = octets // FRAME_BYTES // satellites * satellites
    sink = {"name": "bench", "servers": [url], "stream": sinks.STREAM, "batch_max_bytes": batch_max_bytes,
            "max_in_flight_bytes": max_in_flight_bytes}
    limits = {"max_frames": 2 * frames, "max_bytes": 4 * octets, "when_full": "backpressure"}
    with daemon(bench, buffer=limits, sinks=[sink]) as meridiand:
        while meridiand.ask("sinks")["sinks"][0]["problem"]:
            time.sleep(0.01)
        begin = time.monotonic()
        send(bench, meridiand, satellites, frames, PAYLOAD)
        sinks.wait_acknowledged(meridiand, frames)
        return frames * FRAME_BYTES / (time.monotonic() - begin)


def limits(bench, daemon, send):
    rows = []
    with sinks.nats_servers(1) as (_, (url,)):
        for satellites, batch, in_flight in SETTINGS:
            for round_trip_s in ROUND_TRIPS_S:
                sinks.make_stream(bench, url, 1)
                with far_away(url, round_trip_s) as far:
                    measured = rate(bench, daemon, send, far, satellites, batch, in_flight)
                rows.append({"satellites": satellites, "batch_max_bytes": batch, "max_in_flight_bytes": in_flight,
                             "round_trip_s": round_trip_s, "octets_per_s": measured,
                             "limit_octets_per_s": min(satellites * batch, in_flight) / round_trip_s})
    return rows
