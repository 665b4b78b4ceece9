"""eth_fillTransaction: complete a transaction object so that it can be signed elsewhere, as geth does."""

from typing import Any

from coinone.base.forms.ethereum import (
    ACCESS_LIST,
    FEE_MARKET,
    LEGACY,
    SET_CODE,
    EthereumTransaction,
    encode_transaction,
)
from coinone.base.primitives.errors import InvalidTransaction
from coinone.base.primitives.integers import U64_MAX
from coinone.base.primitives.types import Address
from coinone.interfaces.api.ethereum.context import Context
from coinone.interfaces.api.ethereum.json.blocks import hex_bytes
from coinone.interfaces.api.ethereum.json.errors import METHOD_NOT_SUPPORTED, SERVER_ERROR, RpcError
from coinone.interfaces.api.ethereum.json.hexes import read_quantity
from coinone.interfaces.api.ethereum.json.params import PENDING, call_request
from coinone.interfaces.api.ethereum.json.transactions import transaction_fields
from coinone.interfaces.api.ethereum.methods.blocks import suggested_tip
from coinone.interfaces.api.ethereum.methods.calls import eth_estimate_gas
from coinone.interfaces.api.ethereum.methods.state import next_nonce
from coinone.rules.chain.ethereum.call import check_set_code
from coinone.rules.chain.ethereum.trial_fees import CallRequest

_OF_BLOBS = ("blobs", "commitments", "proofs")


async def fill_transaction(context: Context, transaction: Any) -> dict[str, Any]:
    """The unsigned transaction, as bytes and as JSON. Raises RpcError, including for a failed gas estimate."""
    chain_id = context.backend.node.network.chain_id
    request = call_request(transaction, chain_id)
    if request.blob_hashes or any(transaction.get(name) is not None for name in _OF_BLOBS):
        raise RpcError(METHOD_NOT_SUPPORTED, "blob transactions are not supported")
    if request.to is None and not request.data:
        raise RpcError(SERVER_ERROR, "contract creation without any data provided")
    _check_set_code(request)
    cap, tip = await _fees(context, transaction, request)
    tx = EthereumTransaction(
        type=_type(transaction, request),
        chain_id=chain_id,
        nonce=await _nonce(context, transaction, request.caller),
        max_fee_per_gas=cap,
        max_priority_fee_per_gas=tip,
        gas=await _gas(context, transaction),
        to=request.to,
        value=request.value,
        data=request.data,
        access_list=request.access_list,
        authorizations=request.authorizations or (),
    )
    raw = encode_transaction(tx)
    shown = transaction_fields(tx) | {"hash": hex_bytes(tx.hash), "gasPrice": None}
    if tx.type in (LEGACY, ACCESS_LIST):
        shown["gasPrice"] = hex(tx.gas_price)
    return {"raw": hex_bytes(raw), "tx": shown}


def _check_set_code(request: CallRequest) -> None:
    try:
        check_set_code(request)
    except InvalidTransaction as error:
        raise RpcError(SERVER_ERROR, str(error)) from error


def _type(transaction: dict[str, Any], request: CallRequest) -> int:
    if request.authorizations is not None:
        return SET_CODE
    if transaction.get("gasPrice") is None:
        return FEE_MARKET
    return LEGACY if transaction.get("accessList") is None else ACCESS_LIST


async def _fees(context: Context, transaction: dict[str, Any], request: CallRequest) -> tuple[int, int]:
    """Cap and tip, in wei: the given ones, else the suggested tip and twice the base fee."""
    if transaction.get("gasPrice") is not None:
        return request.fee_cap, request.tip_cap
    named = transaction.get("maxPriorityFeePerGas") is not None
    tip = request.tip_cap if named else await suggested_tip(context)
    cap = request.fee_cap
    if transaction.get("maxFeePerGas") is None:
        cap = tip + 2 * context.backend.node.next_base_fee()
    if cap < tip:
        raise RpcError(SERVER_ERROR, f"maxFeePerGas ({cap}) < maxPriorityFeePerGas ({tip})")
    return cap, tip


async def _nonce(context: Context, transaction: dict[str, Any], sender: Address) -> int:
    given = transaction.get("nonce")
    if given is not None:
        return read_quantity(given, U64_MAX)
    return await context.backend.reads.query(lambda reader: next_nonce(reader, sender))


async def _gas(context: Context, transaction: dict[str, Any]) -> int:
    """The given gas, else an estimate without fees: whether they can be paid is checked when it is sent."""
    given = transaction.get("gas")
    if given is not None:
        return read_quantity(given, U64_MAX)
    names = ("from", "to", "data", "input", "value", "accessList", "authorizationList")
    message = {name: transaction[name] for name in names if name in transaction}
    return int(await eth_estimate_gas(context, message, PENDING), 16)
