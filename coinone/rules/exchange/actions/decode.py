"""Decode actions from signed bytes, signed fields or a contract's words, by the table."""

from typing import Any

from coinone.base.primitives.errors import DecodeError, NotSupported
from coinone.base.primitives.parameters import ORDERS_PER_ACTION_MAX
from coinone.rules.exchange.actions.table import CONTRACT_ACTIONS, L1_ACTIONS, USER_ACTIONS
from coinone.rules.exchange.wire.action import Action, ActionType
from coinone.rules.exchange.wire.fast_decode import decode_operations
from coinone.rules.exchange.wire.fields import Fields, mapping, wrong_number
from coinone.rules.exchange.wire.msgpack import unpack

_CONTRACT_VERSION = 1


def decode_action(data: bytes) -> Action:
    """Decode an L1 action from msgpack `data`, with the fast decoder if it can. Raises InvalidInput."""
    found = decode_operations(data)
    if found is None:
        return decode_l1(unpack(data))
    name, operations = found
    return Action(L1_ACTIONS[name], operations)


def decode_l1(value: object) -> Action:
    """Decode an unpacked L1 action. Raises DecodeError, or NotSupported by name."""
    fields = mapping(value, "action")
    row = known(fields.get("type"))
    return Action(row, row.read(fields))


def decode_user(name: str, fields: Fields) -> Action:
    """Decode the action of the user-signed type `name` from its decoded fields."""
    row = USER_ACTIONS[name]
    return Action(row, row.read(fields))


def decode_contract(data: bytes) -> Action:
    """Decode the action in CoreWriter bytes. Raises DecodeError or NotSupported."""
    if len(data) < 4 or data[0] != _CONTRACT_VERSION:
        raise DecodeError("core action: unknown version")
    number = int.from_bytes(data[1:4], "big")
    row = CONTRACT_ACTIONS.get(number)
    if row is None or row.contract is None:
        raise NotSupported("core action not supported", id=number)
    return Action(row, row.contract.read(data[4:]))


def known(name: object) -> ActionType:
    """The L1 action type called `name`. Raises NotSupported by name if there is none."""
    if not isinstance(name, str):
        raise DecodeError("action: type missing")
    row = L1_ACTIONS.get(name)
    if row is None:
        raise NotSupported(f"action type {name[:32]} is not supported")
    return row


def check_items(fields: dict[str, Any]) -> None:
    """Refuse an action of too many items before processing them. Raises DecodeError."""
    for value in fields.values():
        if isinstance(value, list) and len(value) > ORDERS_PER_ACTION_MAX:
            raise wrong_number(len(value))
