"""Blocks before the first fork that Coinone's VM knows: read, not executed.

As in a snap sync, their receipts and the state after the last of them come from a checkpoint, and both are checked
against the headers. The headers are linked by their hashes; proof of work is not checked, so an import of such a chain
relies on the source of its last header.
"""

from collections.abc import Sequence

from coinone.base.crypto.keccak import keccak256
from coinone.base.forms.ethereum import decode_any_transaction, effective_gas_price
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError, InvalidBlock
from coinone.base.primitives.records import codec_of
from coinone.rules.chain.imported.header import EthereumBlock, EthereumHeader
from coinone.rules.ledger.records import TransactionRecord
from coinone.rules.state.rebuild import ordered_root
from coinone.rules.vm import Log
from coinone.rules.vm.addresses import create_address

_SUCCEEDED = b"\x01"
_LOGS = codec_of(tuple[Log, ...])
_ROOT_SIZE = 32  # before Byzantium a receipt had the state root instead of a status


def check_past_block(
    block: EthereumBlock, parent: EthereumHeader, receipts: Sequence[bytes]
) -> tuple[TransactionRecord, ...]:
    """The records of a block's transactions, from `receipts` (each as in its trie). Raises InvalidBlock or
    DecodeError."""
    header = block.header
    if header.parent_hash != parent.hash or header.number != parent.number + 1:
        raise InvalidBlock("does not follow its parent", parent=parent.number, have=header.number)
    if ordered_root(block.transactions) != header.transactions_root:
        raise InvalidBlock("transactions root")
    if keccak256(rlp.encode(list(block.ommers))) != header.ommers_hash:
        raise InvalidBlock("ommers hash")
    withdrawals = ordered_root([row.encoded for row in block.withdrawals])
    if header.withdrawals_root not in (None, withdrawals):
        raise InvalidBlock("withdrawals root")
    if len(receipts) != len(block.transactions) or ordered_root(receipts) != header.receipts_root:
        raise InvalidBlock("the checkpoint's receipts are not this block's", number=header.number)
    return tuple(_records(block, receipts))


def _records(block: EthereumBlock, receipts: Sequence[bytes]) -> list[TransactionRecord]:
    records, before = [], 0
    for raw, receipt in zip(block.transactions, receipts, strict=True):
        tx = decode_any_transaction(raw)
        outcome, cumulative, logs = _decode_receipt(receipt)
        base_fee, has_root = block.header.base_fee, len(outcome) == _ROOT_SIZE
        records.append(TransactionRecord(
            raw=raw, hash=tx.hash, type=tx.type, sender=tx.sender, to=tx.to, is_system=False,
            succeeded=outcome == _SUCCEEDED or has_root, gas_used=cumulative - before,
            gas_price=effective_gas_price(tx, base_fee) if base_fee else tx.max_fee_per_gas,
            contract_address=create_address(tx.sender, tx.nonce) if tx.to is None else None, logs=logs,
            post_state=outcome if has_root else None,
        ))  # fmt: skip
        before = cumulative
    return records


def _decode_receipt(data: bytes) -> tuple[bytes, int, tuple[Log, ...]]:
    """Decode a receipt: status or state root, gas used in the block so far, logs."""
    if not data:
        raise DecodeError("receipt: empty")
    fields = rlp.decode_list(rlp.decode(data if data[0] >= 0xC0 else data[1:]), 4)
    return (
        rlp.decode_bytes(fields[0]),
        rlp.decode_int(fields[1]),
        _LOGS.decode(fields[3]),
    )
