"""Speaks the DevTools protocol with a browser."""

import asyncio
import itertools
import json
import socket

try:
    import websockets
except ImportError:  # then the cases are skipped
    websockets = None

# For the answer to a command. A browser on a busy machine is slow, and not therefore broken.
ANSWER_WITHIN_S = 60


class DevTools:
    """A connection to a browser, with a session for each page in it."""

    def __init__(self, web_socket):
        self._web_socket = web_socket
        self._ids = itertools.count(1)
        self._answers = {}  # {id of the command: a future}
        self._events = {}  # {session: its events, as they came}
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, port, path):
        # With a socket of ours no proxy is asked, whatever the environment says. Messages may be of any size, and
        # a browser that is too busy to answer a ping is not given up.
        ours = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_WITHIN_S)
        return cls(await websockets.connect(f"ws://127.0.0.1:{port}{path}", sock=ours, max_size=None,
                                            ping_interval=None, open_timeout=ANSWER_WITHIN_S))

    async def call(self, method, parameters=None, session=None):
        """Carries out a command; its result."""
        command = {"id": next(self._ids), "method": method, "params": parameters or {}}
        answer = self._answers[command["id"]] = asyncio.get_running_loop().create_future()
        if self._reader.done():
            raise AssertionError(f"the browser is gone before {method}")
        await self._web_socket.send(json.dumps(command | ({"sessionId": session} if session else {})))
        message = await asyncio.wait_for(answer, ANSWER_WITHIN_S)
        if "error" in message:
            raise AssertionError(f"{method}: {message['error']['message']}")
        return message["result"]

    def events(self, session, *methods):
        """What the events of a session with these names say, the oldest first."""
        return [event["params"] for event in self._events.get(session, []) if event["method"] in methods]

    async def close(self):
        await self._web_socket.close()
        await self._reader

    async def _read(self):
        try:
            async for text in self._web_socket:
                message = json.loads(text)
                if "id" in message:
                    self._answers.pop(message["id"]).set_result(message)
                else:
                    self._events.setdefault(message.get("sessionId"), []).append(message)
        except websockets.ConnectionClosed:
            pass  # whoever waits is told
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(AssertionError("the browser is gone"))
