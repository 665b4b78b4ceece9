"""Agents (API wallets): keys that may trade for an account and do nothing else.

An account has one unnamed agent and three named ones; approving again under the same name replaces the key. The
nonces of a replaced key are kept until their window has passed (inclusion.py), so nothing it signed comes back.
"""

from dataclasses import replace

from coinone.base.primitives.limits import AGENTS_PER_ACCOUNT
from coinone.rules.exchange.actions.answers import DEFAULT
from coinone.rules.exchange.batch import Batch
from coinone.rules.exchange.ledger import Agent
from coinone.rules.exchange.segments import Item
from coinone.rules.exchange.wire.types import ApproveAgent


def approve_agent(batch: Batch, item: Item, action: ApproveAgent) -> None:
    number = batch.ex.number(item.account)
    refusal = _refusal(batch, number, action)
    if refusal:
        batch.failed(item, refusal)
        return
    ledger = batch.ledger
    for address in ledger.settings_of(number).agents:
        agent = ledger.agents.get(address)
        assert agent is not None, "a listed agent exists"
        if agent.name == action.name or address == action.agent:
            ledger.forget_agent(address)
    settings = ledger.settings_of(number)
    ledger.settings.put(number, replace(settings, agents=(*settings.agents, action.agent)))
    ledger.agents.put(action.agent, Agent(number, action.name, action.valid_until_ms, action.compat))
    batch.executed(item, DEFAULT)


def _refusal(batch: Batch, number: int, action: ApproveAgent) -> str:
    if batch.rows.slot_of(action.agent) is not None:
        return "Agent address is an account already."
    known = batch.ledger.agents.get(action.agent)
    if known is not None and known.account != number:
        return "Extra agent already used."
    if action.valid_until_ms and action.valid_until_ms <= batch.now:
        return "Agent expiry is in the past."
    agents = [batch.ledger.agents.get(address) for address in batch.ledger.settings_of(number).agents]
    others = [agent for agent in agents if agent is not None and agent is not known]
    if all(agent.name != action.name for agent in others) and len(others) >= AGENTS_PER_ACCOUNT:
        return "Too many extra agents."
    return ""
