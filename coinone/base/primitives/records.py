"""Records: the types of fields say how they are written, so that one `encode` and one `decode` serve every format.

    @record
    @dataclass(frozen=True, slots=True)
    class Certificate:
        term: U64
        batch_hash: Hash32
        signatures: Annotated[tuple[tuple[U16, Signature65], ...], Count(15)]

A record is the RLP list of its fields in their order, which is therefore part of the format:

    int, marked Unsigned, Fixed ... U64, I64 ...                  bool                  0 or 1
    bytes, as they are or of a Size Hash32, Address ...           an Enum of integers   its value, one byte
    tuple[X, ...], tuple[X, Y]      a list of these               another record        a list inside the list
    X | None                        the empty string for None     ... marked Wrapped    a byte string that holds it
    anything marked with a Codec    as that one does

`decode` takes exactly what `encode` writes. Its errors name the field, for instance `field=votes.signature`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from operator import attrgetter, call, length_hint
from types import NoneType, UnionType
from typing import Annotated, Any, Generic, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from coinone.base.primitives import codecs, rlp
from coinone.base.primitives.codecs import Codec
from coinone.base.primitives.errors import DecodeError, InvalidInput
from coinone.base.primitives.types import Between, Count, Fixed, Size, Trailing, Unsigned, Unwritten, Wrapped

T = TypeVar("T")


class _Form(NamedTuple):
    """How a record is written: as a whole, and field by field in order."""

    codec: Codec
    fields: dict[str, Codec]


_FORMS: dict[Any, _Form] = {}


def record(cls: type[T]) -> type[T]:
    """Make a dataclass or NamedTuple a record. Fails where a field does not say how it is written."""
    hints = get_type_hints(cls, include_extras=True)
    names = [field.name for field in fields(cls)] if is_dataclass(cls) else list(hints)
    written = {name: hints[name] for name in names if not _has(hints[name], Unwritten)}
    assert list(written) == names[: len(written)], "what is not written stands behind what is"
    ends_early = _has(hints[list(written)[-1]], Trailing)
    form = {name: codec_of(hint) for name, hint in written.items()}
    _FORMS[cls] = _Form(_record_codec(cls, form, ends_early), form)
    return cls


def encode(value: object) -> bytes:
    """The bytes of a record."""
    return _FORMS[type(value)].codec.encode(value)


def decode(cls: type[T], data: bytes) -> T:
    """The record that fills `data`. Raises DecodeError, or LimitExceeded."""
    value: T = _FORMS[cls].codec.decode(rlp.decode(data))
    return value


def encoded_fields(value: Any, *names: str) -> list[bytes]:
    """Two or more fields of a record, or all, each encoded: for hashes that cover a part of it, or more than it."""
    cls: Any = type(value)
    get, writers = _some(cls, names)
    return list(map(call, writers, get(value)))


@cache
def _some(cls: Any, names: tuple[str, ...]) -> tuple[Callable[[Any], Any], list[Callable[[Any], bytes]]]:
    form = _FORMS[cls].fields
    return attrgetter(*names or form), [form[name].encode for name in names or form]


def decode_field(cls: type, parts: Sequence[bytes], name: str) -> Any:
    """One field of a record that was split into `parts` (rlp.parts); the others are not looked at."""
    form = _FORMS[cls].fields
    return form[name].decode(rlp.decode(parts[list(form).index(name)]))


def codec_of(kind: Any) -> Codec:
    """The codec of a type; fails where the type does not say how it is written."""
    if get_origin(kind) is not Annotated:
        return _plain(kind)
    inner, *marks = get_args(kind)
    for mark in marks:
        match mark:
            case Codec():
                return mark
            case Unsigned(width):
                return codecs.unsigned(width)
            case Between(least, most):
                return codecs.between(least, most)
            case Fixed(width, signed):
                return codecs.fixed(width, signed)
            case Size(least, most):
                return codecs.exactly(most) if least == most else codecs.sized(least, most)
            case Count(most):
                return codecs.many(codec_of(get_args(inner)[0]), most)
            case Wrapped(most):
                return _wrapped(inner, most)
            case Trailing():
                return codec_of(_without_none(inner))
    return _plain(inner)


def _plain(kind: Any) -> Codec:
    """Of a type without a mark."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is tuple and inner[-1] is Ellipsis:
        return codecs.many(codec_of(inner[0]), None)
    if origin is tuple:
        first, second = inner
        return codecs.pair(codec_of(first), codec_of(second))
    if origin in (Union, UnionType):
        return codecs.optional(codec_of(_without_none(kind)))
    if kind is bytes:
        return Codec(rlp.encode, rlp.decode_bytes)
    if kind is bool:
        return codecs.boolean()
    if isinstance(kind, type) and issubclass(kind, Enum):
        return codecs.enumerated(kind)
    assert kind in _FORMS, f"{kind} does not say how it is written"
    return _FORMS[kind].codec


def _without_none(kind: Any) -> Any:
    some = [part for part in get_args(kind) if part is not NoneType]
    assert len(some) == 1, f"{kind}: one type or None"
    return some[0]


def _wrapped(cls: Any, most: int | None) -> Codec:
    """A record that remembers its encoding does so as `encoded`."""
    codec = _FORMS[cls].codec
    whole = attrgetter("encoded") if hasattr(cls, "encoded") else codec.encode
    return codecs.wrapped(cls.__name__.lower(), whole, codec.decode, most)


def _record_codec(cls: Callable[..., Any], form: Mapping[str, Codec], ends_early: bool) -> Codec:
    most = len(form)
    least = most - ends_early
    get = attrgetter(*form) if most > 1 else lambda value: (getattr(value, *form),)
    writers = [codec.encode for codec in form.values()]
    readers = [codec.decode for codec in form.values()]

    def encode_record(value: Any) -> bytes:
        values = get(value)
        if ends_early and values[-1] is None:
            values = values[:-1]
        return rlp.encode_joined(map(call, writers, values))

    def decode_record(item: rlp.Item) -> Any:
        parts = item if type(item) is list else rlp.decode_list(item)
        if not least <= len(parts) <= most:
            raise DecodeError("rlp: wrong number of fields", want=most, have=len(parts))
        left = iter(parts)
        try:
            return cls(*map(call, readers, left))
        except InvalidInput as error:
            _name_field(error, list(form)[len(parts) - length_hint(left) - 1])
            raise

    return Codec(encode_record, decode_record)


def _name_field(error: InvalidInput, name: str) -> None:
    inner = error.details.get("field")
    error.details["field"] = name if inner is None else f"{name}.{inner}"


def _has(hint: Any, mark: type) -> bool:
    return get_origin(hint) is Annotated and any(isinstance(found, mark) for found in get_args(hint)[1:])


class Tagged(Generic[T]):
    """One of several records, behind a byte that says which."""

    def __init__(self, kinds: Mapping[int, Any]) -> None:
        self._readers = {tag: _FORMS[kind].codec.decode for tag, kind in kinds.items()}
        self._tags = {kind: bytes((tag,)) for tag, kind in kinds.items()}

    def encode(self, value: T) -> bytes:
        return self._tags[type(value)] + encode(value)

    def decode(self, data: bytes) -> T:
        """Raises DecodeError, or LimitExceeded."""
        read = self._readers.get(data[0]) if data else None
        if read is None:
            raise DecodeError("unknown kind of message", have=data[:1])
        value: T = read(rlp.decode(data[1:]))
        return value
