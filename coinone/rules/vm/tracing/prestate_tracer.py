"""The prestate tracer: the accounts and slots that a transaction touches, in the form of geth's prestateTracer.

It records only *what* is touched. The values are read from the state afterwards: once after the transaction, and once
after it has been undone.
"""

from dataclasses import dataclass
from typing import Any

from coinone.base.primitives.parse import format_bytes, format_quantity
from coinone.base.primitives.types import Address, Hash32
from coinone.rules.state.account import EMPTY_ACCOUNT
from coinone.rules.state.state import State
from coinone.rules.vm.addresses import to_address
from coinone.rules.vm.frame import Frame
from coinone.rules.vm.tracing.room import Room

_SLOT_FIRST = (0x54, 0x55)  # SLOAD, SSTORE
_ADDRESS_FIRST = (0x31, 0x3B, 0x3C, 0x3F, 0xFF)  # BALANCE, EXTCODE*, SELFDESTRUCT
_ADDRESS_SECOND = (0xF1, 0xF2, 0xF4, 0xFA)  # calls

Touched = dict[Address, dict[Hash32, None]]  # accounts, and of each the slots


class PrestateTracer:
    def __init__(self) -> None:
        self.touched: Touched = {}

    def enter(self, frame: Frame) -> None:
        message = frame.message
        if message.depth == 0:
            self._note(frame.evm.block.coinbase)
            self._note(message.caller)
        self._note(message.target)
        self._note(message.code_address)

    def before(self, frame: Frame, code: int) -> None:
        stack = frame.stack
        if code in _SLOT_FIRST and stack:
            self._note(frame.address)[stack[-1].to_bytes(32, "big")] = None
        elif code in _ADDRESS_FIRST and stack:
            self._note(to_address(stack[-1]))
        elif code in _ADDRESS_SECOND and len(stack) > 1:
            self._note(to_address(stack[-2]))

    def after(self, frame: Frame) -> None:
        pass

    def exit(self, frame: Frame) -> None:
        pass

    def _note(self, address: Address) -> dict[Hash32, None]:
        return self.touched.setdefault(address, {})


@dataclass(frozen=True, slots=True)
class Shown:
    """What of an account is listed; `absent`: accounts that do not exist, too."""

    code: bool = True
    storage: bool = True
    absent: bool = False


EVERYTHING = Shown()


def accounts_of(state: State, touched: Touched, shown: Shown = EVERYTHING) -> dict[str, dict[str, Any]]:
    """The touched accounts as they stand in `state`."""
    accounts, room = {}, Room()
    for address, slots in touched.items():
        account = state.account(address)
        if account is None and not shown.absent:
            continue
        account = account or EMPTY_ACCOUNT
        fields: dict[str, Any] = {"balance": format_quantity(account.balance)}
        if account.nonce:
            fields["nonce"] = account.nonce
        if shown.code and (code := state.code(address)):
            room.take(len(code))
            fields["code"] = format_bytes(code)
        values = {format_bytes(slot): _word(value) for slot in slots if (value := state.word(address, slot))}
        if values and shown.storage:
            fields["storage"] = values
        accounts[format_bytes(address)] = fields
    return accounts


def difference(pre: dict[str, dict[str, Any]], post: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """geth's diff mode: accounts that changed, of `post` only the fields that are different."""
    shown_pre, shown_post = {}, {}
    for address in {**pre, **post}:
        before, after = pre.get(address, {}), post.get(address, {})
        if before == after:
            continue
        if before:
            shown_pre[address] = before
        changed = {name: value for name, value in after.items() if value != before.get(name)}
        if changed:
            shown_post[address] = changed
    return {"pre": shown_pre, "post": shown_post}


def _word(value: int) -> str:
    return f"0x{value:064x}"
