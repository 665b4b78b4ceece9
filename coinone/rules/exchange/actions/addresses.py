"""Addresses that have no key and hold no money here.

Nothing can sign for them, so none can be an agent, and money sent there would be lost. The zero address stands for "no
address" wherever a client must name one; system addresses (0x20, zeros, a token's index) receive deposits; through the
read precompiles and CoreWriter contracts use the exchange (D10). The chain adds more: Ethereum's precompiles and the
contracts of genesis.
"""

from coinone.base.primitives.types import ZERO_ADDRESS, Address
from coinone.rules.exchange.instruments.config import ExchangeConfig

CORE_WRITER_ADDRESS: Address = b"\x33" * 20
_SYSTEM_PREFIX = b"\x20" + bytes(11)  # followed by the token's index in eight bytes
_READ_PREFIX = bytes(18) + b"\x08"  # 0x0800 to 0x08ff


def is_keyless(config: ExchangeConfig, address: Address) -> bool:
    """Whether no key can ever sign for `address`."""
    return (
        address in (ZERO_ADDRESS, CORE_WRITER_ADDRESS)
        or address.startswith((_SYSTEM_PREFIX, _READ_PREFIX))
        or address in config.keyless
    )
