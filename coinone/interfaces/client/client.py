"""The clients: `AsyncClient` for programs with an event loop, `Client` for all others."""

import asyncio
import time
from typing import Any

import msgspec

from coinone.interfaces.client.commands import Commands
from coinone.interfaces.client.errors import ClientError, NoAnswer, Refused
from coinone.interfaces.client.http import AsyncHttp, Response, SyncHttp
from coinone.interfaces.client.signing import Domain
from coinone.interfaces.client.steps import Pause, Request, Steps
from coinone.interfaces.client.stream import Stream

DEFAULT_URL = "http://localhost:3001"


class _Connected(Commands):
    """The commands over a connection to a node."""

    _transport: type[AsyncHttp | SyncHttp]

    def __init__(
        self,
        url: str = DEFAULT_URL,
        key: bytes | str | None = None,
        account: str | None = None,
        domain: Domain | None = None,
        vault: str | None = None,
    ) -> None:
        super().__init__(key, account, domain, vault)
        self.url = url
        self._http = self._transport(url)


class AsyncClient(_Connected):
    """`async with AsyncClient(key=...) as client: await client.order("BTC", True, "0.01", 97000)`."""

    _transport = AsyncHttp
    _http: AsyncHttp

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.close()

    def stream(self) -> Stream:
        """A WebSocket to the same node."""
        return Stream(self.url)

    async def _run(self, steps: Steps[Any]) -> Any:
        try:
            step = next(steps)
            while True:
                try:
                    result = await self._perform(step)
                except ClientError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(result)
        except StopIteration as end:
            return end.value

    async def _perform(self, step: Request | Pause) -> Any:
        if isinstance(step, Pause):
            return await asyncio.sleep(step.seconds)
        return decode(await self._http.send(step.path, step.body))


class Client(_Connected):
    """`client = Client(key=...); client.order("BTC", True, "0.01", 97000)`."""

    _transport = SyncHttp
    _http: SyncHttp

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def _run(self, steps: Steps[Any]) -> Any:
        try:
            step = next(steps)
            while True:
                try:
                    result = self._perform(step)
                except ClientError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(result)
        except StopIteration as end:
            return end.value

    def _perform(self, step: Request | Pause) -> Any:
        if isinstance(step, Pause):
            return time.sleep(step.seconds)
        return decode(self._http.send(step.path, step.body))


def decode(response: Response) -> Any:
    """The JSON of a response. Raises Refused for a 4xx status, NoAnswer for any other failure."""
    try:
        value = msgspec.json.decode(response.body)
    except msgspec.DecodeError:
        raise NoAnswer(f"HTTP {response.status}: the answer is not JSON") from None
    if response.status < 400:
        return value
    message = value.get("msg", value) if isinstance(value, dict) else value
    if response.status >= 500:
        raise NoAnswer(f"HTTP {response.status}: {message}")
    raise Refused(f"HTTP {response.status}: {message}", response.status, value)
