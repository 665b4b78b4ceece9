"""Agents (API wallets): keys that may trade for an account and do nothing else.

An account has one unnamed agent and three named ones; approving again under the same name replaces the key, and
approving the zero address removes it. An expired agent is removed at the next approval. A key stops acting for an
account by its master's signature, when its agency expires, or by one `leaveAgency` that the key itself signs: a key
proves nothing when it is approved, so an account that approves a stranger's address must not be able to keep it. No
credit ends a key's agency; a contract, which signs nothing, leaves one by acting (core_writer.py) or when its account
opens (opening.py).

When an agency ends, the key's highest nonce is kept until its window has passed, and no nonce below it is accepted
(inclusion.py), so nothing it signed can be replayed. Until then only the same account may approve it again, unless the
key left by its own signature: its holder may not know yet that the agency is over, and must not trade for a stranger.
Approval also checks that the keys fit in the account's leaf, so signing never fails for lack of room.
"""

from dataclasses import dataclass, replace

from coinone.base.forms.user_signed import user_signed
from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.integers import U64_MAX
from coinone.base.primitives.parameters import AGENT_NAME_MAX, AGENTS_PER_ACCOUNT, SIGNERS_PER_ACCOUNT
from coinone.base.primitives.parse import parse_decimal
from coinone.base.primitives.types import ZERO_ADDRESS, Address
from coinone.rules.exchange.actions.addresses import is_keyless
from coinone.rules.exchange.actions.opening import open_waiting
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.batch.inclusion import living_signers
from coinone.rules.exchange.state.ledger import Agent, Closed
from coinone.rules.exchange.trading.answers import DEFAULT
from coinone.rules.exchange.wire import contract as abi
from coinone.rules.exchange.wire.action import ActionType, Applied
from coinone.rules.exchange.wire.contract import ContractForm
from coinone.rules.exchange.wire.fields import Fields
from coinone.rules.exchange.wire.segments import Item


@dataclass(frozen=True, slots=True)
class ApproveAgent:
    """Approve or replace an agent. `name` is "" for the unnamed one; `valid_until_ms` 0 means until replaced.

    The zero address removes the agent of that name. `compat` marks an agent that may sign under Hyperliquid's own
    domains (" compat" in the name).
    """

    agent: Address
    name: str
    valid_until_ms: int
    compat: bool


@dataclass(frozen=True, slots=True)
class LeaveAgency:
    """End the agency of the signer, who is another account's agent."""


def _approve_agent(batch: Execution, item: Item, action: ApproveAgent) -> None:
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


def _leave_agency(batch: Execution, item: Item, action: LeaveAgency) -> None:
    """End the signer's agency; a credit that waits for it opens its account."""
    end_agency(batch, item.signer, left=True)
    batch.executed(item, DEFAULT)


def end_agency(batch: Execution, address: Address, left: bool = False) -> None:
    """End the agency of `address`; no effect if it has none. `left`: by its own signature."""
    batch.ledger.forget_agent(address, left)
    open_waiting(batch, address)


def _refusal(batch: Execution, number: int, own: Address, action: ApproveAgent) -> str:
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
    if (known is not None and known.account != number) or _is_anothers(batch, number, action.agent):
        return "Extra agent already used."
    if action.valid_until_ms and action.valid_until_ms <= batch.now:
        return "Agent expiry is in the past."
    listed = ledger.settings_of(number).agents
    others = [_agent(batch, address) for address in listed if address != action.agent]
    if all(agent.name != action.name for agent in others) and len(others) >= AGENTS_PER_ACCOUNT:
        return "Too many extra agents."
    if action.agent not in listed:  # a listed one was counted when it was approved
        keys = {*living_signers(ledger, number, batch.now), *listed, own, action.agent}
        if len(keys) > SIGNERS_PER_ACCOUNT:
            return "Too many signing keys within the nonce window."
    return ""


def _is_anothers(batch: Execution, number: int, address: Address) -> bool:
    """Whether the key has signed for another account within its nonce window and has not left it by its own signature.

    Its holder may not know yet that its agency is over, and what it signs must not trade for a stranger.
    """
    used = batch.ledger.nonces.get(address)
    return (
        used is not None
        and used.account != number
        and used.closed is not Closed.LEFT
        and used.could_pass(batch.now)
    )


def _agent(batch: Execution, address: Address) -> Agent:
    agent = batch.ledger.agents.get(address)
    assert agent is not None, "a listed agent exists"
    return agent


def _read_agent(fields: Fields) -> ApproveAgent:
    return _named_agent(fields["agentAddress"], fields["agentName"])


def _named_agent(agent: Address, name: str) -> ApproveAgent:
    """Parse the name's suffixes: " valid_until <ms>" as on Hyperliquid, and before it Coinone's " compat"."""
    name, _, until = name.partition(" valid_until ")
    valid_until_ms = parse_decimal(until, 0) if until else 0
    if valid_until_ms > U64_MAX:
        raise DecodeError("agent: expiry too large")
    compat = name == "compat" or name.endswith(" compat")
    name = name[: -len("compat")].rstrip(" ") if compat else name
    if len(name) > AGENT_NAME_MAX:
        raise DecodeError("agent: name too long", most=AGENT_NAME_MAX)
    return ApproveAgent(agent, name, valid_until_ms, compat)


def _read_leave(fields: Fields) -> LeaveAgency:
    return LeaveAgency()


APPROVE_AGENT = ActionType(
    "approveAgent",
    _read_agent,
    Applied(_approve_agent),
    signed=user_signed("ApproveAgent"),
    contract=ContractForm(9, _named_agent, agent=abi.ADDRESS, name=abi.STRING),
)
LEAVE_AGENCY = ActionType(
    "leaveAgency",
    _read_leave,
    Applied(_leave_agency),
    signed=user_signed("LeaveAgency"),
    ends_agency=True,
)
