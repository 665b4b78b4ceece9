"""Encode transactions as the JSON that Ethereum clients parse: in blocks, in the pool, and the chain's system calls."""

from coinone.base.forms.ethereum import (
    ACCESS_LIST,
    BLOB,
    LEGACY,
    SET_CODE,
    Authorization,
    EthereumTransaction,
    decode_any_transaction,
)
from coinone.base.primitives import rlp
from coinone.interfaces.api.ethereum.json.blocks import AnyHeader, Json, hex_bytes, optional_address, word
from coinone.rules.ledger.placed import PlacedRecord
from coinone.rules.ledger.records import TransactionRecord


def transaction_json(row: PlacedRecord, header: AnyHeader) -> Json:
    """A transaction of a block. System calls are shown as unsigned legacy transactions of their system address."""
    record = row.record
    body = {
        "blockHash": hex_bytes(header.hash),
        "blockNumber": hex(header.number),
        "blockTimestamp": hex(header.timestamp),
        "transactionIndex": hex(row.index),
        "from": hex_bytes(record.sender),
        "hash": hex_bytes(record.hash),
    }
    if record.is_system:
        return body | _system_fields(record)
    tx = decode_any_transaction(record.raw)
    return body | transaction_fields(tx) | {"gasPrice": hex(record.gas_price)}


def pending_transaction_json(tx: EthereumTransaction) -> Json:
    """A transaction that no block contains yet."""
    return {
        "blockHash": None,
        "blockNumber": None,
        "blockTimestamp": None,
        "transactionIndex": None,
        "from": hex_bytes(tx.sender),
        "hash": hex_bytes(tx.hash),
        "gasPrice": hex(tx.max_fee_per_gas),
    } | transaction_fields(tx)


def transaction_fields(tx: EthereumTransaction) -> Json:
    """The fields of a transaction itself, independent of its place."""
    body: Json = {
        "type": hex(tx.type),
        "nonce": hex(tx.nonce),
        "to": optional_address(tx.to),
        "value": hex(tx.value),
        "gas": hex(tx.gas),
        "input": hex_bytes(tx.data),
        "v": hex(tx.v),
        "r": hex(tx.r),
        "s": hex(tx.s),
    }
    if tx.chain_id is not None:
        body["chainId"] = hex(tx.chain_id)
    if tx.type == LEGACY:
        return body
    body["yParity"] = hex(tx.v)
    body["accessList"] = [
        {"address": hex_bytes(address), "storageKeys": [word(slot) for slot in slots]}
        for address, slots in tx.access_list
    ]
    if tx.type != ACCESS_LIST:
        body["maxFeePerGas"] = hex(tx.max_fee_per_gas)
        body["maxPriorityFeePerGas"] = hex(tx.max_priority_fee_per_gas)
    if tx.type == BLOB:
        body["maxFeePerBlobGas"] = hex(tx.max_fee_per_blob_gas)
        body["blobVersionedHashes"] = [hex_bytes(name) for name in tx.blob_hashes]
    if tx.type == SET_CODE:
        body["authorizationList"] = [_authorization_json(signed) for signed in tx.authorizations]
    return body


def _authorization_json(signed: Authorization) -> Json:
    return {
        "chainId": hex(signed.chain_id),
        "address": hex_bytes(signed.address),
        "nonce": hex(signed.nonce),
        "yParity": hex(signed.v),
        "r": hex(signed.r),
        "s": hex(signed.s),
    }


def _system_fields(record: TransactionRecord) -> Json:
    """The fields of a system call, whose bytes are a legacy transaction with a zero signature."""
    nonce, _, gas, _, value, data = (
        rlp.decode_bytes(item) for item in rlp.decode_list(rlp.decode(record.raw), 9)[:6]
    )
    return {
        "type": "0x0",
        "nonce": hex(int.from_bytes(nonce, "big")),
        "to": optional_address(record.to),
        "value": hex(int.from_bytes(value, "big")),
        "gas": hex(int.from_bytes(gas, "big")),
        "gasPrice": hex(record.gas_price),
        "input": hex_bytes(data),
        "v": "0x0",
        "r": "0x0",
        "s": "0x0",
    }
