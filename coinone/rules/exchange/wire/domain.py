"""Signing domains that are accepted: the domain policy of D5.

Hyperliquid's own domains ("a", "b"; "Mainnet", "Testnet") do not name this chain, so what is signed there is public and
could be replayed here. They are accepted from any key on dev only; elsewhere an L1 action of a foreign source is
accepted only from an agent key registered with the compat flag (checked in batch/inclusion.py), and a user-signed
action of a foreign domain never.
"""

from coinone.base.forms.domains import FOREIGN_CHAINS, FOREIGN_SOURCES, OWN_CHAIN, own_source
from coinone.base.primitives.errors import InvalidSignature
from coinone.rules.exchange.wire.types import DomainRules


def l1_is_foreign(source: str, rules: DomainRules) -> bool:
    """Whether the source is Hyperliquid's: False for this chain's; any other is refused."""
    if source == own_source(rules.chain_id):
        return False
    if source in FOREIGN_SOURCES:
        return True
    raise InvalidSignature("signed for another chain", source=source)


def user_is_foreign(hyperliquid_chain: str, signature_chain_id: int, rules: DomainRules) -> bool:
    """`l1_is_foreign` for user-signed actions; refuses foreign ones if the network does."""
    if hyperliquid_chain == OWN_CHAIN:
        if signature_chain_id != rules.chain_id:
            raise InvalidSignature("signed for another chain", signatureChainId=signature_chain_id)
        return False
    if hyperliquid_chain not in FOREIGN_CHAINS:
        raise InvalidSignature("signed for another chain", hyperliquidChain=hyperliquid_chain)
    if not rules.accept_foreign_user_signed:
        raise InvalidSignature(
            "this network accepts user-signed actions of its own domain only",
            hyperliquidChain=hyperliquid_chain,
        )
    return True
