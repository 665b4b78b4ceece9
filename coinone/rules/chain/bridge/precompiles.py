"""The table of precompiled contracts: Ethereum's of the fork, and ours that read the exchange (D10)."""

from collections.abc import Mapping

from coinone.base.primitives.types import Address
from coinone.rules.chain.bridge.reads import Seen, Whole, exchange_precompiles
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.vm import BlockEnv, Rules
from coinone.rules.vm.precompiles import Precompile


def precompiles_over(rules: Rules, exchange: Exchange, env: BlockEnv) -> Mapping[Address, Precompile]:
    return precompiles_seeing(rules, Whole(exchange))


def precompiles_seeing(rules: Rules, seen: Seen) -> Mapping[Address, Precompile]:
    """The same over the exchange as a trial sees it."""
    return {**rules.precompiles, **exchange_precompiles(seen)}
