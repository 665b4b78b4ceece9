"""nautilus_trader: a live node whose strategy hears a market, buys, rests an order, moves it, cancels it and sells."""

import json
import sys
import threading
from decimal import Decimal
from typing import Any

from nautilus_trader.adapters.hyperliquid import (
    HYPERLIQUID,
    HyperliquidDataClientConfig,
    HyperliquidExecClientConfig,
    HyperliquidLiveDataClientFactory,
    HyperliquidLiveExecClientFactory,
)
from nautilus_trader.config import InstrumentProviderConfig, LoggingConfig, TradingNodeConfig
from nautilus_trader.core.nautilus_pyo3 import HyperliquidEnvironment
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy

LONGEST_S = 60
SIZE = Decimal("0.30")
stream, key = sys.argv[1:]
told: dict[str, Any] = {"events": [], "heard": []}


class Once(Strategy):
    def on_start(self):
        self.instrument = self.cache.instrument(InstrumentId.from_str("SOL-USD-PERP.HYPERLIQUID"))
        told["instruments"] = sorted(str(instrument.id) for instrument in self.cache.instruments())
        self.resting = None
        self.subscribe_quote_ticks(self.instrument.id)
        self.subscribe_trade_ticks(self.instrument.id)
        self.subscribe_order_book_deltas(self.instrument.id)

    def on_quote_tick(self, quote):
        self.hear("quote")
        if not told["events"]:
            self.bid = quote.bid_price
            size = self.instrument.make_qty(SIZE)
            self.submit_order(self.order_factory.market(self.instrument.id, OrderSide.BUY, size))

    def on_trade_tick(self, trade):
        self.hear("trade")

    def on_order_book_deltas(self, deltas):
        self.hear("book")

    def hear(self, what):
        if what not in told["heard"]:
            told["heard"].append(what)

    def on_event(self, event):
        told["events"].append(type(event).__name__)

    def on_order_filled(self, event):
        if self.resting is None:
            size, price = self.instrument.make_qty(SIZE), self.below("0.90")
            self.resting = self.order_factory.limit(
                self.instrument.id, OrderSide.BUY, size, price, post_only=True
            )
            self.submit_order(self.resting)
        else:
            told["net"] = str(self.portfolio.net_position(self.instrument.id))
            balances = self.portfolio.account(self.instrument.id.venue).balances_total()
            told["balances"] = {
                str(currency): str(total.as_decimal()) for currency, total in balances.items()
            }
            node.stop()

    def below(self, share):
        return self.instrument.make_price(self.bid * Decimal(share))

    def on_order_accepted(self, event):
        if self.resting is not None and event.client_order_id == self.resting.client_order_id:
            self.modify_order(self.resting, price=self.below("0.91"))

    def on_order_updated(self, event):
        self.cancel_order(self.resting)

    def on_order_canceled(self, event):
        self.close_all_positions(self.instrument.id, reduce_only=True)


provider = InstrumentProviderConfig(load_all=True)
venue = {
    "environment": HyperliquidEnvironment.TESTNET,
    "base_url_ws": stream,
    "instrument_provider": provider,
}
node = TradingNode(
    TradingNodeConfig(
        trader_id="TESTER-001",
        logging=LoggingConfig(log_level="WARNING"),
        data_clients={HYPERLIQUID: HyperliquidDataClientConfig(**venue)},
        exec_clients={HYPERLIQUID: HyperliquidExecClientConfig(private_key=key, **venue)},
    )
)
node.trader.add_strategy(Once())
node.add_data_client_factory(HYPERLIQUID, HyperliquidLiveDataClientFactory)
node.add_exec_client_factory(HYPERLIQUID, HyperliquidLiveExecClientFactory)
node.build()
end = threading.Timer(LONGEST_S, node.stop)
end.start()
node.run()
end.cancel()
node.dispose()
print(json.dumps(told))
