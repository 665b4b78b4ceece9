"""Waiting transactions are returned in bounded answers, made in parts and charged by number and bytes."""

import asyncio
from collections import deque
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from eth_account import Account

from coinone.base.primitives.errors import LimitExceeded
from coinone.interfaces.api.admission.sender import NOBODY, Sender
from coinone.interfaces.api.admission.weights import TokenBucket
from coinone.interfaces.api.ethereum.chain import parts
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.json.errors import RpcError
from coinone.interfaces.api.ethereum.methods import blocks as block_methods
from coinone.interfaces.api.ethereum.methods import logs as log_methods
from coinone.interfaces.api.ethereum.methods import txpool as txpool_methods
from coinone.interfaces.api.http import jsonio
from coinone.interfaces.api.http.asgi import HttpError
from coinone.interfaces.api.http.guard import Caller

KEY = "0x" + "22" * 32
ADDRESS: str = Account.from_key(KEY).address
LARGE = 131_072 - 512  # bytes of data, so that a transaction is 128 KiB but for less than 512 bytes


def transaction(nonce: int, size: int = 0) -> bytes:
    """Of the oldest form: nonce, price, gas, receiver, value, data, and a signature: 110 bytes or so beside data."""
    fields = {
        "nonce": nonce,
        "gasPrice": 1,
        "gas": 21_000,
        "to": "0x" + "11" * 20,
        "value": nonce,
        "chainId": 1,
    }
    return bytes(Account.sign_transaction({**fields, "data": bytes(size)}, KEY).raw_transaction)


class Pool:
    """Of one sender, whose first 64 transactions can run."""

    def __init__(self, raws: list[bytes]) -> None:
        sender = bytes.fromhex(ADDRESS[2:])
        self._waiting = [SimpleNamespace(sender=sender, nonce=n, raw=raw) for n, raw in enumerate(raws)]

    def pending(self) -> Any:
        return iter(self._waiting)

    def of(self, sender: bytes) -> list[Any]:
        return self._waiting

    def next_nonce(self, sender: bytes, state_nonce: int) -> int:
        return 64

    def get(self, tx_hash: bytes) -> Any:
        return self._waiting[tx_hash[0]]


class Asked:
    """A node with this pool, asked by one address; `threads` counts the parts of what is answered."""

    def __init__(self, raws: list[bytes], weight: int = 100_000, sender: Sender = NOBODY) -> None:
        self.threads, self._weight = 0, weight
        pool = Pool(raws)

        async def query(read: Any) -> Any:
            await asyncio.sleep(0)
            return read(SimpleNamespace(pool=pool))

        archive = SimpleNamespace(place_of=lambda tx_hash: None)
        reads = SimpleNamespace(query=query, in_thread=self._in_thread, archive=archive)
        backend: Any = SimpleNamespace(reads=reads)
        self.context = Context(backend, Caller.PROGRAM, TokenBucket(weight, lambda: 0.0), sender=sender)

    @property
    def spent(self) -> int:
        return round(self._weight - self.context.purse._held)

    async def _in_thread(self, work: Any) -> Any:
        self.threads += 1
        await asyncio.sleep(0)
        return work()

    def ask(self, name: str, *params: Any) -> Any:
        """The answer as a client reads it."""
        found = asyncio.run(getattr(txpool_methods, name)(self.context, *params))
        return msgspec.json.decode(jsonio.encode(found))


@pytest.fixture(autouse=True)
def short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """One transaction each."""
    monkeypatch.setattr(parts, "PART_S", 0.0)


@pytest.mark.parametrize("name", ["content", "inspect", "pending_transactions"])
def test_what_waits_is_shown_in_parts_and_paid_for_by_number(name: str) -> None:
    """5,000 of them were one job of 0.3 s, for the weight of none. 128 cost two, and their 14 KB of content one."""
    asked = Asked([transaction(n) for n in range(128)])
    shown = asked.ask(name)
    if name == "pending_transactions":
        assert [int(each["nonce"], 16) for each in shown] == list(range(128))
    else:
        assert [len(shown[kind][ADDRESS]) for kind in ("pending", "queued")] == [64, 64]
    assert asked.threads > 100
    assert asked.spent == 2 + (name != "inspect")


@pytest.mark.parametrize(
    ("name", "params"), [("content", []), ("pending_transactions", []), ("content_from", [ADDRESS])]
)
def test_what_waits_is_paid_for_by_its_bytes(name: str, params: list[str]) -> None:
    """448 transactions of 128 KB, placed for nothing, were 117 MB of an answer for a weight of 27: 40 such calls a
    minute. 8 of them are less than 1 MiB by 8 times 400 bytes: 127 times 8 KiB."""
    asked = Asked([transaction(n, LARGE) for n in range(8)])
    asked.ask(name, *params)
    assert asked.spent == 127


@pytest.mark.parametrize("name", ["content", "pending_transactions"])
def test_more_than_one_answer_holds_is_refused_with_the_way_out(name: str) -> None:
    """33 transactions of 127.5 KiB are more than 4 MiB."""
    asked = Asked([transaction(n, LARGE) for n in range(33)])
    with pytest.raises(RpcError, match="txpool_inspect names all senders, txpool_contentFrom shows"):
        asked.ask(name)
    assert (asked.threads, asked.spent) == (0, 0)
    assert len(asked.ask("inspect")["pending"][ADDRESS]) == 33
    assert asked.spent == 2, "looked through: 1 for each 2 MiB"


@pytest.mark.parametrize("name", ["content", "inspect", "pending_transactions"])
def test_more_transactions_than_one_answer_holds_are_not_cut_in_silence(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(txpool_methods, "POOL_SHOWN_MAX", 127)
    asked = Asked([transaction(n) for n in range(128)])
    with pytest.raises(RpcError, match=r"\(127 transactions\): txpool_contentFrom shows"):
        asked.ask(name)
    assert (asked.threads, asked.spent) == (0, 2), "they were walked through"


def test_of_many_who_ask_at_once_only_those_are_answered_whose_weight_is_left() -> None:
    """Each is let in before the first has paid: 12 at once took a node from 1.0 to 2.6 GB. One costs 127 here."""
    asked = Asked([transaction(n, LARGE) for n in range(8)], weight=200)

    async def all_at_once() -> list[Any]:
        calls = [txpool_methods.content(asked.context) for _ in range(12)]
        return await asyncio.gather(*calls, return_exceptions=True)

    answers = asyncio.run(all_at_once())
    assert [isinstance(each, LimitExceeded) for each in answers] == [False] * 2 + [True] * 10
    assert asked.spent == 2 * 127


def test_who_leaves_is_not_shown_the_rest() -> None:
    async def left() -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    asked = Asked([transaction(n) for n in range(128)], sender=Sender(left=left))
    with pytest.raises(HttpError, match="client left"):
        asked.ask("content")
    assert asked.threads < 20


def test_one_transaction_that_waits_is_paid_for_by_its_bytes() -> None:
    asked = Asked([transaction(0, LARGE)])
    shown = asyncio.run(block_methods.get_transaction(asked.context, "0x" + "00" * 32))
    assert shown is not None and len(shown["input"]) == 2 + 2 * LARGE
    assert asked.spent == 15, "128 KiB but for 400 bytes, by 8 KiB"


def test_a_poll_for_whole_transactions_pays_by_their_bytes() -> None:
    """4 MiB of them cost nothing, and 64 polls at once were 64 times 8 MB."""
    asked = Asked([transaction(n, LARGE) for n in range(40)], weight=200)
    waiting: deque[Any] = deque()
    told: list[Any] = [bytes([n]) * 32 for n in range(40)]
    found = asyncio.run(log_methods._whole(asked.context, waiting, told))
    assert (len(found), list(waiting)) == (32, told[32:])
    assert asked.spent == 512, "4 MiB are the most of one answer"
    with pytest.raises(LimitExceeded):
        asyncio.run(log_methods._whole(asked.context, waiting, told[:4]))
    assert list(waiting) == [*told[:4], *told[32:]], "they wait for the next poll"
