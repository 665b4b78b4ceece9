"""Agents (API wallets): keys that may trade for an account and do nothing else.

An account has one unnamed agent and three named ones; approving again under the same name replaces the key, and
approving the zero address removes it. One whose time is over leaves its place at the next approval. Whom a key acts
for changes by its master's signature, at the agency's time, or by one `leaveAgency` that the key itself signs: a key
proves nothing when it is approved, so whoever names a stranger's address must not be able to keep it. No credit ends
a key's agency; a contract, which signs nothing, leaves one by acting (core_writer.py) or when its account opens
(opening.py).

Of a key whose agency ends the highest nonce is kept until its window has passed, and none below it may come
(inclusion.py), so nothing it signed comes back. That the keys fit the account's leaf is seen to here, at approval:
signing never fails for want of room.
"""

from dataclasses import replace

from coinone.base.primitives.parameters import AGENTS_PER_ACCOUNT, SIGNERS_PER_ACCOUNT
from coinone.base.primitives.types import ZERO_ADDRESS, Address
from coinone.rules.exchange.actions.addresses import is_keyless
from coinone.rules.exchange.actions.answers import DEFAULT
from coinone.rules.exchange.actions.opening import open_waiting
from coinone.rules.exchange.batch.execution import Batch
from coinone.rules.exchange.batch.inclusion import living_signers
from coinone.rules.exchange.state.ledger import Agent
from coinone.rules.exchange.wire.segments import Item
from coinone.rules.exchange.wire.types import ApproveAgent, LeaveAgency


def approve_agent(batch: Batch, item: Item, action: ApproveAgent) -> None:
    number, ledger = batch.ex.number(item.account), batch.ledger
    for address in ledger.settings_of(number).agents:
        if ledger.living_agent(address, batch.now) is None:
            end_agency(batch, address)
    refusal = _refusal(batch, number, item.address, action)
    if refusal:
        batch.failed(item, refusal)
        return
    for address in ledger.settings_of(number).agents:
        if address != action.agent and _agent(batch, address).name == action.name:
            end_agency(batch, address)
    if action.agent != ZERO_ADDRESS:
        settings = ledger.settings_of(number)
        others = tuple(address for address in settings.agents if address != action.agent)
        ledger.settings.put(number, replace(settings, agents=(*others, action.agent)))
        ledger.agents.put(action.agent, Agent(number, action.name, action.valid_until_ms, action.compat))
    batch.executed(item, DEFAULT)


def leave_agency(batch: Batch, item: Item, action: LeaveAgency) -> None:
    """The signer is nobody's agent from here on; what waits for it opens its account."""
    end_agency(batch, item.signer)
    batch.executed(item, DEFAULT)


def end_agency(batch: Batch, address: Address) -> None:
    """`address` acts for nobody but itself; no error where it already did."""
    batch.ledger.forget_agent(address)
    open_waiting(batch, address)


def _refusal(batch: Batch, number: int, own: Address, action: ApproveAgent) -> str:
    if action.agent == ZERO_ADDRESS:
        return ""
    ledger = batch.ledger
    known = ledger.agents.get(action.agent)
    if known is not None and ledger.living_agent(action.agent, batch.now) is None:
        end_agency(batch, action.agent)
        known = None
    if batch.rows.slot_of(action.agent) is not None:
        return "Agent address is an account already."
    if is_keyless(batch.ex.config, action.agent):
        return "Agent address belongs to nobody."
    if known is not None and known.account != number:
        return "Extra agent already used."
    if action.valid_until_ms and action.valid_until_ms <= batch.now:
        return "Agent expiry is in the past."
    listed = ledger.settings_of(number).agents
    others = [_agent(batch, address) for address in listed if address != action.agent]
    if all(agent.name != action.name for agent in others) and len(others) >= AGENTS_PER_ACCOUNT:
        return "Too many extra agents."
    if action.agent not in listed:  # else it was counted when it came to be
        keys = {*living_signers(ledger, number, batch.now), *listed, own, action.agent}
        if len(keys) > SIGNERS_PER_ACCOUNT:
            return "Too many signing keys within the nonce window."
    return ""


def _agent(batch: Batch, address: Address) -> Agent:
    agent = batch.ledger.agents.get(address)
    assert agent is not None, "a listed agent exists"
    return agent
