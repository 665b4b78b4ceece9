"""CPU time of an empty batch by the number of accounts: `python -m bench.exchange.accounts`.

An empty batch holds one oracle report, which sets new marks in two markets. 1,000 accounts hold positions and all
others only cash. Milliseconds of CPU, medians of 20; they should not grow with the number of accounts.
"""

from __future__ import annotations

import time
from statistics import median

import numpy as np

from coinone.rules.exchange.context import BatchContext
from coinone.rules.exchange.engine import apply_exchange
from coinone.rules.exchange.instruments.config import ExchangeConfig, MarketConfig
from coinone.rules.exchange.kernel.run import run_segment
from coinone.rules.exchange.rows.tables import OP
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.exchange.wire.types import OracleReport

REPORTER = bytes([0xEE] * 20)
START_MS = 1_750_000_000_000
HOLDERS = 1_000
BATCHES = 20
MARK = 970_000


def new_exchange(accounts: int) -> Exchange:
    markets = tuple(MarketConfig(name, 5, 50, initial_mark=MARK) for name in ("BTC", "ETH"))
    balances = tuple((n.to_bytes(20, "big"), 10**12) for n in range(1, accounts + 1))
    ex = Exchange.from_genesis(
        ExchangeConfig(926002, True, True, markets, (REPORTER,), balances=balances), START_MS
    )
    ex.rows.markets["status"] = 0
    ops = np.zeros(2 * HOLDERS, OP)  # pairs that trade with one another
    ops["account"] = np.arange(2 * HOLDERS) % HOLDERS
    ops["market"] = np.arange(2 * HOLDERS) // HOLDERS
    ops["side"], ops["px"], ops["sz"] = np.arange(2 * HOLDERS) % 2, MARK, 1_000
    run_segment(ex.rows, ops, START_MS)
    ex.rows.journal.begin()
    return ex


def batch_seconds(ex: Exchange, seq: int) -> float:
    now = START_MS + 250 * seq
    report = OracleReport(REPORTER, now, ((0, MARK + seq % 7), (1, MARK - seq % 5)), bytes(32))
    start = time.process_time()
    apply_exchange(ex, BatchContext(seq, now, bytes(32), (), (report,)), ())
    return time.process_time() - start


def main() -> None:
    for accounts in (1_000, 10_000, 100_000, 400_000):
        ex = new_exchange(accounts)
        taken = [batch_seconds(ex, seq) for seq in range(1, BATCHES + 1)]
        print(f"{accounts:8,} accounts: {1000 * median(taken):8.2f} ms a batch")


if __name__ == "__main__":
    main()
