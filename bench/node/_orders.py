"""Resting orders of the busy network's accounts, far from the price, so that none of them trades."""

from collections.abc import Iterator
from itertools import islice

import msgspec

from bench.node._transfers import BusyChain, sender_keys
from coinone.base.crypto.secp256k1 import sign
from coinone.base.forms.domains import own_source
from coinone.base.forms.exchange import l1_digest
from coinone.node.roles.reporter import report_prices
from coinone.rules.exchange.wire.envelope import encode_envelope
from coinone.rules.exchange.wire.types import L1Envelope

PER_ACTION = 40
ACTIONS_PER_BATCH = 200
PRICES = 500  # levels that they rest on


def place_orders(busy: BusyChain, count: int) -> None:
    """Close batches with `count` orders together."""
    core, network = busy.core, busy.network
    prices = tuple((place, market.start_price) for place, market in enumerate(network.markets))
    actions = _signed(network.chain_id, core.chain.cursor.time_ms, count // PER_ACTION)
    while True:
        now = core.chain.cursor.time_ms + network.batches.interval_ms
        report_prices(core, now, prices, busy.secrets.reporter)
        part = list(islice(actions, ACTIONS_PER_BATCH))
        for raw in part:
            core.add_action(raw, core.chain.verify(raw), lambda outcome: None)
        core.close_batch(now)
        if not part:
            break
    assert core.chain.exchange.rows.live_orders == count, "an order was refused"


def _signed(chain_id: int, now_ms: int, actions: int) -> Iterator[bytes]:
    keys, source = sender_keys(), own_source(chain_id)
    for number in range(actions):
        orders = [_order(number * PER_ACTION + place) for place in range(PER_ACTION)]
        data = msgspec.msgpack.encode({"type": "order", "orders": orders, "grouping": "na"})
        r, s, v = sign(l1_digest(data, now_ms + number, None, None, source), keys[number % len(keys)])
        yield encode_envelope(L1Envelope(data, now_ms + number, None, None, source, r, s, v))


def _order(number: int) -> dict[str, object]:
    price = 90_000 + number * 7_919 % PRICES
    return {"a": 0, "b": True, "p": str(price), "s": "0.001", "r": False, "t": {"limit": {"tif": "Gtc"}}}
