"""Records of the batch log: frames that distinguish damage from a write that a crash interrupted.

A record's head has its length, kind, seq and the offset of its group (the records synced together), with its own
checksum; a second checksum covers the whole record. Both are keyed by the file's random id and the record's offset, so
that no batch can contain bytes that pass for a record.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b

_MAGIC = b"c1rc"
_HEAD = struct.Struct(">4sIBQQ")  # magic, payload length, kind, seq, offset where its group begins
_SUM_SIZE = 8
HEAD_SIZE = _HEAD.size + _SUM_SIZE
ID_SIZE = 16
_SECTOR = 512


class Kind(IntEnum):
    BATCH = 1  # a certified batch
    VOTE = 2  # a vote, before it is sent
    VOID = 3  # batches from this seq on are void
    PREPARED = 4  # a batch that may be certified elsewhere, with its quorum of prepares
    CHANGE = 5  # a vote for another term, after which none is cast in older ones


@dataclass(frozen=True, slots=True)
class Record:
    kind: Kind
    seq: int
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class Found:
    record: Record
    group_start: int
    end: int


class Damaged(Exception):
    """There is no complete, valid record at this offset."""


def encode_record(file_id: bytes, offset: int, group_start: int, record: Record) -> bytes:
    head = _HEAD.pack(_MAGIC, len(record.payload), record.kind, record.seq, group_start)
    body = head + _sum(file_id, offset, head) + record.payload
    return body + _sum(file_id, offset, body)


def read_record(file_id: bytes, data: bytes, offset: int) -> Found:
    """Read the record at `offset`. Raises Damaged."""
    head = data[offset : offset + _HEAD.size]
    body_start = offset + HEAD_SIZE
    if len(data) < body_start or data[offset + _HEAD.size : body_start] != _sum(file_id, offset, head):
        raise Damaged
    magic, length, kind, seq, group_start = _HEAD.unpack(head)
    end = body_start + length
    stored_sum = data[end : end + _SUM_SIZE]
    if magic != _MAGIC or stored_sum != _sum(file_id, offset, data[offset:end]):
        raise Damaged
    return Found(Record(Kind(kind), seq, data[body_start:end]), group_start, end + _SUM_SIZE)


def is_torn(file_id: bytes, data: bytes, offset: int) -> bool:
    """Whether the damage at `offset` is an unfinished write, rather than later corruption.

    It is unfinished if the file ends before the record does, or a whole sector of it is zero (the size
    reached the disk before the data), and if no later record shows that this place had been synced.
    """
    if _later_record_from(file_id, data, offset):
        return False
    head = data[offset : offset + _HEAD.size]
    if len(data) < offset + HEAD_SIZE:
        return True
    if data[offset + _HEAD.size : offset + HEAD_SIZE] == _sum(file_id, offset, head):
        end = offset + HEAD_SIZE + _HEAD.unpack(head)[1] + _SUM_SIZE
        if end > len(data):
            return True
    return _has_zero_sector(data, offset)


def _later_record_from(file_id: bytes, data: bytes, offset: int) -> bool:
    """Whether a valid record follows whose group began after `offset`."""
    at = data.find(_MAGIC, offset + 1)
    while at >= 0:
        try:
            if read_record(file_id, data, at).group_start > offset:
                return True
        except (Damaged, ValueError):
            pass
        at = data.find(_MAGIC, at + 1)
    return False


def _has_zero_sector(data: bytes, offset: int) -> bool:
    """Whether a sector is all zero, from its start or the damaged record's start to its end."""
    first = offset - offset % _SECTOR
    for start in range(first, len(data), _SECTOR):
        part = data[max(start, offset) : start + _SECTOR]
        if part and not any(part):
            return True
    return False


def _sum(file_id: bytes, offset: int, data: bytes) -> bytes:
    return blake2b(data, digest_size=_SUM_SIZE, key=file_id, salt=offset.to_bytes(16, "big")).digest()
