"""The batches and blocks that messages carry, before they are decoded: which one it is, and how many items it has.

A batch, a certificate and a header are byte strings that hold a record, so the items inside them are not items of the
message. Without these checks a peer's batch of a few million items of one byte would be decoded for seconds, whether or
not this node wants it. So its seq is read alone, and its items are counted before they are decoded.
"""

from itertools import islice

from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.records import decode_field
from coinone.rules.ledger.batch import Batch
from coinone.rules.ledger.header import Header


def seq_of(raw: bytes) -> int:
    """The seq of an encoded CertifiedBatch. Raises DecodeError, or LimitExceeded for a list instead of a number."""
    return _number(Batch, raw, "seq")


def number_of(raw: bytes) -> int:
    """The number of an encoded Block. Raises as `seq_of` does."""
    return _number(Header, raw, "number")


def count_items(raw: bytes, most: int) -> int:
    """The RLP items of an encoded CertifiedBatch or Block, with those inside the records that it wraps. Raises
    LimitExceeded for more than `most`, or DecodeError."""
    count = rlp.check_items(raw, most)
    for part in rlp.parts(raw):
        if part[0] < 0xC0:
            count += rlp.check_items(_unwrapped(part), most - count)
    return count


def _number(cls: type, raw: bytes, name: str) -> int:
    """One of the first two fields of the record that `raw` wraps as its first field."""
    [wrapped] = _first(raw, 1)
    fields = _first(_unwrapped(wrapped), 2)
    number: int = decode_field(cls, fields, name)
    return number


def _first(data: bytes, count: int) -> list[bytes]:
    """The first fields of an encoded record, none of them a list."""
    found = list(islice(rlp.parts(data), count))
    if len(found) < count:
        raise DecodeError("rlp: wrong number of fields", have=len(found))
    for part in found:
        rlp.check_items(part, 1)  # an item of its own: decoding it takes no time
    return found


def _unwrapped(part: bytes) -> bytes:
    return rlp.decode_bytes(rlp.decode(part))
