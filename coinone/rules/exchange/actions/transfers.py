"""Transfers: deposits, sends, withdrawals.

There is one quote balance per account (D10). An account may send what its equity holds above the larger of its initial
margin and a tenth of its positions' value (Hyperliquid's transfer rule), and nothing while a market in which it has a
position lacks an oracle price or awaits a jump's confirmation (prices/oracle.py).
"""

from dataclasses import dataclass

from coinone.base.forms.user_signed import user_signed
from coinone.base.primitives.errors import DecodeError, NotSupported
from coinone.base.primitives.integers import div_up
from coinone.base.primitives.parameters import CREDIT_MINIMUM, WITHDRAWALS_WAITING_MAX
from coinone.base.primitives.parse import parse_address
from coinone.base.primitives.types import Address
from coinone.rules.exchange.accounts.locks import is_locked
from coinone.rules.exchange.accounts.open_orders import resting_loss
from coinone.rules.exchange.actions.addresses import is_keyless
from coinone.rules.exchange.actions.opening import credit, tell
from coinone.rules.exchange.batch.execution import Execution
from coinone.rules.exchange.rows.tables import MarketStatus
from coinone.rules.exchange.state.rows import Rows
from coinone.rules.exchange.trading.answers import DEFAULT
from coinone.rules.exchange.wire import contract as abi
from coinone.rules.exchange.wire import fields as f
from coinone.rules.exchange.wire.action import ActionType, Applied, Segment
from coinone.rules.exchange.wire.contract import ContractForm
from coinone.rules.exchange.wire.segments import Item
from coinone.rules.ledger.crossings import Deposit, Withdrawal

_QUOTE_TOKEN = 0


@dataclass(frozen=True, slots=True)
class SendAsset:
    """usdSend, spotSend and sendAsset: all move the one quote balance (D10).

    To the token's system address it is a withdrawal to the EVM.
    """

    destination: Address
    amount: int  # 1e-6
    token: str = ""  # as signed, "NAME" or "NAME:id"; "" = the quote token


def apply_deposit(batch: Execution, deposit: Deposit) -> None:
    """Credit a deposit to its sender."""
    if deposit.amount == 0:  # a token transfer of nothing, which anyone may send
        return
    batch.money_in += deposit.amount
    credit(batch, deposit.address, deposit.amount, "deposit", batch.ex.config.system_address, deposit.tx_hash)


def _send(batch: Execution, item: Item, action: SendAsset) -> None:
    """Execute usdSend, spotSend or sendAsset; to the system address they withdraw to the EVM."""
    refusal = _refusal(batch, item, action)
    if refusal:
        batch.failed(item, refusal)
        return
    batch.move_cash(item.account, -action.amount)
    if action.destination == batch.ex.config.system_address:
        _withdraw(batch, item, action.amount)
    else:
        tell(batch, item.address, "send", -action.amount, action.destination, item.tx_hash)
        credit(batch, action.destination, action.amount, "receive", item.address, item.tx_hash)
    batch.executed(item, DEFAULT)


def withdrawable(rows: Rows, slot: int) -> int:
    """The amount an account may send: equity above max(initial margin and the loss of resting orders, 10 % of its
    positions).

    Zero for a locked account: the proceeds of its closing are the fund's.
    """
    if is_locked(rows, slot):
        return 0
    row, markets = rows.accounts[slot], rows.market_count
    sizes = rows.positions["size"][slot, :markets].tolist()
    marks = rows.markets["mark"][:markets].tolist()
    statuses = rows.markets["status"][:markets].tolist()
    if any(size and status > MarketStatus.AGED for size, status in zip(sizes, statuses, strict=True)):
        return 0
    notional = sum(abs(size) * mark for size, mark in zip(sizes, marks, strict=True))
    kept = max(int(row["initial_margin"]) + resting_loss(rows, slot), div_up(notional, 10))
    return max(0, int(row["cash"]) + int(row["position_value"]) - kept)


def _refusal(batch: Execution, item: Item, action: SendAsset) -> str:
    config = batch.ex.config
    name, _, _ = action.token.partition(":")
    if name not in ("", config.token_name):
        return "Invalid token."
    if action.destination == item.address:
        return "Cannot self-transfer."
    if action.destination != config.system_address and is_keyless(config, action.destination):
        return "Invalid destination."
    leaves = action.destination == config.system_address
    if leaves and batch.ctx.withdrawals_waiting + len(batch.withdrawals) >= WITHDRAWALS_WAITING_MAX:
        return "Too many withdrawals are waiting, try again."
    if not leaves and action.amount < CREDIT_MINIMUM and batch.rows.slot_of(action.destination) is None:
        return "Amount too small for an address without account, must be at least 0.1."
    if action.amount > withdrawable(batch.rows, item.account):
        return "Insufficient balance for withdrawal."
    return ""


def _withdraw(batch: Execution, item: Item, amount: int) -> None:
    """Queue a withdrawal: the chain pays it out in an EVM segment, and it no longer counts as the exchange's money."""
    batch.withdrawals.append(Withdrawal(item.address, amount, item.tx_hash))
    batch.money_out += amount
    tell(batch, item.address, "withdraw", -amount, batch.ex.config.system_address, item.tx_hash)


def _read_usd_send(fields: f.Fields) -> SendAsset:
    return SendAsset(parse_address(fields["destination"]), f.amount(fields["amount"]))


def _read_spot_send(fields: f.Fields) -> SendAsset:
    return SendAsset(parse_address(fields["destination"]), f.amount(fields["amount"]), fields["token"])


def _read_send_asset(fields: f.Fields) -> SendAsset:
    if fields["fromSubAccount"]:
        raise NotSupported("sub-accounts are not supported")
    if fields["sourceDex"] not in ("", "spot") or fields["destinationDex"] not in ("", "spot"):
        raise NotSupported("this network has one exchange: dex must be empty or spot")
    return _read_spot_send(fields)


def _contract_spot_send(destination: Address, token: int, amount: int) -> SendAsset:
    if token != _QUOTE_TOKEN:
        raise NotSupported("unknown token", token=token)
    if not 0 < amount < 2**62:
        raise DecodeError("core action: amount out of range")
    return SendAsset(destination, amount)


def _contract_send_asset(
    destination: Address, sub_account: Address, source: int, target: int, token: int, amount: int
) -> SendAsset:
    """Read sendAsset, ignoring the named dexes: there is one exchange."""
    if any(sub_account):
        raise NotSupported("sub-accounts are not supported")
    return _contract_spot_send(destination, token, amount)


def _by_destination(says: SendAsset, system_address: Address) -> Segment:
    """7 to the token's system address, else 4"""
    return Segment.TRANSFERS_OUT if says.destination == system_address else Segment.ACCOUNT


USD_SEND = ActionType(
    "usdSend",
    _read_usd_send,
    Applied(_send, of_the_solvent=True),
    segment=_by_destination,
    signed=user_signed("UsdSend"),
)
SPOT_SEND = ActionType(
    "spotSend",
    _read_spot_send,
    Applied(_send, of_the_solvent=True),
    segment=_by_destination,
    signed=user_signed("SpotSend"),
    contract=ContractForm(
        6, _contract_spot_send, destination=abi.ADDRESS, token=abi.UINT64, amount=abi.UINT64
    ),
)
SEND_ASSET = ActionType(
    "sendAsset",
    _read_send_asset,
    Applied(_send, of_the_solvent=True),
    segment=_by_destination,
    signed=user_signed("SendAsset"),
    contract=ContractForm(
        13,
        _contract_send_asset,
        destination=abi.ADDRESS,
        subAccount=abi.ADDRESS,
        sourceDex=abi.UINT32,
        destinationDex=abi.UINT32,
        token=abi.UINT64,
        amount=abi.UINT64,
    ),
)
