"""The exchange's state: rows for what the kernel works on, ledger tables for the rest."""

from __future__ import annotations

from coinone.base.crypto.siphash import PUBLIC_KEY, Key
from coinone.base.primitives.types import Address
from coinone.rules.exchange.instruments.config import ExchangeConfig, MarketConfig
from coinone.rules.exchange.rows.journal import Undo as RowsUndo
from coinone.rules.exchange.rows.tables import MarketStatus
from coinone.rules.exchange.state.ledger import Ledger, Listing
from coinone.rules.exchange.state.rows import Rows
from coinone.rules.exchange.state.tables import undo_entries
from coinone.rules.exchange.state.undo import apply_undo as undo_rows

Undo = tuple[RowsUndo, list]  # type: ignore[type-arg]  # rows, then ledger entries

_MILLION = 1_000_000


class Exchange:
    """The mutable exchange, owned by one thread (D14); changed only by `engine.apply_exchange` and `apply_undo`."""

    def __init__(self, config: ExchangeConfig, key: Key = PUBLIC_KEY) -> None:
        """Create an exchange without markets and accounts.

        `key` is the secret of this process's indexes (rows.py); no result depends on it.
        """
        self.config = config
        self.rows = Rows(markets=max(4, len(config.markets)), key=key)
        self.ledger = Ledger()

    @classmethod
    def from_genesis(cls, config: ExchangeConfig, time_ms: int = 0, key: Key = PUBLIC_KEY) -> Exchange:
        """The state before the first batch, with the configured markets and balances."""
        ex = cls(config, key)
        for market in config.markets:
            ex.list_market(market)
        ex.ledger.log.take()
        for address, amount in config.balances:
            slot = ex.rows.slot_of(address)
            if slot is None:
                slot = ex.rows.add_account(address, time_ms)
            ex.rows.accounts[slot]["cash"] += amount
        ex.rows.journal.begin()
        return ex

    def list_market(self, market: MarketConfig) -> int:
        """List a market and return its index. Until reporters have reported, no account can take risk. Undone with its
        batch."""
        index = self.rows.add_market(
            market.sz_decimals,
            market.max_leverage,
            market.initial_mark,
            tiers=market.tiers,
            max_open_interest=market.max_open_interest,
            first_leverage=market.first_leverage or market.max_leverage,
        )
        self.rows.markets[index]["status"] = MarketStatus.REDUCE_ONLY
        self.ledger.listings.put(index, Listing(market.name, market.impact_notional))
        return index

    def knows(self, signer: Address) -> bool:
        """Whether this is an account, or an agent of one. For relays; expiry is checked when the batch is made."""
        return self.rows.slot_of(signer) is not None or signer in self.ledger.agents

    def seal(self) -> Undo:
        """End the batch; return its undo."""
        return self.rows.journal.seal(), self.ledger.log.take()

    def restore(self, undo: Undo) -> None:
        undo_rows(self.rows, undo[0])
        undo_entries(undo[1])

    def number(self, slot: int) -> int:
        return int(self.rows.accounts[slot]["number"])
