"""CoreWriter: actions that contracts write, in Hyperliquid's encoding (D10).

The bytes are 0x01, a three-byte action id, and the ABI encoding of the action's fields. The account is whoever
called; there is no signature and no nonce, and a contract without an account is ignored. An action joins the
segment of its class, ahead of that account's signed actions, in the order of the logs (D2).
"""

from __future__ import annotations

from collections.abc import Callable

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.errors import DecodeError, InvalidAction, InvalidInput, NotSupported
from coinone.base.primitives.integers import div_up
from coinone.base.primitives.parameters import USER_TEXT_MAX
from coinone.base.primitives.types import Address
from coinone.rules.exchange.accounts.credits import Budget, charge_all
from coinone.rules.exchange.actions.agents import end_agency
from coinone.rules.exchange.batch.execution import Batch
from coinone.rules.exchange.context import Outcome
from coinone.rules.exchange.wire import types as t
from coinone.rules.exchange.wire.decode import decode_user
from coinone.rules.exchange.wire.operations import operations_of
from coinone.rules.exchange.wire.segments import Item
from coinone.rules.ledger.crossings import CoreAction

_VERSION = 1
_TIFS = {1: t.Tif.ALO, 2: t.Tif.GTC, 3: t.Tif.IOC}
_QUOTE_TOKEN = 0


def core_items(batch: Batch, first: int) -> list[Item]:
    """The batch's CoreWriter actions as items, numbered from `first`; refused ones get their outcome here."""
    items = []
    for n, action in enumerate(batch.ctx.core_actions):
        tx_hash = keccak256(b"coinone-core" + batch.ctx.seq.to_bytes(8, "big") + n.to_bytes(8, "big"))
        slot = _account_of(batch, action.sender)
        try:
            if slot is None:
                raise InvalidAction("the caller has no account")
            said = decode_core(action)
            decoded = operations_of(said) if isinstance(said, t.Trade) else said
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


def _account_of(batch: Batch, caller: Address) -> int | None:
    """A contract signs nothing: that it acts is how it leaves an agency that somebody gave it (agents.py)."""
    if caller in batch.ledger.agents:
        end_agency(batch, caller)
    return batch.rows.slot_of(caller)


def core_outcomes(batch: Batch, first: int) -> tuple[Outcome, ...]:
    """What became of the batch's CoreWriter actions, aligned with them."""
    return tuple([batch.outcomes[first + n] for n in range(len(batch.ctx.core_actions))])


def decode_core(action: CoreAction) -> t.Trade | t.Action:
    """The action in CoreWriter bytes. Raises DecodeError or NotSupported."""
    data = action.data
    if len(data) < 4 or data[0] != _VERSION:
        raise DecodeError("core action: unknown version")
    kind = int.from_bytes(data[1:4], "big")
    reader = _READERS.get(kind)
    if reader is None:
        raise NotSupported("core action not supported", id=kind)
    return reader(_Words(data[4:]))


class _Words:
    """ABI words, each read as what it must be."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._at = 0

    def uint(self, bits: int) -> int:
        word = self.data[self._at : self._at + 32]
        if len(word) != 32:
            raise DecodeError("core action: ends early")
        self._at += 32
        value = int.from_bytes(word, "big")
        if value >> bits:
            raise DecodeError("core action: number too large", bits=bits)
        return value

    def flag(self) -> bool:
        return self.uint(1) == 1

    def address(self) -> bytes:
        return self.uint(160).to_bytes(20, "big")

    def text(self) -> str:
        """A string, which must be the only dynamic field: its offset points right behind the words."""
        if self.uint(32) != self._at:
            raise DecodeError("core action: string elsewhere")
        size = self.uint(32)
        raw = self.data[self._at : self._at + size]
        if size > USER_TEXT_MAX or len(raw) != size:
            raise DecodeError("core action: bad string")
        self._at += 32 * div_up(size, 32)
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise DecodeError("core action: text is not UTF-8") from error

    def end(self) -> None:
        if self._at != len(self.data):
            raise DecodeError("core action: bytes after the fields")


def _limit_order(words: _Words) -> t.Trade:
    asset, is_buy, px, sz = words.uint(31), words.flag(), words.uint(63), words.uint(63)
    reduce_only, tif, cloid = words.flag(), _TIFS.get(words.uint(8)), words.uint(128)
    words.end()
    if tif is None:
        raise DecodeError("core action: unknown time in force")
    spec = t.OrderSpec(asset, is_buy, px, sz, reduce_only, tif, None, cloid)
    return t.Order((spec,), "na", None)


def _cancel_by_oid(words: _Words) -> t.Trade:
    target = t.OrderRef(words.uint(31), words.uint(64), 0)
    words.end()
    return t.Cancel((target,), by_cloid=False)


def _cancel_by_cloid(words: _Words) -> t.Trade:
    target = t.OrderRef(words.uint(31), 0, words.uint(128))
    words.end()
    return t.Cancel((target,), by_cloid=True)


def _spot_send(words: _Words) -> t.Action:
    destination, token, amount = words.address(), words.uint(64), words.uint(64)
    words.end()
    return _send("spotSend", destination, token, amount)


def _send_asset(words: _Words) -> t.Action:
    destination, sub_account = words.address(), words.uint(160)
    words.uint(32), words.uint(32)  # one exchange: whatever dex is named
    token, amount = words.uint(64), words.uint(64)
    words.end()
    if sub_account:
        raise NotSupported("sub-accounts are not supported")
    return _send("sendAsset", destination, token, amount)


def _send(kind: str, destination: bytes, token: int, amount: int) -> t.Action:
    if token != _QUOTE_TOKEN:
        raise NotSupported("unknown token", token=token)
    if not 0 < amount < 2**62:
        raise DecodeError("core action: amount out of range")
    return t.SendAsset(kind, destination, amount)


def _usd_class_transfer(words: _Words) -> t.Action:
    amount, to_perp = words.uint(64), words.flag()
    words.end()
    return t.UsdClassTransfer(amount, to_perp)


def _add_api_wallet(words: _Words) -> t.Action:
    agent, name = words.address(), words.text()
    words.end()
    return decode_user("ApproveAgent", {"agentAddress": agent, "agentName": name})


def _approve_builder_fee(words: _Words) -> t.Action:
    """The rate counts tenths of a basis point."""
    rate, builder = words.uint(64), words.address()
    words.end()
    return t.ApproveBuilderFee(builder, rate)


_READERS: dict[int, Callable[[_Words], t.Trade | t.Action]] = {
    1: _limit_order,
    6: _spot_send,
    7: _usd_class_transfer,
    9: _add_api_wallet,
    10: _cancel_by_oid,
    11: _cancel_by_cloid,
    12: _approve_builder_fee,
    13: _send_asset,
}
