"""Subscribers get their messages: subscriptions counted, messages framed once, slow readers dropped, limits kept."""

import asyncio
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from coinone.base.primitives.errors import InvalidInput, LimitExceeded
from coinone.interfaces.api.admission.weights import Bill, RateLimits
from coinone.interfaces.api.exchange.channels.feed import ChannelFeed
from coinone.interfaces.api.exchange.channels.session import Session
from coinone.interfaces.api.limits import WS_MESSAGES_PER_MINUTE, WS_POSTS_MAX, WS_SUBSCRIPTIONS_MAX
from coinone.interfaces.api.sockets.hub import Connection, FirstMessages, Hub
from coinone.interfaces.api.sockets.protocols import text_frame
from coinone.rules.exchange.events.event_log import EventLog

BOOK = ("l2Book", "BTC", "", "")


class Wire:
    """A link that remembers, and breaks when told to."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.broken = self.was_cut = False

    def cut(self) -> None:
        self.was_cut = True

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


def listen(hub: Hub, connection: Connection, key: tuple[str, ...]) -> None:
    """To a stream without first messages."""
    hub.subscribe(connection, key)
    hub.begin(connection, key)


def test_a_message_reaches_those_who_listen_and_nobody_else() -> None:
    hub, wires = Hub(), [Wire() for _ in range(3)]
    connections = [Connection(wire) for wire in wires]
    listen(hub, connections[0], BOOK)
    listen(hub, connections[1], BOOK)
    listen(hub, connections[2], ("l2Book", "ETH", "", ""))
    hub.publish(BOOK, b"news", 1)
    assert not wires[0].written, "nothing is written before the flush"
    hub.flush()
    assert wires[0].written == wires[1].written == [text_frame(b"news")]
    assert wires[2].written == []


def test_all_messages_of_a_batch_go_out_in_one_write() -> None:
    hub, wire = Hub(), Wire()
    connection = Connection(wire)
    listen(hub, connection, BOOK)
    listen(hub, connection, ("allMids",))
    hub.publish(("allMids",), b"a", 1)
    hub.publish(BOOK, b"b", 1)
    hub.flush()
    assert wire.written == [text_frame(b"a") + text_frame(b"b")]


def test_messages_that_are_held_go_out_in_one_write_or_as_they_are_enough_for_one() -> None:
    """Frames of 4,004 bytes: five are more than 16 KiB, the sixth waits for the flush."""
    wire, message = Wire(), b"x" * 4000
    connection = Connection(wire)
    for _ in range(6):
        connection.hold(message)
    assert [len(written) for written in wire.written] == [5 * 4004]
    connection.flush()
    assert [len(written) for written in wire.written] == [5 * 4004, 4004]


def test_who_unsubscribed_or_left_hears_no_more() -> None:
    hub, wires = Hub(), [Wire(), Wire()]
    connections = [Connection(wire) for wire in wires]
    for connection in connections:
        hub.join(connection)
        listen(hub, connection, BOOK)
    assert hub.unsubscribe(connections[0], BOOK) and not hub.unsubscribe(connections[0], BOOK)
    hub.leave(connections[1])
    assert not hub.wanted(BOOK) and list(hub.keys("l2Book")) == []
    assert list(hub.connections) == connections[:1]
    hub.publish(BOOK, b"news", 1)
    hub.flush()
    assert wires[0].written == wires[1].written == []


def test_a_broken_link_closes_its_connection_and_holds_up_no_other() -> None:
    hub, wires = Hub(), [Wire(), Wire()]
    connections = [Connection(wire) for wire in wires]
    for connection in connections:
        listen(hub, connection, BOOK)
    wires[0].broken = True
    for _ in range(2):
        hub.publish(BOOK, b"news", 1)
        hub.flush()
    assert not connections[0].open and connections[1].open
    assert len(wires[0].written) == 1 and len(wires[1].written) == 2


def test_a_new_listener_gets_its_first_messages_then_what_came_meanwhile_and_is_not_in_them() -> None:
    hub, wires = Hub(), [Wire(), Wire()]
    old, new = (Connection(wire) for wire in wires)
    listen(hub, old, BOOK)
    hub.subscribe(new, BOOK)
    for seq in (5, 6, 7):
        hub.publish(BOOK, b"%d" % seq, seq)
    hub.flush()
    assert wires[0].messages == [5, 6, 7] and wires[1].messages == []
    hub.begin(new, BOOK, FirstMessages([b'"up to 6"'], 6))
    assert wires[1].messages == ["up to 6", 7]


def test_a_batch_that_the_first_messages_told_is_told_to_the_others_only() -> None:
    hub, wires = Hub(), [Wire(), Wire()]
    old, new = (Connection(wire) for wire in wires)
    listen(hub, old, BOOK)
    hub.subscribe(new, BOOK)
    hub.begin(new, BOOK, FirstMessages([b'"up to 6"'], 6))
    told = [hub.publish(BOOK, b"%d" % seq, seq) for seq in (6, 7)]
    hub.flush()
    assert (wires[0].messages, wires[1].messages) == ([6, 7], ["up to 6", 7])
    assert told == [False, True], "whether everybody has it"


@pytest.mark.parametrize("turned_while_waiting", [False, True])
def test_after_time_was_turned_back_a_number_says_nothing(turned_while_waiting: bool) -> None:
    hub, wire = Hub(), Wire()
    connection, first = Connection(wire), FirstMessages([b'"up to 6"'], 6)
    hub.subscribe(connection, BOOK)
    if turned_while_waiting:
        hub.forget_seqs()
        hub.publish(BOOK, b"3", 3)
    hub.begin(connection, BOOK, first)
    if not turned_while_waiting:
        hub.forget_seqs()
        hub.publish(BOOK, b"3", 3)
    hub.flush()
    assert wire.messages == ["up to 6", 3]


def test_who_waits_for_its_first_messages_while_too_much_is_said_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("coinone.interfaces.api.sockets.hub.WS_BUFFER_BYTES_MAX", 12)
    hub, wire = Hub(), Wire()
    connection = Connection(wire)
    hub.subscribe(connection, BOOK)
    for seq, is_open in ((1, True), (2, True), (3, False), (4, False)):  # frames of 2 + 4 bytes
        hub.publish(BOOK, b"news", seq)
        assert connection.open is is_open
    assert wire.was_cut


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
        self.no_reads = False

    def admit(self, size: int) -> None:
        pass

    def refused(self) -> None:
        pass

    def require(self) -> None:
        if self.left <= 0:
            raise LimitExceeded("too many requests")

    def key_of(self, subscription: Any) -> tuple[str, ...]:
        if subscription != {"type": "allMids"}:
            raise InvalidInput("unknown subscription type")
        return ("allMids",)

    async def snapshot(self, key: tuple[str, ...]) -> FirstMessages:
        self.left -= 1
        if self.no_reads:
            raise LimitExceeded("too many reads at once")
        return FirstMessages([b'{"channel":"allMids","data":{}}'])

    def admit_info(self, request: Any) -> Bill:
        return Bill(RateLimits(1200).purse(""), 20)

    async def info(self, request: Any, bill: Bill) -> Any:
        if request == {"type": "bad"}:
            raise InvalidInput("bad question")
        if request == {"type": "fault"}:
            raise RuntimeError("secret")
        return {"asked": request}

    async def act(self, request: Any, size: int) -> Any:
        await self.gate.wait()
        return {"status": "ok"}


def converse(*requests: Any, then: Any = None, no_reads: bool = False) -> list[Any]:
    """What a session answers to requests, until the client leaves."""

    async def run() -> list[Any]:
        backend, wire, hub = Backend(), Wire(), Hub()
        backend.no_reads = no_reads
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


def test_a_stream_whose_first_messages_cannot_be_had_does_not_begin() -> None:
    subscription = {"type": "allMids"}
    answers = converse(
        *[{"method": way, "subscription": subscription} for way in ("subscribe", "unsubscribe")],
        no_reads=True,
    )
    assert [answer["channel"] for answer in answers] == ["error", "error"]
    assert answers[0]["reason"] == "too many reads at once"
    assert answers[1]["data"] == 'Already unsubscribed: {"type":"allMids"}'


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

    class Watched(ChannelFeed):
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
    monkeypatch.setattr("coinone.interfaces.api.sockets.hub.WS_SUBSCRIPTIONS_MAX", 0)
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
