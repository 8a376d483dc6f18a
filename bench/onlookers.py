#!/usr/bin/env python3
"""Looks on while a daemon is under load, as clumsily as it can be done.

    bench/onlookers.py CONTROL_SOCKET HTTP_PORT TAILS HTTP_CLIENTS SCRAPES_PER_S

TAILS clients watch all frames and never read; HTTP_CLIENTS send an octet of a request each second, until they are cut
off, and then begin anew; and /metrics is scraped. Prints a line once all are there, and figures as JSON at the end of
the standard input.
"""

import json
import resource
import socket
import statistics
import sys
import threading
import time
import urllib.request


def connect_tails(path, count):
    tails = []
    for _ in range(count):
        client = socket.socket(socket.AF_UNIX)
        client.connect(path)
        client.sendall(b'{"jsonrpc":"2.0","id":1,"method":"tail","params":{"format":"binary"}}\n')
        tails.append(client)
    return tails


class SlowClient:
    REQUEST = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + 1000 * b"x"

    def __init__(self, port):
        self.port = port
        self.connect()

    def connect(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.sent = 0

    def step(self):
        try:
            self.socket.send(self.REQUEST[self.sent : self.sent + 1])
            self.sent += 1
        except OSError:
            self.socket.close()
            self.connect()


def scrape(port):
    begin = time.monotonic()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        answer.read()
    return (time.monotonic() - begin) * 1000


def repeat(ended, interval, step):
    """Calls `step` every `interval` seconds until the end."""
    due = time.monotonic()
    while not ended.is_set():
        step()
        due = max(due + interval, time.monotonic())
        ended.wait(due - time.monotonic())


def main():
    path, port, tails, http_clients, scrapes_per_s = sys.argv[1], *map(int, sys.argv[2:])
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    watching = connect_tails(path, tails)
    slow = [SlowClient(port) for _ in range(http_clients)]
    scrapes = []
    ended = threading.Event()

    def step_all():
        for client in slow:
            client.step()

    threads = [threading.Thread(target=repeat, args=(ended, 1, step_all)),
               threading.Thread(target=repeat, args=(ended, 1 / scrapes_per_s, lambda: scrapes.append(scrape(port))))]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    sys.stdin.read()
    ended.set()
    for thread in threads:
        thread.join()
    print(json.dumps({"watching": len(watching), "scrapes": len(scrapes), "scrape_p50_ms": statistics.median(scrapes),
                      "scrape_max_ms": max(scrapes)}), flush=True)


if __name__ == "__main__":
    main()
