"""Encode blocks, transactions, receipts, logs and proofs as the JSON that Ethereum clients parse. Pure functions.

Field names and forms follow ethereum/execution-apis. Fields of rules that this chain does not have (blobs, withdrawals,
beacon roots) hold the same constants as the header's hash, so that a client can recompute it.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.base.primitives.types import Address, Hash32
from coinone.interfaces.api.http import jsonio
from coinone.rules.chain.imported.header import EthereumBlock, EthereumHeader
from coinone.rules.ledger.header import BLOOM_SIZE, EMPTY_REQUESTS, EMPTY_TRIE, Header
from coinone.rules.ledger.placed import PlacedRecord
from coinone.rules.ledger.receipts import bloom
from coinone.rules.ledger.records import TransactionRecord
from coinone.rules.state.proofs import AccountProof, SlotProof
from coinone.rules.state.steps import Steps
from coinone.rules.vm import Log

Json = dict[str, Any]
AnyHeader = Header | EthereumHeader  # Coinone's, or one of an imported Ethereum chain

LOGS_PER_STEP = 64  # encoded between two pauses: 1 ms
ZERO_32 = "0x" + "00" * 32


def hex_bytes(value: bytes) -> str:
    return "0x" + value.hex()


def word(value: int) -> str:
    """Encode a 32-byte word."""
    return f"0x{value:064x}"


def optional_address(value: Address | None) -> str | None:
    return None if value is None else "0x" + value.hex()


def header_json(header: AnyHeader) -> Json:
    """The header's fields: for newHeads, and as part of a block."""
    later = _later_fields(header) if isinstance(header, EthereumHeader) else _CONSTANTS
    return {
        "number": hex(header.number),
        "hash": hex_bytes(header.hash),
        "parentHash": hex_bytes(header.parent_hash),
        "sha3Uncles": hex_bytes(header.ommers_hash),
        "logsBloom": hex_bytes(header.bloom),
        "transactionsRoot": hex_bytes(header.transactions_root),
        "stateRoot": hex_bytes(header.state_root),
        "receiptsRoot": hex_bytes(header.receipts_root),
        "miner": hex_bytes(header.coinbase),
        "difficulty": hex(header.difficulty),
        "extraData": hex_bytes(header.extra_data),
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "timestamp": hex(header.timestamp),
        "mixHash": hex_bytes(header.prev_randao),
        **({"baseFeePerGas": hex(header.base_fee)} if header.base_fee else {}),
        **later,
    }


_CONSTANTS: Json = {
    "nonce": "0x0000000000000000",
    "withdrawalsRoot": hex_bytes(EMPTY_TRIE),
    "blobGasUsed": "0x0",
    "excessBlobGas": "0x0",
    "parentBeaconBlockRoot": ZERO_32,
    "requestsHash": hex_bytes(EMPTY_REQUESTS),
}


def _later_fields(header: EthereumHeader) -> Json:
    """The fields that later Ethereum forks added, as far as this header has them."""
    body: Json = {"nonce": hex_bytes(header.nonce)}
    for name, root in (
        ("withdrawalsRoot", header.withdrawals_root),
        ("parentBeaconBlockRoot", header.parent_beacon_root),
        ("requestsHash", header.requests_hash),
    ):
        if root is not None:
            body[name] = hex_bytes(root)
    for name, gas in (("blobGasUsed", header.blob_gas_used), ("excessBlobGas", header.excess_blob_gas)):
        if gas is not None:
            body[name] = hex(gas)
    return body


def block_json(header: AnyHeader, transactions: list[Any], raws: Sequence[bytes]) -> Json:
    """A block with its Ethereum transactions, as hashes or objects; `raws` are their bytes."""
    fields = header_json(header)
    with_withdrawals = "withdrawalsRoot" in fields
    return {
        **fields,
        "size": hex(_block_size(header, raws, with_withdrawals)),
        "transactions": transactions,
        "uncles": [],
        **({"withdrawals": []} if with_withdrawals else {}),
    }


def imported_body_json(block: EthereumBlock) -> Json:
    """The fields of an imported Ethereum block apart from transactions."""
    body: Json = {
        "size": hex(block.size),
        "uncles": [hex_bytes(keccak256(rlp.encode(ommer))) for ommer in block.ommers],
    }
    if block.header.withdrawals_root is not None:
        body["withdrawals"] = [
            {
                "index": hex(row.index),
                "validatorIndex": hex(row.validator),
                "address": hex_bytes(row.address),
                "amount": hex(row.gwei),
            }
            for row in block.withdrawals
        ]
    return body


def uncle_json(header: EthereumHeader) -> Json:
    """An uncle's header: without transactions, as in geth."""
    size = len(rlp.encode([list(header_fields(header)), [], []]))
    return {**header_json(header), "size": hex(size), "uncles": []}


def _block_size(header: AnyHeader, raws: Sequence[bytes], with_withdrawals: bool) -> int:
    """The size of the block's RLP: header, transactions, and the empty lists after them."""
    head = header_fields(header)
    body = sum(len(raw) if raw[0] >= 0xC0 else len(rlp.encode(raw)) for raw in raws)
    return _list_size(len(rlp.encode(list(head))) + _list_size(body) + 1 + with_withdrawals)


def header_fields(header: AnyHeader) -> Sequence[rlp.Encodable]:
    """The fields that are hashed for the header's hash."""
    return header.fields if isinstance(header, EthereumHeader) else header.ethereum_fields()


def _list_size(payload: int) -> int:
    return payload + (1 if payload < 56 else 1 + (payload.bit_length() + 7) // 8)


def log_json(log: Log, header: AnyHeader, tx_hash: Hash32, tx_index: int, log_index: int) -> Json:
    """A log with its position in the chain."""
    return {
        "address": hex_bytes(log.address),
        "topics": [hex_bytes(topic) for topic in log.topics],
        "data": hex_bytes(log.data),
        "blockNumber": hex(header.number),
        "blockHash": hex_bytes(header.hash),
        "blockTimestamp": hex(header.timestamp),
        "transactionHash": hex_bytes(tx_hash),
        "transactionIndex": hex(tx_index),
        "logIndex": hex(log_index),
        "removed": False,
    }


def proof_json(proof: AccountProof, keys: Sequence[str]) -> Json:
    """An EIP-1186 proof; `keys` are the slots as the caller wrote them."""
    return {
        "address": hex_bytes(proof.address),
        "accountProof": [hex_bytes(node) for node in proof.proof],
        "balance": hex(proof.account.balance),
        "codeHash": hex_bytes(proof.account.code_hash),
        "nonce": hex(proof.account.nonce),
        "storageHash": hex_bytes(proof.storage_root),
        "storageProof": [_slot_json(slot, key) for slot, key in zip(proof.slots, keys, strict=True)],
    }


def _slot_json(slot: SlotProof, key: str) -> Json:
    return {
        "key": key,
        "value": hex(slot.value),
        "proof": [hex_bytes(node) for node in slot.proof],
    }


def receipt_steps(row: PlacedRecord, header: AnyHeader) -> Steps[Json]:
    """A receipt, made in short steps with its logs already encoded: they may be tens of thousands."""
    logs, bits = [], 0
    for start in range(0, len(row.record.logs), LOGS_PER_STEP):
        part = row.record.logs[start : start + LOGS_PER_STEP]
        first = row.first_log_index + start
        logs += [
            jsonio.encode(log_json(log, header, row.record.hash, row.index, first + n))
            for n, log in enumerate(part)
        ]
        bits |= int.from_bytes(bloom(part), "big")
        yield
    raw = msgspec.Raw(b"[" + b",".join(logs) + b"]")
    return _receipt(row, header, raw, bits.to_bytes(BLOOM_SIZE, "big"))


def _receipt(row: PlacedRecord, header: AnyHeader, logs: Any, log_bloom: bytes) -> Json:
    record = row.record
    return {
        "blockHash": hex_bytes(header.hash),
        "blockNumber": hex(header.number),
        "transactionHash": hex_bytes(record.hash),
        "transactionIndex": hex(row.index),
        "from": hex_bytes(record.sender),
        "to": optional_address(record.to),
        "contractAddress": optional_address(record.contract_address),
        "cumulativeGasUsed": hex(row.cumulative_gas),
        "gasUsed": hex(record.gas_used),
        "effectiveGasPrice": hex(record.gas_price),
        "logs": logs,
        "logsBloom": hex_bytes(log_bloom),
        "type": hex(record.type),
        **_outcome(record),
    }


def _outcome(record: TransactionRecord) -> Json:
    if record.post_state is not None:
        return {"root": hex_bytes(record.post_state)}
    return {"status": "0x1" if record.succeeded else "0x0"}
