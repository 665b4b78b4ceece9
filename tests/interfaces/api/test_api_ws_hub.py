"""Who hears what: subscriptions are counted, messages framed once, slow readers dropped, limits kept."""

import asyncio
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from coinone.base.primitives.errors import InvalidInput, LimitExceeded
from coinone.interfaces.api.limits import WS_MESSAGES_PER_MINUTE, WS_POSTS_MAX, WS_SUBSCRIPTIONS_MAX
from coinone.interfaces.api.protocols import text_frame
from coinone.interfaces.api.ws.feed import Feed
from coinone.interfaces.api.ws.hub import Connection, Hub
from coinone.interfaces.api.ws.session import Session
from coinone.rules.exchange.event_log import EventLog

BOOK = ("l2Book", "BTC", "", "")


class Wire:
    """A link that remembers, and breaks when told to."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.broken = False

    async def write_whole(self, frames: bytes) -> bool:
        return self.write_frames(frames)

    def write_frames(self, frames: bytes) -> bool:
        self.written.append(frames)
        return not self.broken

    @property
    def messages(self) -> list[Any]:
        """The JSON messages of all (short) frames written."""
        data, found = b"".join(self.written), []
        while data:
            size, start = (data[1], 2) if data[1] < 126 else (int.from_bytes(data[2:4], "big"), 4)
            found.append(msgspec.json.decode(data[start : start + size]))
            data = data[start + size :]
        return found


def test_a_message_reaches_those_who_listen_and_nobody_else() -> None:
    hub, wires = Hub(), [Wire() for _ in range(3)]
    connections = [Connection(wire) for wire in wires]
    hub.subscribe(connections[0], BOOK)
    hub.subscribe(connections[1], BOOK)
    hub.subscribe(connections[2], ("l2Book", "ETH", "", ""))
    hub.publish(BOOK, b"news")
    assert not wires[0].written, "nothing is written before the flush"
    hub.flush()
    assert wires[0].written == wires[1].written == [text_frame(b"news")]
    assert wires[2].written == []


def test_all_messages_of_a_batch_go_out_in_one_write() -> None:
    hub, wire = Hub(), Wire()
    connection = Connection(wire)
    hub.subscribe(connection, BOOK)
    hub.subscribe(connection, ("allMids",))
    hub.publish(("allMids",), b"a")
    hub.publish(BOOK, b"b")
    hub.flush()
    assert wire.written == [text_frame(b"a") + text_frame(b"b")]


def test_who_unsubscribed_or_left_hears_no_more() -> None:
    hub, wires = Hub(), [Wire(), Wire()]
    connections = [Connection(wire) for wire in wires]
    for connection in connections:
        hub.join(connection)
        hub.subscribe(connection, BOOK)
    assert hub.unsubscribe(connections[0], BOOK) and not hub.unsubscribe(connections[0], BOOK)
    hub.leave(connections[1])
    assert not hub.wanted(BOOK) and list(hub.keys("l2Book")) == []
    assert list(hub.connections) == connections[:1]
    hub.publish(BOOK, b"news")
    hub.flush()
    assert wires[0].written == wires[1].written == []


def test_a_broken_link_closes_its_connection_and_holds_up_no_other() -> None:
    hub, wires = Hub(), [Wire(), Wire()]
    connections = [Connection(wire) for wire in wires]
    for connection in connections:
        hub.subscribe(connection, BOOK)
    wires[0].broken = True
    for _ in range(2):
        hub.publish(BOOK, b"news")
        hub.flush()
    assert not connections[0].open and connections[1].open
    assert len(wires[0].written) == 1 and len(wires[1].written) == 2


def test_subscriptions_of_a_connection_are_bounded() -> None:
    hub, connection = Hub(), Connection(Wire())
    for number in range(WS_SUBSCRIPTIONS_MAX):
        hub.subscribe(connection, ("trades", str(number)))
    with pytest.raises(LimitExceeded):
        hub.subscribe(connection, ("trades", "one more"))


class Backend:
    """Answers at once, or when `gate` opens."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.left = 2

    def admit(self, size: int) -> None:
        pass

    def require(self) -> None:
        if self.left <= 0:
            raise LimitExceeded("too many requests")

    def key_of(self, subscription: Any) -> tuple[str, ...]:
        if subscription != {"type": "allMids"}:
            raise InvalidInput("unknown subscription type")
        return ("allMids",)

    async def snapshot(self, key: tuple[str, ...]) -> list[bytes]:
        self.left -= 1
        return [b'{"channel":"allMids","data":{}}']

    async def info(self, request: Any) -> Any:
        if request == {"type": "bad"}:
            raise InvalidInput("bad question")
        if request == {"type": "fault"}:
            raise RuntimeError("secret")
        return {"asked": request}

    async def act(self, request: Any) -> Any:
        await self.gate.wait()
        return {"status": "ok"}


def converse(*requests: Any, then: Any = None) -> list[Any]:
    """What a session answers to requests, until the client leaves."""

    async def run() -> list[Any]:
        backend, wire, hub = Backend(), Wire(), Hub()
        session = Session(Connection(wire), hub, backend)
        waiting = list(requests)

        async def receive() -> Any:
            await asyncio.sleep(0)
            if waiting:
                item = waiting.pop(0)
                text = item if isinstance(item, str) else msgspec.json.encode(item).decode()
                return {"type": "websocket.receive", "text": text}
            if then is not None:
                await then(backend)
            await asyncio.sleep(0.01)
            return {"type": "websocket.disconnect"}

        async def send(message: Any) -> None:
            wire.write_frames(text_frame(b'"closed"'))

        await session.run(receive, send)
        assert not hub.connections
        return wire.messages

    return asyncio.run(run())


def test_a_subscription_is_acknowledged_then_answered_with_a_snapshot() -> None:
    subscription = {"type": "allMids"}
    answers = converse({"method": "subscribe", "subscription": subscription})
    assert answers == [
        {"channel": "subscriptionResponse", "data": {"method": "subscribe", "subscription": subscription}},
        {"channel": "allMids", "data": {}},
    ]


def test_who_subscribes_again_and_again_pays_for_what_each_time_is_sent_first() -> None:
    """200 histories of 300 KB took 3 s of the thread that serves everybody, for nothing."""
    known = {"type": "allMids"}
    answers = converse(*[{"method": way, "subscription": known} for way in ("subscribe", "unsubscribe") * 3])
    refused = [answer for answer in answers if answer["channel"] == "error"]
    assert [answer["reason"] for answer in refused[:1]] == ["too many requests"]
    assert [answer["channel"] for answer in answers].count("allMids") == 2


def test_states_of_many_accounts_do_not_hold_up_what_markets_say() -> None:
    """30,000 watched accounts made everybody's streams later with every batch. Here the states never come to an end:
    the first batch waits a little for them, and so does the next, which begins them no second time."""

    class Watched(Feed):
        begun = 0

        async def _publish_states(self) -> None:
            self.begun += 1
            await asyncio.Event().wait()

    async def run() -> int:
        feed = Watched(Hub(), SimpleNamespace(data=SimpleNamespace(coins=None)))  # type: ignore[arg-type]
        for _ in range(2):
            await asyncio.wait_for(feed.on_batch(EventLog()), 5)
        return feed.begun

    assert asyncio.run(run()) == 1


def test_a_refusal_repeats_the_request_in_hyperliquids_words() -> None:
    """Clients look for the subscription from the first brace to the last: @nktkas/hyperliquid, _dispatcher.js."""
    known, wrong = {"type": "allMids"}, {"type": "nothing", "user": "0x12", "id": 5}
    answers = converse(
        {"method": "subscribe", "subscription": wrong},
        {"method": "subscribe", "subscription": known},
        {"method": "subscribe", "subscription": known},
        {"method": "unsubscribe", "subscription": known},
        {"method": "unsubscribe", "subscription": known},
        {"method": "unsubscribe", "subscription": wrong},
    )
    told = [(answer["data"], answer.get("reason")) for answer in answers if answer["channel"] == "error"]
    assert told == [
        ('Invalid subscription {"type":"nothing","user":"0x12","id":5}', "unknown subscription type"),
        ('Already subscribed: {"type":"allMids"}', None),
        ('Already unsubscribed: {"type":"allMids"}', None),
        ('Already unsubscribed: {"type":"nothing","user":"0x12","id":5}', None),
    ]


def test_a_connection_with_too_many_subscriptions_is_told_which_one_was_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("coinone.interfaces.api.ws.hub.WS_SUBSCRIPTIONS_MAX", 0)
    (answer,) = converse({"method": "subscribe", "subscription": {"type": "allMids"}})
    assert answer["data"] == 'Invalid subscription {"type":"allMids"}'
    assert answer["reason"].startswith("too many subscriptions")


@pytest.mark.parametrize("text", ['{"method":"post","id":3}', '{"type":"allMids"}', "{"])
def test_a_request_that_is_none_is_repeated_too(text: str) -> None:
    (answer,) = converse(text)
    assert answer["data"] == f"Error parsing JSON into valid websocket request: {text}"


def test_a_ping_is_answered_even_while_an_action_waits_for_its_batch() -> None:
    async def open_gate(backend: Backend) -> None:
        backend.gate.set()

    post = {"method": "post", "id": 7, "request": {"type": "action", "payload": {}}}
    answers = converse(post, {"method": "ping"}, then=open_gate)
    assert answers[0] == {"channel": "pong"}
    assert answers[1]["data"] == {"id": 7, "response": {"type": "action", "payload": {"status": "ok"}}}


def test_info_by_post_carries_its_type_beside_the_data() -> None:
    (answer,) = converse({"method": "post", "id": 1, "request": {"type": "info", "payload": {"type": "x"}}})
    payload = {"type": "x", "data": {"asked": {"type": "x"}}}
    assert answer == {"channel": "post", "data": {"id": 1, "response": {"type": "info", "payload": payload}}}


def test_faults_are_told_without_their_inside() -> None:
    posts = [
        {"method": "post", "id": n, "request": {"type": "info", "payload": {"type": kind}}}
        for n, kind in enumerate(("bad", "fault"))
    ]
    texts = [answer["data"]["response"]["payload"] for answer in converse(*posts)]
    assert texts == ["bad question", "internal error"]


@pytest.mark.parametrize(
    "request_text",
    [
        "{",
        "[]",
        "1",
        '{"method":"dance"}',
        '{"method":"subscribe"}',
        '{"method":"subscribe","subscription":{"type":"nonsense"}}',
        '{"method":"unsubscribe","subscription":{"type":"allMids"}}',
        '{"method":"post","id":"x","request":{"type":"info","payload":{}}}',
        '{"method":"post","id":1,"request":{"type":"dance","payload":{}}}',
        '{"method":"ping","method":"ping"}',
        "[" * 100 + "]" * 100,
    ],
)
def test_what_is_no_request_is_answered_with_an_error_and_the_session_goes_on(request_text: str) -> None:
    answers = converse(request_text, {"method": "ping"})
    assert [answer["channel"] for answer in answers] == ["error", "pong"]


def test_too_many_posts_in_flight_are_refused_by_name() -> None:
    posts = [
        {"method": "post", "id": n, "request": {"type": "action", "payload": {}}}
        for n in range(WS_POSTS_MAX + 1)
    ]
    (answer,) = converse(*posts)
    assert answer["data"]["id"] == WS_POSTS_MAX and answer["data"]["response"]["type"] == "error"


def test_too_many_messages_close_the_connection() -> None:
    answers = converse(*[{"method": "ping"}] * (WS_MESSAGES_PER_MINUTE + 1))
    assert answers[-1] == "closed" and answers[-2]["channel"] == "error"
    assert len(answers) == WS_MESSAGES_PER_MINUTE + 2
