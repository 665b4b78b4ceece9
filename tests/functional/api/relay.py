"""A reverse proxy before a node, which gives all its clients one address beyond this machine.

For the node it is one that `--trusted-proxy 127.0.0.1` names: so a page on this machine has an address's weight, as a
trader's has, and not that of local programs.
"""

import json
import socket
from contextlib import suppress
from http.client import HTTPConnection
from threading import Thread
from types import TracebackType
from urllib.parse import urlsplit

TRUSTING = ("--trusted-proxy", "127.0.0.1")
ADDRESS = "203.0.113.5"  # RFC 5737: nobody's
_READ_BYTES = 65536


class Relay:
    """A way to the node at `port`, on which everybody comes from `address`."""

    def __init__(self, port: int, address: str = ADDRESS) -> None:
        self._port = port
        self._named = f"\r\nX-Forwarded-For: {address}\r\nHost: ".encode()
        self._door = socket.create_server(("127.0.0.1", 0))
        self._lines: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"

    def __enter__(self) -> "Relay":
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._door.close()
        self.cut()

    def cut(self) -> None:
        """Break every connection that there is; new ones are taken."""
        lines, self._lines = self._lines, []
        for line in lines:
            _end(line)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                came, _ = self._door.accept()
                went = socket.create_connection(("127.0.0.1", self._port))
                self._lines += [came, went]
                Thread(target=_pass_on, args=(came, went, self._named), daemon=True).start()
                Thread(target=_pass_on, args=(went, came, b""), daemon=True).start()


def use_up(url: str) -> None:
    """Ask until the address behind `url` is answered nothing any more: for seconds, as the last one overdrew."""
    question = json.dumps({"type": "userRole", "user": "0x" + "11" * 20})  # the dearest one of a fixed price
    door = HTTPConnection(urlsplit(url).netloc, timeout=10)
    status = 0
    while status != 429:
        door.request("POST", "/info", question, {"content-type": "application/json"})
        answer = door.getresponse()
        status, _ = answer.status, answer.read()
    door.close()


def _pass_on(source: socket.socket, target: socket.socket, named: bytes) -> None:
    """Hand on what comes, and name the address before each Host field if there is one to name."""
    with suppress(OSError):
        while data := source.recv(_READ_BYTES):
            target.sendall(data.replace(b"\r\nHost: ", named) if named else data)
    _end(source)
    _end(target)


def _end(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
