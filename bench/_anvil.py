"""Start a JSON-RPC node as a child process for comparison with ours; anvil (`contracts/anvil.py`) is one."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, TypeVar
from urllib.request import Request, urlopen

import msgspec

from coinone.interfaces.client.local import free_ports
from contracts import anvil
from contracts.npm import NotInstalled, install

_START_S = 60


class Server:
    """Something that answers JSON-RPC, and the process behind it."""

    def __init__(self, url: str, process: "subprocess.Popen[bytes]") -> None:
        self.url = url
        self.process = process

    def call(self, calls: list[tuple[str, list[Any]]]) -> list[Any]:
        body = [{"jsonrpc": "2.0", "id": n, "method": m, "params": p} for n, (m, p) in enumerate(calls)]
        request = Request(self.url, msgspec.json.encode(body), {"Content-Type": "application/json"})
        with urlopen(request, timeout=60) as answer:
            found = sorted(msgspec.json.decode(answer.read()), key=lambda item: item["id"])
        assert all("result" in item for item in found), next(item for item in found if "result" not in item)
        return [item["result"] for item in found]

    def wait(self) -> None:
        deadline = time.monotonic() + _START_S
        while True:
            try:
                self.call([("eth_chainId", [])])
                return
            except OSError:
                assert time.monotonic() < deadline and self.process.poll() is None, "it did not start"
                time.sleep(0.2)


S = TypeVar("S", bound=Server)


@contextlib.contextmanager
def running(server: S) -> Iterator[S]:
    """Wait until it answers; end it afterwards."""
    try:
        server.wait()
        yield server
    finally:
        server.process.kill()
        server.process.wait()


@contextlib.contextmanager
def running_anvil(kind: type[S], program: str, **options: object) -> Iterator[S]:
    (port,) = free_ports(1)
    process = subprocess.Popen(anvil.command(program, port, **options))
    with running(kind(f"http://127.0.0.1:{port}", process)) as server:
        yield server


def installed_anvil() -> str | None:
    """The program, which COINONE_ANVIL may name, or None with the reason on standard error."""
    given = os.environ.get("COINONE_ANVIL")
    if given:
        return given
    try:
        return anvil.program_in(install(anvil.PACKAGE))
    except NotInstalled as error:
        print(error, file=sys.stderr)
        return None
