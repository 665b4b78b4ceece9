"""Nodes of the Merkle-Patricia trie and their encoding (Yellow Paper, appendices C and D).

A path is `bytes` with one nibble per byte. A child is None, a node in memory, or a *stub*: the 33 bytes
`0xa0 + hash` by which its parent refers to it while it is not loaded. A node's `ref` is what its parent holds:
a stub, or the node's own encoding if that is shorter than a hash. `ref` is None while the node is dirty.
"""

from typing import TypeAlias, Union

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.errors import DecodeError
from coinone.base.primitives.types import Hash32


class Leaf:
    __slots__ = ("path", "ref", "value")

    def __init__(self, path: bytes, value: bytes, ref: bytes | None = None) -> None:
        self.path = path
        self.value = value
        self.ref = ref


class Extension:
    __slots__ = ("child", "path", "ref")

    def __init__(self, path: bytes, child: "Child", ref: bytes | None = None) -> None:
        self.path = path
        self.child = child
        self.ref = ref


class Branch:
    __slots__ = ("children", "ref", "value")

    def __init__(self, children: list["Child"], value: bytes = b"", ref: bytes | None = None) -> None:
        self.children = children
        self.value = value
        self.ref = ref


Node: TypeAlias = Union[Leaf, Extension, Branch]
Child: TypeAlias = Union[Node, bytes, None]

STUB_SIZE = 33
_NOTHING = b"\x80"
_FULL_BRANCH = b"\xf9\x02\x11"  # a list of 529 bytes
_FULL_BRANCH_SIZE = 532
_SIXTEEN_STUBS = b"\xa0" * 16
EMPTY_ROOT: Hash32 = keccak256(_NOTHING)
_FROM_HEX = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))
_TO_HEX = bytes.maketrans(bytes(range(16)), b"0123456789abcdef")


def nibbles(key: bytes) -> bytes:
    return key.hex().encode().translate(_FROM_HEX)


def ref_of(encoding: bytes) -> bytes:
    """The reference that a parent holds to a node with this encoding."""
    return encoding if len(encoding) < 32 else b"\xa0" + keccak256(encoding)


def encode_node(node: Node) -> bytes:
    """The node's RLP. All its children must be clean: stubs, or nodes whose `ref` is known."""
    if isinstance(node, Branch):
        body = b"".join([child if type(child) is bytes else _child_ref(child) for child in node.children])
        body += _string(node.value) if node.value else _NOTHING
    elif isinstance(node, Leaf):
        body = _string(hex_prefix(node.path, True)) + _string(node.value)
    else:
        assert isinstance(node, Extension)
        body = _string(hex_prefix(node.path, False)) + _child_ref(node.child)
    return _length(len(body), 0xC0) + body


def decode_node(data: bytes, ref: bytes | None = None) -> Node:
    """Decode a node from its RLP; `ref` is its parent's reference to it. Raises DecodeError."""
    if _is_full_branch(data):
        stubs = [data[at : at + STUB_SIZE] for at in range(3, _FULL_BRANCH_SIZE - 1, STUB_SIZE)]
        return Branch(list[Child](stubs), b"", ref)
    items = _raw_items(data)
    if len(items) == 17:
        children = [item if item[0] == 0xA0 else _decode_child(item) for item in items[:16]]
        return Branch(children, _payload(items[16]), ref)
    if len(items) != 2:
        raise DecodeError("trie: a node has 2 or 17 items", have=len(items))
    path, is_leaf = _unprefix(_payload(items[0]))
    if is_leaf:
        return Leaf(path, _payload(items[1]), ref)
    below = items[1]
    return Extension(path, below if below[0] == 0xA0 else _decode_child(below), ref)


def _is_full_branch(data: bytes) -> bool:
    """Whether a node has sixteen stubs and no value, as in the upper levels of a large trie: a fast path."""
    return (
        len(data) == _FULL_BRANCH_SIZE
        and data.startswith(_FULL_BRANCH)
        and data[3:-1:STUB_SIZE] == _SIXTEEN_STUBS
        and data[-1:] == _NOTHING
    )


def hex_prefix(path: bytes, is_leaf: bool) -> bytes:
    """Pack nibbles in bytes; the first nibble encodes leaf or extension, odd or even."""
    flag = 2 * is_leaf + (len(path) & 1)
    even = bytes((flag,)) + path if len(path) & 1 else bytes((flag, 0)) + path
    return bytes.fromhex(even.translate(_TO_HEX).decode())


def _unprefix(packed: bytes) -> tuple[bytes, bool]:
    path = nibbles(packed)
    if not path or path[0] > 3:
        raise DecodeError("trie: bad path prefix")
    return path[1:] if path[0] & 1 else path[2:], path[0] >= 2


def _child_ref(child: Child) -> bytes:
    if child is None:
        return _NOTHING
    if isinstance(child, bytes):
        return child
    ref = child.ref
    assert ref is not None, "children are clean"
    return ref


def _decode_child(item: bytes) -> Child:
    """Decode a child that is not a stub."""
    if item == _NOTHING:
        return None
    if item[0] < 0xC0:
        raise DecodeError("trie: a child is neither a hash nor a node")
    return decode_node(item, item)


def _length(size: int, offset: int) -> bytes:
    if size < 56:
        return bytes((offset + size,))
    tail = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((offset + 55 + len(tail),)) + tail


def _string(data: bytes) -> bytes:
    size = len(data)
    return data if size == 1 and data[0] < 0x80 else _length(size, 0x80) + data


def _span(data: bytes, at: int) -> tuple[int, int]:
    """Start and end of the payload of the item at `at`."""
    first = data[at]
    if first < 0x80:
        return at, at + 1
    short = first - (0x80 if first < 0xC0 else 0xC0)
    if short <= 55:
        return at + 1, at + 1 + short
    start = at + 1 + short - 55
    return start, start + int.from_bytes(data[at + 1 : start], "big")


def _raw_items(data: bytes) -> list[bytes]:
    """Split a list into its items, each with its prefix."""
    if not data or data[0] < 0xC0:
        raise DecodeError("trie: a node is a list")
    at, end = _span(data, 0)
    if end != len(data):
        raise DecodeError("trie: a node's length is wrong")
    items = []
    while at < end:
        first = data[at]
        if first < 0x80:
            stop = at + 1
        elif first <= 0xB7:  # a short string, usually a stub or empty
            stop = at + first - 0x7F
        else:
            stop = _span(data, at)[1]
        items.append(data[at:stop])
        at = stop
    if at != end:
        raise DecodeError("trie: an item runs past its node")
    return items


def _payload(item: bytes) -> bytes:
    if item[0] >= 0xC0:
        raise DecodeError("trie: bytes expected, list found")
    return item[_span(item, 0)[0] :]
