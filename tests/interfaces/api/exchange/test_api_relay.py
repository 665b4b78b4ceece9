"""An order that comes through the API costs one signature recovery, and a false signer is refused."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.api.exchange.actions import ActionHandler
from coinone.interfaces.client import actions
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.signing import Domain, Signer, sign_action
from coinone.node.networks import load_network
from coinone.node.node import Node
from coinone.rules.exchange.actions import decode, from_json, verify
from coinone.rules.exchange.actions.from_json import envelopes_from_json
from coinone.rules.exchange.wire import encode_envelope

NETWORK = load_network("dev")


async def at_once(work: Callable[[], Any]) -> Any:
    return work()


@pytest.fixture
def recovered(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The digests from which a signer was recovered, one for each recovery (the dev oracle's among them)."""
    digests: list[bytes] = []
    recover = verify.recover

    def counted(digest: bytes, r: int, s: int, v: int) -> bytes:
        digests.append(digest)
        return recover(digest, r, s, v)

    monkeypatch.setattr(verify, "recover", counted)
    return digests


def body_of(node: Node, key: bytes, turn: int, domain: Domain | None = None) -> dict[str, Any]:
    order = actions.order([actions.Order(0, True, "0.001", "90000")])
    chosen = domain or Domain.coinone(NETWORK.chain_id)
    return sign_action(Signer(key), chosen, order, at_ms=node.view.time_ms + turn)


def raw_of(node: Node, body: dict[str, Any]) -> bytes:
    return encode_envelope(envelopes_from_json(body, node.domain_rules)[0])


def test_a_signer_is_recovered_once_for_each_order(node: Node, recovered: list[bytes]) -> None:
    bodies = [body_of(node, dev_keys()[0], turn) for turn in range(5)]
    digests = [verify.verify_raw(raw_of(node, body), node.domain_rules).digest for body in bodies]
    recovered.clear()

    async def trade() -> list[Any]:
        relay = ActionHandler(node, at_once)
        return [await relay.act(body, 300) for body in bodies]

    answers = asyncio.run(trade())
    assert [answer["status"] for answer in answers] == ["ok"] * 5, answers
    assert [recovered.count(digest) for digest in digests] == [1] * 5


def test_the_node_verifies_bytes_that_come_from_anybody_else(node: Node, recovered: list[bytes]) -> None:
    raw = raw_of(node, body_of(node, dev_keys()[0], 1))
    digest = verify.verify_raw(raw, node.domain_rules).digest
    recovered.clear()
    forged = raw.replace(b"90000", b"91000")
    assert len(forged) == len(raw) and forged != raw
    with pytest.raises(InvalidInput, match="does not exist"):  # whoever that signature makes of it
        asyncio.run(node.submit(forged))
    assert asyncio.run(node.submit(raw)).status == "executed"
    assert recovered.count(digest) == 1


def test_an_order_of_another_chain_is_refused_by_the_relay(node: Node) -> None:
    foreign = body_of(node, dev_keys()[0], 1, Domain.coinone(NETWORK.chain_id + 1))
    answer = asyncio.run(ActionHandler(node, at_once).act(foreign, 300))
    assert answer["status"] == "err" and "does not exist" in answer["response"]


def test_a_signers_first_order_waits_for_no_question(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind strangers' questions the answer to a first order came after 31.9 s, or was lost."""

    async def jammed(question: Any) -> Any:
        raise AssertionError("an order asked a question")

    monkeypatch.setattr(node, "query", jammed)
    answer = asyncio.run(ActionHandler(node, at_once).act(body_of(node, dev_keys()[0], 1), 300))
    assert answer["status"] == "ok"


def foreign_spelling(node: Node, orders: int) -> dict[str, Any]:
    """A stranger's orders with a builder, which the quick reader leaves to the other."""
    order = actions.order([actions.Order(0, True, "0.001", "90000")] * orders)
    order["builder"] = {"b": "0x" + "11" * 20, "f": 1}
    domain = Domain.coinone(NETWORK.chain_id)
    return sign_action(Signer(b"\x07" * 32), domain, order, at_ms=node.view.time_ms + 1)


def test_an_action_of_an_unknown_signer_is_read_once_for_all_its_sources(
    node: Node, recovered: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """1,000 orders took 30 ms each time."""
    reads: list[bytes] = []
    read = decode.decode_l1

    def counted(data: bytes) -> Any:
        reads.append(data)
        return read(data)

    monkeypatch.setattr(decode, "decode_l1", counted)
    body = foreign_spelling(node, 3)
    candidates = envelopes_from_json(body, node.domain_rules)
    mine = {verify.verify_raw(encode_envelope(one), node.domain_rules).digest for one in candidates}
    recovered.clear()
    reads.clear()
    answer = asyncio.run(ActionHandler(node, at_once).act(body, 300))
    assert "does not exist" in answer["response"]
    assert len(mine) == 3 and mine <= set(recovered)  # a digest for each source, each with its own signer
    assert len(reads) == 1


@pytest.mark.parametrize(
    ("orders", "threads"), [(160, 0), (200, 1)]
)  # of some 48 bytes each: below and above 8 KiB
def test_a_large_action_in_another_spelling_is_packed_and_read_beside_the_event_loop(
    node: Node, orders: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, works = [0], []

    async def in_thread(work: Callable[[], Any]) -> Any:
        inside[0] += 1
        try:
            return work()
        finally:
            inside[0] -= 1

    def noted(work: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def run(data: Any) -> Any:
            works.append((work.__name__, inside[0]))
            return work(data)

        return run

    body = foreign_spelling(node, orders)
    monkeypatch.setattr(from_json, "pack", noted(from_json.pack))
    monkeypatch.setattr(decode, "decode_l1", noted(decode.decode_l1))
    relay = ActionHandler(node, in_thread)
    answer = asyncio.run(relay.act(body, len(json.dumps(body))))
    assert "does not exist" in answer["response"]
    assert works == [("pack", threads), ("decode_l1", threads)]


def test_a_large_action_in_the_common_spelling_needs_no_thread(node: Node) -> None:
    async def never(work: Callable[[], Any]) -> Any:
        raise AssertionError("in a thread")

    order = actions.order([actions.Order(0, True, "0.001", "90000")] * 1000)
    body = sign_action(
        Signer(b"\x07" * 32), Domain.coinone(NETWORK.chain_id), order, at_ms=node.view.time_ms + 1
    )
    assert "does not exist" in asyncio.run(ActionHandler(node, never).act(body, 90_000))["response"]
