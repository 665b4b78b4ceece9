"""Simulated traders who use every action: beyond the workload's orders and transfers they take positions larger than
they can carry, modify orders, set leverage, approve agents, call contracts, and trade through them.
"""

from collections.abc import Callable
from typing import Any

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.secp256k1 import address_of
from coinone.base.primitives.parse import format_bytes, format_decimal
from coinone.base.primitives.types import Address
from coinone.node.executor.core import Core
from coinone.rules.chain.bridge.system_calls import CORE_WRITER
from coinone.rules.vm.addresses import create_address
from sim.workload import Trader, Workload
from sim.world import World

# Keeps a diary of mark prices: reads that of the market in its calldata (precompile 0x0806) into a new slot.
#   mstore(0, calldataload(0))   staticcall(gas, 0x0806, 0, 32, 32, 32)
#   n = sload(0) + 1             sstore(0, n)             sstore(n, mload(32))
DIARY = bytes.fromhex("60003560005260206020602060006108065afa50602051600054600101806000555500")
MAKE_DIARY = bytes.fromhex(f"60{len(DIARY):02x}8060093d393df3") + DIARY  # copies what follows, and returns it
SEND_RAW_ACTION = keccak256(b"sendRawAction(bytes)")[:4]
CORE_LIMIT_ORDER = bytes.fromhex("01000001")  # version, action
CORE_IOC = 3
WIRE = 10**8
CALL_GAS = 200_000


class Crowd(Workload):
    busy = 9

    def __init__(self, world: World, traders: int = 16) -> None:
        super().__init__(world, traders)
        self._agents: list[Trader] = []
        self._diary: Address | None = None
        weights: dict[Callable[[Core, Trader], None], int] = {
            self._order: 30, self._bet: 12, self._agent_order: 6, self._modify: 6, self._cancel: 8,
            self._cancel_all_soon: 1, self._leverage: 2, self._approve: 1, self._send: 3, self._withdraw: 3,
            self._deposit: 3, self._write_diary: 3, self._trade_by_contract: 3,
        }  # fmt: skip
        self._kinds = [kind for kind, weight in weights.items() for _ in range(weight)]

    def _bet(self, core: Core, trader: Trader) -> None:
        """Half to twenty times what the trader owns, at whatever price, with the greatest leverage."""
        rows = core.chain.exchange.rows
        slot = rows.slot_of(trader.address)
        if slot is None:
            return
        market = self._dice.randrange(rows.market_count)
        mark, is_buy = int(rows.markets["mark"][market]), self._dice.random() < 0.5
        equity = int(rows.accounts["cash"][slot] + rows.accounts["position_value"][slot])
        size = max(equity * self._dice.randint(5, 200) // (10 * mark), 1)
        price = mark * (103 if is_buy else 97) // 100
        tif = self._dice.choice(["Ioc", "Gtc"])
        self._set_leverage(core, trader, market, int(rows.markets["max_leverage"][market]))
        self._place(core, trader, self._wire(core, market, is_buy, price, size, tif))

    def _agent_order(self, core: Core, trader: Trader) -> None:
        if self._agents:
            self._order(core, self._dice.choice(self._agents))

    def _modify(self, core: Core, trader: Trader) -> None:
        if trader.oids:
            oid, market = self._dice.choice(trader.oids), self._dice.randrange(3)
            mark = int(core.chain.exchange.rows.markets["mark"][market])
            price = mark * self._dice.randint(9_950, 10_050) // 10_000
            order = self._wire(core, market, self._dice.random() < 0.5, price, self._dice.randint(1, 500))
            action = {"type": "batchModify", "modifies": [{"oid": oid, "order": order}]}
            self._act(core, trader, action)

    def _cancel_all_soon(self, core: Core, trader: Trader) -> None:
        when = core.chain.cursor.time_ms + self._dice.randint(6_000, 60_000)
        self._act(core, trader, {"type": "scheduleCancel", "time": when})

    def _leverage(self, core: Core, trader: Trader) -> None:
        self._set_leverage(core, trader, self._dice.randrange(3), self._dice.randint(1, 50))

    def _set_leverage(self, core: Core, trader: Trader, asset: int, leverage: int) -> None:
        self._act(
            core, trader, {"type": "updateLeverage", "asset": asset, "isCross": True, "leverage": leverage}
        )

    def _approve(self, core: Core, trader: Trader) -> None:
        key = keccak256(b"agent" + len(self._agents).to_bytes(4, "big"))
        agent = Trader(key, address_of(key))
        fields = {"agentAddress": agent.address, "agentName": self._dice.choice(["", "bot"])}
        self._sign_fields(core, trader, "ApproveAgent", fields)
        self._agents.append(agent)

    def _write_diary(self, core: Core, trader: Trader) -> None:
        if self._diary is None:
            nonce = core.chain.state.nonce(trader.address)
            if trader.ethereum_nonce in (None, nonce):
                self._call(core, trader, None, MAKE_DIARY, CALL_GAS)
                self._diary = create_address(trader.address, nonce)
            return
        market = self._dice.randrange(4)  # the last is none: the contract writes a zero
        self._call(core, trader, self._diary, market.to_bytes(32, "big"), CALL_GAS)

    def _trade_by_contract(self, core: Core, trader: Trader) -> None:
        """Through CoreWriter: the exchange executes it with the next batch."""
        market = self._dice.randrange(3)
        spec = core.chain.network.markets[market]
        mark = int(core.chain.exchange.rows.markets["mark"][market])
        px = _five_figures(mark) * WIRE // 10**spec.px_decimals
        sz = self._dice.randint(1, 50) * WIRE // 10**spec.sz_decimals
        words = (market, int(self._dice.random() < 0.5), px, sz, 0, CORE_IOC, 0)
        action = CORE_LIMIT_ORDER + b"".join(word.to_bytes(32, "big") for word in words)
        self._call(core, trader, CORE_WRITER, SEND_RAW_ACTION + _abi_bytes(action), CALL_GAS)

    def _wire(
        self, core: Core, market: int, is_buy: bool, price: int, size: int, tif: str = "Gtc"
    ) -> dict[str, Any]:
        spec = core.chain.network.markets[market]
        cloid = self._dice.choice([{}, {"c": format_bytes(self._dice.randbytes(16))}])
        return {
            "a": market,
            "b": is_buy,
            "p": format_decimal(_five_figures(price), spec.px_decimals),
            "s": format_decimal(size, spec.sz_decimals),
            "r": False,
            "t": {"limit": {"tif": tif}},
            **cloid,
        }

    def _place(self, core: Core, trader: Trader, *orders: dict[str, Any]) -> None:
        self._act(core, trader, {"type": "order", "orders": list(orders), "grouping": "na"})


def _five_figures(price: int) -> int:
    step = 10 ** max(0, len(str(price)) - 5)
    return price // step * step


def _abi_bytes(data: bytes) -> bytes:
    """ABI encoding of one argument of type bytes."""
    padded = data + bytes(-len(data) % 32)
    return (32).to_bytes(32, "big") + len(data).to_bytes(32, "big") + padded
