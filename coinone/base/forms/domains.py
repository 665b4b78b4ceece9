"""Which chain a signature names: our own names, and those of Hyperliquid that its clients sign.

An L1 action names the chain in the phantom agent's `source`; a user-signed one in its first field,
`hyperliquidChain`, and in the chain id of its EIP-712 domain. Hyperliquid's names do not name our chain: whose
signatures a network accepts nevertheless is a rule (exchange/wire/domain.py).
"""

from functools import lru_cache

from coinone.base.forms.eip712 import domain_separator
from coinone.base.primitives.types import Hash32

OWN_CHAIN = "Coinone"
FOREIGN_SOURCES = ("b", "a")  # test network first: it is what the SDK signs for any URL but the main one
FOREIGN_CHAINS = ("Mainnet", "Testnet")

_L1_CHAIN_ID = 1337  # of the phantom agent's domain, whatever the network
L1_DOMAIN: Hash32 = domain_separator("Exchange", "1", _L1_CHAIN_ID)


def own_source(chain_id: int) -> str:
    """What our own clients sign as the phantom agent's source."""
    return f"coinone:{chain_id}"


@lru_cache(maxsize=64)  # bounded: an attacker may sign under any chain id
def user_domain(signature_chain_id: int) -> Hash32:
    """The domain of user-signed actions."""
    return domain_separator("HyperliquidSignTransaction", "1", signature_chain_id)
