"""An order that comes through the API costs one signature recovery, and a lie about its signer gets nowhere."""

import asyncio
from typing import Any

import pytest

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.api.exchange.relay import Relay
from coinone.interfaces.api.queries import Queries
from coinone.interfaces.client import actions
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.signing import Domain, Signer, sign_action
from coinone.node.runtime.networks import load_network
from coinone.node.runtime.node import Node
from coinone.rules.exchange.wire import encode_envelope, envelopes_from_json, verify

NETWORK = load_network("dev")


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
        relay = Relay(node, Queries(node))
        return [await relay.act(body) for body in bodies]

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
    answer = asyncio.run(Relay(node, Queries(node)).act(foreign))
    assert answer["status"] == "err" and "does not exist" in answer["response"]
