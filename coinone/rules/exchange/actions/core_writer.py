"""CoreWriter: actions that contracts write, in Hyperliquid's encoding (D10).

The bytes are 0x01, a three-byte action id, and the ABI encoding of the action's fields. The account is the caller's;
there is no signature and no nonce, and a contract without an account is ignored. An action joins the segment of its
class, ahead of that account's signed actions, in the order of the logs (D2).
"""

from __future__ import annotations

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.errors import InvalidAction, InvalidInput
from coinone.base.primitives.types import Address
from coinone.rules.exchange.accounts.credits import Budget, charge_all
from coinone.rules.exchange.actions.agents import end_agency
from coinone.rules.exchange.actions.decode import decode_contract
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.context import Outcome
from coinone.rules.exchange.wire.segments import Item


def core_items(batch: Execution, first: int) -> list[Item]:
    """The batch's CoreWriter actions as items, numbered from `first`; refused ones get their outcome here."""
    items = []
    for n, action in enumerate(batch.ctx.core_actions):
        tx_hash = keccak256(b"coinone-core" + batch.ctx.seq.to_bytes(8, "big") + n.to_bytes(8, "big"))
        slot = _account_of(batch, action.sender)
        try:
            if slot is None:
                raise InvalidAction("the caller has no account")
            decoded = decode_contract(action.data)
            budget = Budget(batch.ex, slot, batch.now)
            budget.check(decoded)
        except InvalidInput as error:
            batch.outcomes[first + n] = Outcome(tx_hash, "excluded", error=str(error))
            continue
        budget.take(decoded)
        charge_all(batch.ex, [budget], batch.now)
        items.append(
            Item(first + n, decoded, slot, action.sender, n, action.sender, tx_hash, tx_hash, before=-1)
        )
    return items


def _account_of(batch: Execution, caller: Address) -> int | None:
    """The caller's account, after ending an agency of the caller: a contract signs nothing, so it leaves by acting
    (agents.py)."""
    if caller in batch.ledger.agents:
        end_agency(batch, caller)
    return batch.rows.slot_of(caller)


def core_outcomes(batch: Execution, first: int) -> tuple[Outcome, ...]:
    """The outcomes of the batch's CoreWriter actions, in their order."""
    return tuple([batch.outcomes[first + n] for n in range(len(batch.ctx.core_actions))])
