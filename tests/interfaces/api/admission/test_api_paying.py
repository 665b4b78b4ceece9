"""Every request is charged on admission, whatever its outcome, and rows are charged to the sender they are read for."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from coinone.base.primitives.errors import LimitExceeded
from coinone.interfaces.api.admission.readers import Readers
from coinone.interfaces.api.admission.sender import Sender
from coinone.interfaces.api.admission.weights import RateLimits, TokenBucket
from coinone.interfaces.api.exchange.channels import session as session_module
from coinone.interfaces.api.exchange.channels.session import Session
from coinone.interfaces.api.exchange.info.histories import Unfinished
from coinone.interfaces.api.exchange.info.info import Info
from coinone.interfaces.api.exchange.info.sources import Sources
from coinone.interfaces.api.exchange.info.table import INFO_TYPES
from coinone.interfaces.api.exchange.json.coins import Coins
from coinone.interfaces.api.explorer import pages as explorer
from coinone.interfaces.api.explorer.pages import Explorer
from coinone.interfaces.api.http.asgi import HttpError
from coinone.interfaces.api.service import _StreamBackend
from coinone.interfaces.api.sockets.hub import Connection, FirstMessages, Hub
from coinone.node.networks import load_network
from coinone.node.views.archive import EthereumPlace
from coinone.rules.state.steps import at_once

USER = "0x" + "11" * 20
OPEN_ORDERS = {"type": "openOrders", "user": USER}
FILLS = {"type": "userFills", "user": USER}


def purse_of(per_minute: int = 1200) -> TokenBucket:
    return RateLimits(per_minute, lambda: 0.0).purse("203.0.113.5")


def spent(purse: TokenBucket) -> int:
    return round(1200 - purse._held)


def sources(in_thread: Any = None, histories: Any = None, data: Any = None) -> Sources:
    return Sources(None, data, None, histories, in_thread, in_thread)  # type: ignore[arg-type]


class Unread:
    """A link to somebody who reads nothing."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    def write_frames(self, frames: bytes) -> bool:
        return True

    async def write_whole(self, frames: bytes) -> bool:
        self.kept.append(frames)
        await asyncio.Event().wait()
        return True

    def cut(self) -> None:
        pass


async def posted(info: Any, purse: TokenBucket, request: Any, link: Unread) -> None:
    """A hundred posts of one connection, whose client then leaves."""
    service: Any = SimpleNamespace(info=info)
    session = Session(Connection(link), Hub(), _StreamBackend(service, purse))
    post = {"method": "post", "id": 1, "request": {"type": "info", "payload": request}}
    messages = [{"type": "websocket.receive", "bytes": msgspec.json.encode(post)}] * 100

    async def receive() -> Any:
        await asyncio.sleep(0)
        if messages:
            return messages.pop()
        await asyncio.sleep(0.05)
        return {"type": "websocket.disconnect"}

    await session.run(receive, receive)  # type: ignore[arg-type]


def test_who_posts_a_hundred_questions_and_leaves_has_paid_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """57,500 in 30 s by one address, a weight of 1,150,000, and it was answered all the time."""
    purse = purse_of()

    async def never(sources: Any, request: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setitem(INFO_TYPES, "openOrders", replace(INFO_TYPES["openOrders"], handler=never))
    asyncio.run(posted(Info(sources()), purse, OPEN_ORDERS, Unread()))
    assert spent(purse) == 60 * 20, "the forty others were refused"
    with pytest.raises(LimitExceeded):
        purse.require()


def test_a_connection_that_reads_none_of_its_answers_has_sixteen_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A hundred of 0.6 MB each lay there for each connection: 1.2 GB for twenty."""
    link = Unread()

    async def at_once(sources: Any, request: Any) -> list[Any]:
        return []

    monkeypatch.setitem(INFO_TYPES, "openOrders", replace(INFO_TYPES["openOrders"], handler=at_once))
    asyncio.run(posted(Info(sources()), purse_of(), OPEN_ORDERS, link))
    assert len(link.kept) == 16


@pytest.mark.parametrize(("rows", "cost"), [([0] * 2000, 120), (Unfinished((), read=4000), 20)])
def test_rows_that_are_read_for_who_has_left_are_paid_for(rows: list[Any], cost: int) -> None:
    """20 and 1 for each 20 rows; what says of itself that it is not all costs what was read of it."""
    purse, begun, go = purse_of(), threading.Event(), threading.Event()

    def fills(request: Any) -> list[Any]:
        begun.set()
        go.wait()
        return rows

    async def run() -> None:
        readers = Readers(1)
        info = Info(sources(readers.run, SimpleNamespace(fills=fills)))
        asking = asyncio.create_task(info.answer(FILLS, info.admit(FILLS, purse)))
        while not begun.is_set():
            await asyncio.sleep(0.001)
        asking.cancel()
        go.set()
        await readers.run(lambda: None)
        readers.close()

    asyncio.run(run())
    assert spent(purse) == cost + (200 if isinstance(rows, Unfinished) else 0)


def asked_by_http(info: Info, request: Any, purse: TokenBucket, sender: Sender) -> int:
    async def run() -> int:
        with pytest.raises(HttpError) as refused:
            await info.answer_bytes(msgspec.json.encode(request), purse, sender)
        return refused.value.status

    return asyncio.run(run())


def test_a_question_whose_sender_hangs_up_is_given_up_and_paid_for(monkeypatch: pytest.MonkeyPatch) -> None:
    purse, ended = purse_of(), []

    async def long(sources: Any, request: Any) -> None:
        try:
            await asyncio.sleep(30)
        finally:
            ended.append(1)

    async def left() -> None:
        await asyncio.sleep(0.01)

    monkeypatch.setitem(INFO_TYPES, "openOrders", replace(INFO_TYPES["openOrders"], handler=long))
    info = Info(sources(data=SimpleNamespace(view=None)))
    assert asked_by_http(info, OPEN_ORDERS, purse, Sender(left=left)) == 499
    assert (spent(purse), ended) == (20, [1])


def test_a_question_that_finds_no_place_is_refused_as_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(sources: Any, request: Any) -> None:
        raise LimitExceeded("too many calls at once")

    monkeypatch.setitem(INFO_TYPES, "openOrders", replace(INFO_TYPES["openOrders"], handler=full))
    info = Info(sources(data=SimpleNamespace(view=None)))
    purse = purse_of()
    assert asked_by_http(info, OPEN_ORDERS, purse, Sender()) == 429
    assert spent(purse) == 20


def test_who_begins_to_listen_to_an_account_pays_before_it_is_read() -> None:
    """1, and 1 more for each 16 KiB of what comes first; a market is there already."""
    purse = purse_of()

    async def fails(key: Any) -> FirstMessages:
        raise LimitExceeded("too many reads at once")

    backend = _StreamBackend(SimpleNamespace(feed=SimpleNamespace(snapshot=fails)), purse)  # type: ignore[arg-type]
    for key in (("userFills", "11"), ("webData2", "11"), ("l2Book", "BTC")):
        with pytest.raises(LimitExceeded):
            asyncio.run(backend.snapshot(key))
    assert spent(purse) == 2


def test_an_explorers_page_is_paid_for_by_its_records_before_and_by_its_bytes_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One of 14.6 MB cost 40, so that an address had 43 in 25 s: it costs 40 + 128 + 891 now, and here 3 + 2."""
    purse, order = purse_of(), []
    archive = SimpleNamespace(
        place_of=lambda tx_hash: EthereumPlace(7, 0),
        header=lambda number: SimpleNamespace(number=7, timestamp=1),
        records_size=lambda number: 3 * 8192,
        placed_steps=at_once(lambda number, index: order.append(spent(purse))),
    )
    monkeypatch.setattr(explorer, "transaction_json", lambda row, header: {})
    monkeypatch.setattr(explorer, "receipt_steps", at_once(lambda row, header: {"logs": "x" * (2 * 16_384)}))

    async def in_thread(work: Callable[[], Any]) -> Any:
        return work()

    node: Any = SimpleNamespace(
        archive=archive,
        storage=SimpleNamespace(log=None),
        genesis=SimpleNamespace(federation=None),
        network=SimpleNamespace(chain_id=1),
    )
    none: Any = None
    pages = Explorer(node, none, in_thread, none, none, none)  # type: ignore[arg-type]
    asyncio.run(pages.get("tx/0x" + "22" * 32, purse))
    assert (order, spent(purse)) == ([3], 5)


LISTS = [[1] * 15] * 600  # 19 KB, which took 0.3 ms to read and refuse


def said(purse: TokenBucket, *messages: Any) -> list[Any]:
    """What a WebSocket session answers to `messages`."""
    answers: list[Any] = []

    class Link(Unread):
        def write_frames(self, frames: bytes) -> bool:
            answers.append(msgspec.json.decode(frames[frames.index(b"{") :]))
            return True

    service: Any = SimpleNamespace(data=SimpleNamespace(coins=Coins(load_network("dev").markets)))
    waiting = [{"type": "websocket.receive", "bytes": msgspec.json.encode(message)} for message in messages]

    async def receive() -> Any:
        return waiting.pop(0) if waiting else {"type": "websocket.disconnect"}

    session = Session(Connection(Link()), Hub(), _StreamBackend(service, purse))
    asyncio.run(session.run(receive, receive))  # type: ignore[arg-type]
    return answers


@pytest.mark.parametrize(
    "message",
    [
        {"method": "subscribe", "subscription": LISTS},
        {"method": "unsubscribe", "subscription": LISTS},
        {"method": "post", "id": "x", "request": LISTS},
        LISTS,
        7,
    ],
)
def test_a_websocket_message_that_is_refused_weighs_one(message: Any) -> None:
    purse = purse_of()
    answers = said(purse, {"method": "ping"}, message, message)
    assert [answer["channel"] for answer in answers] == ["pong", "error", "error"]
    assert spent(purse) == 2


def test_an_address_that_has_used_up_its_weight_has_only_small_messages_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    purse = purse_of()
    purse.spend(1199)
    assert said(purse, LISTS)[0]["reason"].startswith("method must be")
    monkeypatch.setattr(session_module.jsonio, "decode", only_small)
    answers = said(purse, LISTS, {"method": "dance"}, {"method": "ping"})
    assert answers[0]["reason"].startswith("too many requests")
    assert answers[1]["reason"].startswith("method must be")
    assert answers[2] == {"channel": "pong"}
    assert spent(purse) == 1200  # and it can recover
    assert len(answers[0]["data"]) < 5_000


def only_small(data: bytes) -> Any:
    assert len(data) < 100, "read"
    return msgspec.json.decode(data)
