"""Request weights: Hyperliquid's weights by kind, an allowance that refills, and which addresses share one."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from coinone.base.primitives.errors import LimitExceeded
from coinone.interfaces.api.admission import weights
from coinone.interfaces.api.admission.weights import Bill, RateLimits, action_weight
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.json.errors import RpcError
from coinone.interfaces.api.ethereum.json.params import block_id
from coinone.interfaces.api.ethereum.methods import send as send_methods
from coinone.interfaces.api.ethereum.methods.send import send_raw_transaction, send_raw_transaction_sync
from coinone.interfaces.api.exchange.info.table import INFO_TYPES
from coinone.interfaces.api.explorer.pages import Explorer
from coinone.interfaces.api.http.guard import Caller
from coinone.node.views.archive import ActionPlace, EthereumPlace
from coinone.rules.state.steps import at_once


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def spend(purse: weights.TokenBucket, weight: int) -> None:
    purse.require()
    purse.spend(weight)


def test_a_purse_is_spent_and_refills_evenly() -> None:
    clock = Clock()
    purse = RateLimits(1200, clock).purse("203.0.113.5")
    for _ in range(60):  # 1,200 a minute are 60 requests of 20
        spend(purse, 20)
    with pytest.raises(LimitExceeded, match="1200 a minute; try again in 1 s"):
        purse.require()
    clock.now += 0.05  # 20 a second: one unit after a twentieth
    spend(purse, 100)  # the last one may overdraw
    clock.now += 4.9  # 99 of debt take 4.95 s
    with pytest.raises(LimitExceeded):
        purse.require()
    clock.now += 0.1
    purse.require()


def test_a_bill_is_its_base_at_once_and_what_is_more_once() -> None:
    purse = RateLimits(60, clock=lambda: 0.0).purse("203.0.113.5")
    bill = Bill(purse, 20)
    for weight in (10, 30, 30, 60):  # 20, then 10 and 30 more
        purse.require()
        bill.raise_to(weight)
    with pytest.raises(LimitExceeded, match="try again in 1 s"):
        purse.require()


def test_nothing_is_let_in_from_who_leaves_32_MiB_of_its_answers_unread() -> None:
    purse = RateLimits(1200).purse("203.0.113.5")
    with purse.unread(20 * 1024 * 1024):
        purse.require()
        with purse.unread(12 * 1024 * 1024 + 1), pytest.raises(LimitExceeded, match="read them first"):
            purse.require()
        purse.require()


def test_an_idle_purse_holds_a_minutes_worth_at_most() -> None:
    clock = Clock()
    purse = RateLimits(60, clock).purse("203.0.113.5")
    clock.now += 86_400
    spend(purse, 60)
    with pytest.raises(LimitExceeded):
        purse.require()


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("203.0.113.5", "203.0.113.6", False),
        ("203.0.113.5", "::ffff:203.0.113.5", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
    ],
)
def test_who_shares_a_purse(one: str, other: str, shared: bool) -> None:
    held = RateLimits(1200)
    assert (held.purse(one) is held.purse(other)) == shared


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "127.3.2.1", ""])
def test_local_programs_are_not_held_up(address: str) -> None:
    purse = RateLimits(1).purse(address)
    for _ in range(10_000):
        spend(purse, 60)


def test_only_so_many_addresses_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "PURSES_MAX", 2)
    held = RateLimits(1200)
    first, second = held.purse("203.0.113.1"), held.purse("203.0.113.2")
    held.purse("203.0.113.1")
    held.purse("203.0.113.3")
    assert held.purse("203.0.113.1") is first
    assert held.purse("203.0.113.2") is not second


@pytest.mark.parametrize(
    ("kind", "answer", "expected"),
    [
        # https://hyperliquid.gitbook.io: rate limits and user limits
        ("l2Book", {}, 2),
        ("allMids", {}, 2),
        ("userRole", {}, 60),
        ("meta", {}, 20),
        ("userFills", [0] * 19, 20),
        ("userFills", [0] * 2000, 120),
        ("candleSnapshot", [0] * 5000, 103),
        ("openOrders", [0] * 500, 20),
    ],
)
def test_questions_cost_what_they_cost_at_the_anchor(kind: str, answer: Any, expected: int) -> None:
    assert INFO_TYPES[kind].weight_of(answer) == expected


@pytest.mark.parametrize(
    ("body", "size", "expected"),
    [
        ({"action": {"type": "order", "orders": [{}] * 39}}, 39 * 200, 1),
        ({"action": {"type": "order", "orders": [{}] * 79}}, 79 * 200, 2),
        ({"action": {"type": "cancel", "cancels": [{}] * 80}}, 80 * 25, 3),
        ({"action": {"type": "noop"}}, 300, 1),
        ({"action": {"type": "noop", "x": [1] * 64_000}}, 16 * 8_192, 17),  # 40 ms of packing and unpacking
        ({"action": {"type": "order", "orders": [[1] * 64_000]}}, 16 * 8_192, 17),
        ({"action": {"orders": 5}}, 300, 1),
        ({"action": None}, 300, 1),
        ([], 2, 1),
    ],
)
def test_an_action_costs_one_and_one_more_per_forty_or_per_8_KiB(body: Any, size: int, expected: int) -> None:
    """Forty modifies with ids of their clients have 7.7 kB as the SDK writes them."""
    assert action_weight(body, size) == expected


@pytest.mark.parametrize(("size", "weight", "threads"), [(300, 0, 0), (8_192, 4, 0), (65_536, 32, 1)])
def test_an_action_sent_as_a_transaction_costs_what_it_costs_as_json_and_a_large_one_is_read_in_a_thread(
    size: int, weight: int, threads: int
) -> None:
    """1,000 orders of 48 bytes: 1 + 23 there, 1 + 25 as JSON."""
    spent: list[int] = []
    begun: list[int] = []

    async def submit_signed(action: Any) -> Any:
        assert action == ("read", bytes.fromhex("70") * size)
        return SimpleNamespace(status="executed", tx_hash=action[1][:32])

    async def in_thread(work: Any) -> Any:
        begun.append(1)
        return work()

    node = SimpleNamespace(read=lambda data: ("read", data), submit_signed=submit_signed)
    backend = SimpleNamespace(node=node, reads=SimpleNamespace(in_thread=in_thread))
    context = Context(backend, Caller.PROGRAM, SimpleNamespace(spend=spent.append))  # type: ignore[arg-type]
    asyncio.run(send_raw_transaction(context, "0x" + "70" * size))
    assert (sum(spent), len(begun)) == (weight, threads)


def test_a_large_body_is_paid_for_before_it_is_read_and_a_small_one_is_free() -> None:
    purse = RateLimits(60, clock=lambda: 0.0).purse("203.0.113.5")
    purse.admit(32 * 1024 - 1)
    purse.spend(59)
    purse.admit(1024 * 1024)  # one is left, and 32 are taken
    with pytest.raises(LimitExceeded, match="try again in 32 s"):  # -31 at one a second
        purse.admit(32 * 1024)
    purse.admit(100)


@pytest.mark.parametrize(("block", "expected"), [("latest", 0), ("pending", 0), ("0x9", 0), ("0x8", 19)])
def test_a_state_that_must_be_put_together_first_costs_as_much_as_a_call(block: str, expected: int) -> None:
    """The newest block is 9. A thousand such reads in one body, a weight of 1 each, took minutes."""
    reads = SimpleNamespace(number=lambda wanted: wanted.number, head_number=lambda: 9)
    spent: list[int] = []
    backend, purse = SimpleNamespace(reads=reads), SimpleNamespace(spend=spent.append)
    context = Context(backend, Caller.PROGRAM, purse)  # type: ignore[arg-type]
    assert context.old_state(block_id(block)) == block_id(block)
    assert sum(spent) == expected


@pytest.mark.parametrize(
    ("size", "weight", "threads"), [(8_191, 0, 0), (65_536, 8, 0), (65_537, 8, 1), (2_115_300, 258, 1)]
)
def test_who_reads_of_a_block_pays_by_its_bytes_and_a_large_one_is_decoded_in_a_thread(
    size: int, weight: int, threads: int
) -> None:
    """One transaction may have 44,000 logs, 1 MB; reading whatever is in its block took 0.1 s for a weight of 1."""
    archive = SimpleNamespace(
        place_of=lambda tx_hash: EthereumPlace(7, 1),
        records_size=lambda number: size,
        placed_steps=lambda number, index: at_once(lambda: ("first", "second")[index])(),
    )
    begun: list[int] = []

    async def in_thread(work: Any) -> Any:
        begun.append(1)
        return work()

    reads = SimpleNamespace(
        archive=archive, header=lambda wanted: SimpleNamespace(number=wanted.number), in_thread=in_thread
    )
    spent: list[int] = []
    backend, purse = SimpleNamespace(reads=reads), SimpleNamespace(spend=spent.append)
    context = Context(backend, Caller.PROGRAM, purse)  # type: ignore[arg-type]
    shown = at_once(lambda header, row: (header.number, row))
    found = asyncio.run(context.of_transaction(bytes(32), shown))
    assert found == (7, "second")  # type: ignore[comparison-overlap]
    assert (sum(spent), len(begun)) == (weight, threads)


@pytest.mark.parametrize(
    ("kind", "argument", "weight"),
    [
        ("block", "7", 118),
        ("block", "latest", 118),
        ("tx", "0x" + "77" * 32, 118),
        ("tx", "0x" + "88" * 32, 0),
    ],
)
def test_a_page_of_the_explorer_that_reads_a_block_whole_is_paid_for_by_its_bytes(
    kind: str, argument: str, weight: int
) -> None:
    """972,257 bytes of 40,500 logs are 118 x 8,192 and some; a page of them took 1 s of a thread for 40, as any does.
    An action (0x88...) is in no block that is read."""
    archive = SimpleNamespace(
        place_of=lambda tx_hash: EthereumPlace(7, 0) if tx_hash == b"\x77" * 32 else ActionPlace(3, 0),
        records_size=lambda number: 972_257 if number == 7 else 0,
    )
    node = SimpleNamespace(
        archive=archive,
        storage=SimpleNamespace(log=None),
        genesis=SimpleNamespace(federation=None),
        network=SimpleNamespace(chain_id=1),
    )
    data = SimpleNamespace(view=SimpleNamespace(head=SimpleNamespace(number=7)))
    spent: list[int] = []

    async def in_thread(work: Any) -> Any:
        assert sum(spent) == weight  # before it is read
        return 0.0, ({},)

    explorer = Explorer(node, None, in_thread, data, None, None)  # type: ignore[arg-type]
    asyncio.run(explorer.get(f"{kind}/{argument}", SimpleNamespace(spend=spent.append)))  # type: ignore[arg-type]
    assert sum(spent) == weight


@pytest.mark.parametrize("send", [send_raw_transaction, send_raw_transaction_sync])
def test_a_transaction_that_is_too_large_is_refused_before_its_hex_is_read(
    send: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1 MiB took 40 ms of the event loop, for a weight of 32."""

    def never(raw: Any) -> bytes:
        raise AssertionError("read")

    monkeypatch.setattr(send_methods, "read_bytes", never)
    raw = "0x" + "02" * (128 * 1024)
    with pytest.raises(RpcError, match="transaction size 131073, limit 131072"):
        asyncio.run(send(None, raw + "02"))
    with pytest.raises(AssertionError, match="read"):  # as many bytes as geth allows
        asyncio.run(send(None, raw))
    with pytest.raises(AssertionError, match="read"):  # a blob transaction, to be refused by its type
        asyncio.run(send(None, "0x03" + "02" * (128 * 1024)))
