"""The table of precompiled contracts: Ethereum's of the fork, and Coinone's (D10)."""

from collections.abc import Mapping
from functools import partial

from coinone.base.primitives.types import Address
from coinone.rules.chain.bridge.own import ExchangeView, OwnPrecompile, Whole
from coinone.rules.chain.bridge.reads import READS
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.vm import Rules
from coinone.rules.vm.precompiles import Precompile

OWN: Mapping[Address, OwnPrecompile] = {own.address: own for own in READS}


def precompiles_over(rules: Rules, exchange: Exchange) -> Mapping[Address, Precompile]:
    """The precompiled contracts over the exchange itself."""
    return precompiles_seeing(rules, Whole(exchange))


def precompiles_seeing(rules: Rules, seen: ExchangeView) -> Mapping[Address, Precompile]:
    """The precompiled contracts over a view of the exchange."""
    return {**rules.precompiles, **{address: partial(own.run, seen) for address, own in OWN.items()}}
