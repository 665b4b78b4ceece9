"""accountProof: an account's whole state on the exchange at the last block, provable from the block's hash.

The answer holds what a client cannot compute: the header, Coinone's extension of it, the four roots, the account's leaf
and orders, and the sibling hashes of its path. `interfaces/client/proofs.py` checks it; docs/protocol/account-proofs.md
explains how to do it by hand.
"""

from typing import Any

from coinone.base.primitives import rlp
from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.parse import format_bytes
from coinone.base.primitives.records import decode
from coinone.base.primitives.types import Address, Hash32
from coinone.node.node import ChainReader
from coinone.rules.chain.cursor import Cursor, exchange_root_with
from coinone.rules.chain.sealing import CURSOR_KEY
from coinone.rules.exchange.state.root import ExchangeProof
from coinone.rules.ledger.header import Header
from coinone.rules.state.database import Table


def account_proof(reader: ChainReader, user: Address) -> dict[str, Any]:
    """Prove an account, on the executor. Raises InvalidInput for an address without an account in the last block."""
    rows = reader.exchange.rows
    slot = rows.slot_of(user)
    number = None if slot is None else reader.exchange.number(slot)
    if number is None or not reader.chain.leaves.holds(number):
        raise InvalidInput("no such account in the last block")
    row = reader.database.get(Table.META, CURSOR_KEY)
    assert row is not None, "every block leaves its cursor"
    effects, proof = decode(Cursor, row).effects_hash, reader.chain.leaves.prove(number)
    if exchange_root_with(proof.rows_root, effects) != reader.head.exchange_root:
        raise InvalidInput("the next block is being written: try again")  # the disk is slightly ahead
    return proof_json(proof, reader.head, effects)


def proof_json(proof: ExchangeProof, header: Header, effects_hash: Hash32) -> dict[str, Any]:
    accounts, markets, unclaimed, counters = map(format_bytes, proof.roots)
    return {
        "blockNumber": header.number,
        "blockHash": format_bytes(header.hash),
        "header": format_bytes(rlp.encode(header.ethereum_fields())),
        "extension": {
            "batch": header.batch_seq,
            "batchHash": format_bytes(header.batch_hash),
            "exchangeRoot": format_bytes(header.exchange_root),
            "forcedRoot": format_bytes(header.forced_root),
        },
        "effectsHash": format_bytes(effects_hash),
        "roots": {
            "accounts": accounts,
            "markets": markets,
            "unclaimed": unclaimed,
            "globals": counters,
        },
        "account": {
            "number": proof.number,
            "places": proof.places,
            "leaf": format_bytes(proof.leaf),
            "orders": [{"oid": oid, "leaf": format_bytes(leaf)} for oid, leaf in proof.orders],
            "path": [format_bytes(sibling) for sibling in proof.path],
        },
    }
