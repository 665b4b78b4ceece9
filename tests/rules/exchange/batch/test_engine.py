"""Signed bytes in, answers out: the whole path, and that it is the same in every process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from hyperliquid.utils import signing as sdk

from coinone.base.crypto.keccak import keccak256
from coinone.rules.exchange.actions.from_json import envelopes_from_json
from coinone.rules.exchange.actions.verify import verify_action, verify_raw
from coinone.rules.exchange.context import BatchContext
from coinone.rules.exchange.engine import apply_exchange
from coinone.rules.exchange.state.leaves import all_leaves
from coinone.rules.exchange.wire import encode_envelope
from coinone.rules.ledger.crossings import Deposit

WALLET = Account.from_key("0x" + "42" * 32)


def relayed(w: Any, action: dict[str, Any]) -> bytes:
    """What a relay makes of an SDK request: the candidate whose signer the exchange knows."""
    w.nonce += 1
    signature = sdk.sign_l1_action(WALLET, action, None, w.nonce, None, False)
    body = json.loads(json.dumps({"action": action, "nonce": w.nonce, "signature": signature}))
    candidates = envelopes_from_json(body, w.config.domain_rules)
    known = [tx for tx in candidates if w.ex.knows(verify_action(tx, w.config.domain_rules).signer)]
    assert len(known) == 1
    return encode_envelope(known[0])


def test_an_order_signed_by_the_sdk_trades(world: Callable[..., Any]) -> None:
    w = world({1: 100_000})
    me = bytes.fromhex(WALLET.address[2:])
    w.batch(w.sell(1, 0.1, 50_010), deposits=(Deposit(me, 5_000 * 10**6),))
    order = {
        "coin": "BTC", "is_buy": True, "sz": 0.05, "limit_px": 50_020.0, "reduce_only": False,
        "order_type": {"limit": {"tif": "Ioc"}},
    }  # fmt: skip
    action = sdk.order_wires_to_order_action([sdk.order_request_to_order_wire(order, 0)])
    raw = relayed(w, action)
    w.batch(verify_raw(raw, w.config.domain_rules))
    assert w.status()["filled"]["avgPx"] == "50010.0"
    w.batch(verify_raw(raw, w.config.domain_rules))
    assert w.last.outcomes[0].status == "excluded"


def test_a_fault_inside_leaves_nothing_behind(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    w = world({1: 100_000, 2: 100_000})
    w.batch(w.sell(1, 0.5, 50_000))
    before = dict(all_leaves(w.ex))

    def broken(*_: object) -> None:
        raise AssertionError("found out late")

    monkeypatch.setattr("coinone.rules.exchange.engine.check_batch", broken)
    with pytest.raises(AssertionError, match="found out late"):
        w.batch(w.buy(2, 0.2, 50_000), deposits=(Deposit(bytes([7]) * 20, 10**9),))
    monkeypatch.undo()
    assert dict(all_leaves(w.ex)) == before
    w.seq, w.now = w.seq - 1, w.now - 250
    w.batch(w.buy(2, 0.2, 50_000))
    assert w.position(2) == 20_000


def test_batch_time_must_rise(world: Callable[..., Any]) -> None:
    w = world({1: 100})
    with pytest.raises(AssertionError, match="batch time rises"):
        apply_exchange(w.ex, BatchContext(w.seq + 1, w.now, keccak256(b"")), ())


SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
from conftest import World
w = World({{n: 5_000 * n for n in range(1, 9)}})
w.oracle(btc=50_000, eth=3_000)
w.batch()
digests = []
for n in range(30):
    prices = [50_000 + (n * 7 + k * 3) % 40 - 20 for k in range(1, 8)]
    actions = [w.order(1 + (n * k) % 8, (n + k) % 2 == 0, 0.05 * k, px) for k, px in enumerate(prices, 1)]
    w.oracle(btc=50_000 - 150 * n)
    digests.append(w.batch(*actions, w.cancel(3, oid=n + 1)).digest)
print(b"".join(digests).hex())
"""


def test_another_process_with_another_hash_seed_computes_the_same() -> None:
    folder = str(Path(__file__).parents[1])
    script = SCRIPT.format(folder=folder)
    outputs = set()
    for seed, language in (("1", "C"), ("2", "de_DE.UTF-8")):
        environment = {
            "PYTHONHASHSEED": seed,
            "LC_ALL": language,
            "TZ": "Asia/Kolkata",
            "PATH": "",
            "HOME": str(Path.home()),
        }
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True,
            cwd=Path(__file__).parents[4],
        )  # fmt: skip
        outputs.add(done.stdout)
    assert len(outputs) == 1 and len(outputs.pop()) > 64 * 30
