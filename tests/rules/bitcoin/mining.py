"""Headers with real work behind them, at targets so easy that a test finds it."""

from dataclasses import replace

from coinone.rules.bitcoin.header import BitcoinHeader
from coinone.rules.bitcoin.header_chain import ChainTip, next_bits
from coinone.rules.bitcoin.networks import REGTEST, BitcoinNetwork
from coinone.rules.bitcoin.target import as_number, target_of

SMALL = replace(REGTEST, name="small", spacing=600, timespan=12_000)  # periods of 20 headers


def mine(header: BitcoinHeader, target: int | None = None) -> BitcoinHeader:
    """The header with the first nonce that does."""
    most = target_of(header.bits) if target is None else target
    while as_number(header.hash) > most:
        header = header._replace(nonce=header.nonce + 1)
    return header


def child(
    tip: ChainTip, seconds: int = 600, network: BitcoinNetwork = REGTEST, root: bytes = bytes(32)
) -> BitcoinHeader:
    time = tip.time + seconds
    return mine(BitcoinHeader(0x20000000, tip.hash, root, time, next_bits(tip, time, network), 0))
