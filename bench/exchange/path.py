"""Orders per second and core from signed bytes to new state: verify, decode, match, margin, leaves.

Signed actions of 1 to 200 orders each, from 100 accounts, half of them crossing; a thousand orders a batch. Costs
are CPU time: recovering signers and decoding (stateless), and executing the batch with all its checks in place.
The last columns are what a node does with the result in addition if it is read: all answers, the rows of the history.
"""

import gc
import time
from itertools import pairwise
from statistics import median

import msgspec

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.secp256k1 import address_of, sign
from coinone.base.forms.domains import own_source
from coinone.base.forms.exchange import l1_digest
from coinone.base.primitives.parse import format_decimal
from coinone.node.storage.history.events import BatchHistory
from coinone.rules.exchange.actions.verify import verify_raw
from coinone.rules.exchange.context import BatchContext
from coinone.rules.exchange.engine import apply_exchange
from coinone.rules.exchange.instruments.config import ExchangeConfig, MarketConfig
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.exchange.wire.envelope import encode_envelope
from coinone.rules.exchange.wire.types import L1Envelope, OracleReport

CHAIN_ID = 926002
START_MS = 1_750_000_000_000
ACCOUNTS = 100
ORDERS_PER_BATCH = 1_000
BATCHES = 8
MARK = 970_000  # BTC at 97,000 in units of 0.1
KEYS = [keccak256(b"bench" + bytes((number,))) for number in range(ACCOUNTS)]


def new_exchange() -> Exchange:
    balances = tuple((address_of(key), 10**15) for key in KEYS)
    market = MarketConfig("BTC", 5, 50, initial_mark=MARK)
    config = ExchangeConfig(CHAIN_ID, True, True, (market,), (address_of(KEYS[0]),), balances=balances)
    return Exchange.from_genesis(config, START_MS)


def order(number: int) -> dict[str, object]:
    price = MARK // 10 + (number * 7919 % 40 - 20)
    return {
        "a": 0,
        "b": number % 2 == 0,
        "p": str(price),
        "s": format_decimal(100 + number % 50, 5),
        "r": False,
        "t": {"limit": {"tif": "Gtc"}},
    }


def make_batches(per_action: int) -> list[list[bytes]]:
    source, batches, number = own_source(CHAIN_ID), [], 0
    for batch in range(BATCHES):
        raws = []
        for action in range(ORDERS_PER_BATCH // per_action):
            orders = [order(number + place) for place in range(per_action)]
            number += per_action
            data = msgspec.msgpack.encode({"type": "order", "orders": orders, "grouping": "na"})
            nonce = START_MS + batch * 1_000 + action
            r, s, v = sign(l1_digest(data, nonce, None, None, source), KEYS[action % ACCOUNTS])
            raws.append(encode_envelope(L1Envelope(data, nonce, None, None, source, r, s, v)))
        batches.append(raws)
    return batches


def measure(per_action: int) -> tuple[float, ...]:
    """Median microseconds an order: (verify and decode, execute, answers, history)."""
    exchange, taken, fills = new_exchange(), [], 0
    rules = exchange.config.domain_rules
    for seq, raws in enumerate(make_batches(per_action), 1):
        gc.collect()
        begun = time.process_time()
        actions = [verify_raw(raw, rules) for raw in raws]
        verified = time.process_time()
        now = START_MS + seq * 1_000
        price = OracleReport(address_of(KEYS[0]), now, ((0, MARK),), bytes(32))
        context = BatchContext(seq, now, keccak256(bytes((seq,))), oracle=(price,))
        result = apply_exchange(exchange, context, actions)
        executed = time.process_time()
        answers = [outcome.response for outcome in result.outcomes]
        answered = time.process_time()
        history = BatchHistory(seq, result.events)
        assert history.rows and history.candles, "a batch of trades has both"
        told = time.process_time()
        assert all(answer is not None for answer in answers), result.outcomes[0]
        fills += sum(1 for _ in result.events.fills())
        times = (begun, verified, executed, answered, told)
        taken.append([(after - before) * 1e6 / ORDERS_PER_BATCH for before, after in pairwise(times)])
    assert fills > BATCHES * 10, "hardly anything traded, so nothing was measured"
    return tuple(map(median, zip(*taken[1:], strict=True)))


def main() -> None:
    print("orders per action   verify us   execute us   orders/s/core   answers us   history us")
    for per_action in (1, 10, 40, 200):
        verify, execute, answers, history = measure(per_action)
        rate = 1e6 / (verify + execute)
        print(f"{per_action:17}{verify:12.2f}{execute:13.2f}{rate:16,.0f}{answers:13.2f}{history:13.2f}")


if __name__ == "__main__":
    main()
