"""The node's own tables, in addition to those of the rules, and the encoding of their keys.

Numbers in keys are big endian, so that key order is number order and a range is one scan.
"""

from enum import Enum

from coinone.rules.state.database import Table


class NodeTable(Enum):
    """The value is the table's name on disk."""

    BLOCK = "block"  # number -> block bytes
    BLOCK_NUMBER = "block_number"  # block hash -> number
    RECEIPTS = "receipts"  # number -> the block's receipts, as the chain encodes them
    TX = "tx"  # transaction hash -> its place, as the chain encodes it
    BATCH = "batch"  # seq -> certified batch, once a block contains it
    UNDO = "undo"  # number -> the rows as they were before that block
    SIDE_BLOCK = "side_block"  # block hash -> block bytes, of an imported chain's other branches
    VERSION = "version"  # table, key, number -> the row as it was before that block: archive nodes only
    TRADE = "trade"  # market, time, tid -> Fill
    FILL = "fill"  # account, time, tid, side -> market
    CANDLE = "candle"  # market, interval, opening time -> Candle
    FUNDING = "funding"  # account, time, market -> FundingPayment
    FUNDING_RATE = "funding_rate"  # market, time -> hourly rate
    LEDGER = "ledger"  # account, time, counter -> LedgerUpdate
    ORDER = "order"  # account, time, counter -> OrderUpdate, of orders that have ended
    ORDER_INDEX = "order_index"  # oid, or account and cloid -> key in ORDER


ALL_TABLES: tuple[Enum, ...] = (*Table, *NodeTable)


def u16(value: int) -> bytes:
    return value.to_bytes(2, "big")


def u64(value: int) -> bytes:
    return value.to_bytes(8, "big")
