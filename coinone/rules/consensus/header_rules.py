"""Rules of a header with respect to its parent and the network's parameters."""

from coinone.base.primitives.errors import InvalidBlock
from coinone.base.primitives.types import Address
from coinone.rules.ledger.header import EMPTY_TRIE, Header


def check_header(header: Header, parent: Header, gas_limit: int, base_fee: int, coinbase: Address) -> None:
    """Check a header against its parent and the network's parameters. Raises InvalidBlock."""
    if header.parent_hash != parent.hash:
        raise InvalidBlock("another parent", want=parent.hash, have=header.parent_hash)
    if header.number != parent.number + 1:
        raise InvalidBlock("block number", want=parent.number + 1, have=header.number)
    if header.timestamp <= parent.timestamp:
        raise InvalidBlock("timestamp does not rise", parent=parent.timestamp, have=header.timestamp)
    if header.batch_seq < parent.batch_seq:
        raise InvalidBlock("batches go backwards", parent=parent.batch_seq, have=header.batch_seq)
    if header.gas_limit != gas_limit or header.base_fee != base_fee or header.coinbase != coinbase:
        raise InvalidBlock("gas limit, base fee or coinbase differ from the network's")
    if header.batch_seq == parent.batch_seq:
        _check_empty(header, parent)


def _check_empty(header: Header, parent: Header) -> None:
    """A block without batches repeats its parent's state (D1)."""
    same = ("batch_hash", "state_root", "exchange_root")
    if any(getattr(header, name) != getattr(parent, name) for name in same):
        raise InvalidBlock("a block without batches changes state")
    if header.gas_used or header.transactions_root != EMPTY_TRIE or header.receipts_root != EMPTY_TRIE:
        raise InvalidBlock("a block without batches has transactions")
