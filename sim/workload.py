"""Simulated traders who send random actions, and remember every answer they got.

Each run draws its own mix of actions, since a workload that is always the same finds always the same errors. An
answer is a promise: `answered` is compared with the chain at the end.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from coinone.base.crypto.hd import ethereum_keys
from coinone.base.crypto.secp256k1 import address_of, sign
from coinone.base.forms.domains import OWN_CHAIN, own_source
from coinone.base.forms.ethereum import EthereumTransaction
from coinone.base.forms.exchange import l1_digest, user_digest
from coinone.base.forms.user_signed import user_signed
from coinone.base.primitives.errors import CoinoneError, InvalidInput
from coinone.base.primitives.parse import format_bytes, format_decimal
from coinone.base.primitives.types import Address, Hash32
from coinone.interfaces.client.ethereum import Transaction, transfer_data
from coinone.node.executor.core import Core
from coinone.node.views.published import BatchOutcome
from coinone.rules.chain.transactions import verify_transaction
from coinone.rules.exchange.wire.envelope import encode_envelope
from coinone.rules.exchange.wire.types import L1Envelope, UserEnvelope, VerifiedAction
from sim.world import World

MNEMONIC = "test test test test test test test test test test test junk"
GAS = 90_000


@dataclass(slots=True)
class Answers:
    """What the traders were told."""

    executed: dict[Hash32, int] = field(default_factory=dict)  # transaction -> batch it was said to be in
    refused: int = 0  # on entry, or skipped
    lost: int = 0  # the node died before it answered


@dataclass(slots=True)
class Trader:
    key: bytes
    address: Address
    nonce: int = 0
    ethereum_nonce: int | None = None  # unknown after the node was down
    oids: list[int] = field(default_factory=list)


class Workload:
    busy = 6  # the most actions of a step

    def __init__(self, world: World, traders: int = 10) -> None:
        self.answers = Answers()
        self._world = world
        self._dice = world.random
        keys = ethereum_keys(MNEMONIC, traders)
        self._traders = [Trader(key, address_of(key)) for key in keys]
        kinds: list[Callable[[Core, Trader], None]] = [
            self._order,
            self._order,
            self._order,
            self._cancel,
            self._send,
            self._withdraw,
            self._deposit,
        ]
        chosen = [kind for kind in kinds if self._dice.random() < 0.8]
        self._kinds = chosen or kinds

    def step(self, core: Core) -> None:
        """A few traders act."""
        for _ in range(self._dice.randint(0, self.busy)):
            trader = self._dice.choice(self._traders)
            try:
                self._dice.choice(self._kinds)(core, trader)
            except CoinoneError:
                self.answers.refused += 1

    def node_died(self) -> None:
        """Nobody knows what became of the Ethereum transactions that waited: ask for the nonces again."""
        for trader in self._traders:
            trader.ethereum_nonce = None

    def _order(self, core: Core, trader: Trader) -> None:
        market = self._dice.randrange(len(core.chain.network.markets))
        spec = core.chain.network.markets[market]
        mark = int(core.chain.exchange.rows.markets["mark"][market])
        price = mark * self._dice.randint(9_900, 10_100) // 10_000
        step = 10 ** max(0, len(str(price)) - 5)  # five significant figures
        order = {
            "a": market,
            "b": self._dice.random() < 0.5,
            "p": format_decimal(price // step * step, spec.px_decimals),
            "s": format_decimal(
                self._dice.randint(1, 300) * 10**spec.sz_decimals // 1_000 or 1, spec.sz_decimals
            ),
            "r": self._dice.random() < 0.1,
            "t": {"limit": {"tif": self._dice.choice(["Gtc", "Gtc", "Ioc", "Alo"])}},
        }
        self._act(core, trader, {"type": "order", "orders": [order], "grouping": "na"})

    def _cancel(self, core: Core, trader: Trader) -> None:
        if trader.oids:
            oid = trader.oids.pop(self._dice.randrange(len(trader.oids)))
            self._act(core, trader, {"type": "cancel", "cancels": [{"a": self._dice.randrange(3), "o": oid}]})

    def _send(self, core: Core, trader: Trader) -> None:
        other = self._dice.choice(self._traders).address
        self._sign_fields(
            core, trader, "UsdSend", {"destination": format_bytes(other), "amount": self._amount()}
        )

    def _withdraw(self, core: Core, trader: Trader) -> None:
        token = core.chain.network.quote_token
        fields = {
            "destination": format_bytes(token.system_address),
            "token": f"{token.name}:{format_bytes(token.address)}",
            "amount": self._amount(),
        }
        self._sign_fields(core, trader, "SpotSend", fields)

    def _deposit(self, core: Core, trader: Trader) -> None:
        token = core.chain.network.quote_token
        data = transfer_data(token.system_address, self._dice.randint(1, 20_000_000))
        self._call(core, trader, token.address, data)

    def _call(self, core: Core, trader: Trader, to: Address | None, data: bytes, gas: int = GAS) -> None:
        """Send an Ethereum transaction; without `to` it makes a contract."""
        network = core.chain.network
        if trader.ethereum_nonce is None:
            trader.ethereum_nonce = core.chain.state.nonce(trader.address)
        raw = Transaction(
            network.chain_id, trader.ethereum_nonce, 0, 2 * network.base_fee, gas, to, 0, data
        ).sign(trader.key)
        tx = verify_transaction(raw, core.chain.exchange.config.domain_rules)
        assert isinstance(tx, EthereumTransaction)
        core.add_ethereum(raw, tx)
        trader.ethereum_nonce += 1

    def _amount(self) -> str:
        return format_decimal(self._dice.randint(1, 200_000_000), 6)

    def _next_nonce(self, core: Core, trader: Trader) -> int:
        trader.nonce = max(trader.nonce + 1, core.chain.cursor.time_ms)
        return trader.nonce

    def _act(self, core: Core, trader: Trader, action: dict[str, Any]) -> None:
        data = msgspec.msgpack.encode(action)
        nonce, source = self._next_nonce(core, trader), own_source(core.chain.network.chain_id)
        r, s, v = sign(l1_digest(data, nonce, None, None, source), trader.key)
        self._submit(core, trader, encode_envelope(L1Envelope(data, nonce, None, None, source, r, s, v)))

    def _sign_fields(self, core: Core, trader: Trader, name: str, given: dict[str, Any]) -> None:
        chain_id = core.chain.network.chain_id
        nonce = self._next_nonce(core, trader)
        values = {**given, "hyperliquidChain": OWN_CHAIN, "time": nonce, "nonce": nonce}
        form = user_signed(name)
        r, s, v = sign(user_digest(form, values, chain_id), trader.key)
        envelope = UserEnvelope(name, form.encode(values), chain_id, r, s, v)
        self._submit(core, trader, encode_envelope(envelope))

    def _submit(self, core: Core, trader: Trader, raw: bytes) -> None:
        verified = verify_transaction(raw, core.chain.exchange.config.domain_rules)
        assert isinstance(verified, VerifiedAction)
        core.add_action(raw, verified, lambda outcome: self._answer(trader, outcome))

    def _answer(self, trader: Trader, outcome: BatchOutcome | CoinoneError) -> None:
        if isinstance(outcome, InvalidInput):
            self.answers.refused += 1
        elif isinstance(outcome, CoinoneError):
            self.answers.lost += 1
        elif outcome.status == "skipped":
            self.answers.refused += 1
        else:
            self.answers.executed[outcome.tx_hash] = outcome.seq
            trader.oids += _resting(outcome.response)


def _resting(response: dict[str, Any] | None) -> list[int]:
    """Order ids that an answer says are in the book."""
    if response is None or response.get("type") != "order":
        return []
    statuses = response["data"]["statuses"]
    return [one["resting"]["oid"] for one in statuses if isinstance(one, dict) and "resting" in one]
