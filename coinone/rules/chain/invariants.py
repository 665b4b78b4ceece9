"""Invariants after every batch, in tests, in simulation and in production (docs/design.md).

A breach is a fault of this code, not a sender's: it is an assertion, and the node halts on it.
"""

from coinone.rules.chain.genesis import balance_slot, token_balance
from coinone.rules.chain.state import BatchResult, ChainState
from coinone.rules.exchange.invariants import check_exchange, conserved_sum
from coinone.rules.state.account import storage_key


def check_conservation(chain: ChainState, result: BatchResult) -> None:
    """Check that tokens at the system address equal what the exchange owes, including pending crossings (D10)."""
    before, after = result.before.effects, result.after.effects
    credited = sum(row.amount for row in before.deposits)
    withdrawn = sum(row.amount for row in result.exchange.withdrawals)
    owed_more = after.amount - before.amount + credited - withdrawn
    assert _arrived(chain, result) == owed_more, "tokens at the system address and what is owed moved apart"


def _arrived(chain: ChainState, result: BatchResult) -> int:
    """The change of the system address's token balance in this batch."""
    token = chain.network.quote_token
    key = storage_key(token.address, balance_slot(token.system_address))
    return result.layer.storage.get(key, 0) - result.layer.storage_before.get(key, 0)


def check_solvency(chain: ChainState) -> None:
    """Check solvency from scratch: expensive, so it runs at start and every so many blocks."""
    check_exchange(chain.exchange)
    token = chain.network.quote_token
    held = token_balance(chain.state, token, token.system_address)
    owed = conserved_sum(chain.exchange) + chain.cursor.effects.amount
    assert held == owed, f"the system address holds {held} quote units and the exchange owes {owed}"
