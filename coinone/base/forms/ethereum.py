"""Ethereum transactions of types 0 (legacy), 1 (access list), 2 (fee market) and 4 (set code).

Bytes come from strangers, so decoding is strict: one spelling per transaction, sizes bounded, signatures with
low s only. Type 3 carries blobs, which this chain does not have; it is refused by name. Only blocks of Ethereum's
own test chains (rules/chain/imported/blocks.py) are read with it.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from coinone.base.crypto.keccak import keccak256
from coinone.base.crypto.secp256k1 import recover, sign
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import DecodeError, InvalidSignature, NotSupported
from coinone.base.primitives.types import Address, Hash32

LEGACY, ACCESS_LIST, FEE_MARKET, BLOB, SET_CODE = range(5)
_SET_CODE_MAGIC = b"\x05"

AccessList: TypeAlias = tuple[tuple[Address, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Authorization:
    """An account's permission to run another account's code as its own; chain id 0 means on any chain."""

    chain_id: int
    address: Address
    nonce: int
    v: int  # parity, 0 or 1
    r: int
    s: int

    @cached_property
    def authority(self) -> Address | None:
        """The account that signed, or None if the signature is invalid."""
        digest = keccak256(_SET_CODE_MAGIC + rlp.encode([self.chain_id, self.address, self.nonce]))
        try:
            return recover(digest, self.r, self.s, 27 + self.v)
        except InvalidSignature:
            return None


@dataclass(frozen=True)
class EthereumTransaction:
    """One transaction. For the types without a fee market both fees hold the gas price.

    `chain_id` is None for a legacy transaction that names no chain. `v` is as on the wire: parity for typed
    transactions, 27 and up for legacy ones.
    """

    type: int
    chain_id: int | None
    nonce: int
    max_fee_per_gas: int
    max_priority_fee_per_gas: int
    gas: int
    to: Address | None
    value: int
    data: bytes
    access_list: AccessList = ()
    authorizations: tuple[Authorization, ...] = ()
    max_fee_per_blob_gas: int = 0
    blob_hashes: tuple[Hash32, ...] = ()
    v: int = 0
    r: int = 0
    s: int = 0

    @property
    def gas_price(self) -> int:
        return self.max_fee_per_gas

    @cached_property
    def encoded(self) -> bytes:
        return encode_transaction(self)

    @cached_property
    def hash(self) -> Hash32:
        return keccak256(self.encoded)

    @property
    def signature(self) -> tuple[Hash32, int, int, int]:
        """The arguments of `recover`: digest, r, s and v (27 or 28)."""
        return signing_hash(self), self.r, self.s, 27 + _parity(self)

    @cached_property
    def sender(self) -> Address:
        """The account that signed. Raises InvalidSignature."""
        return recover(*self.signature)

    def know_sender(self, address: Address) -> None:
        """Set the sender, recovered from `signature` by a worker process."""
        self.__dict__["sender"] = address


def effective_gas_price(tx: EthereumTransaction, base_fee: int) -> int:
    """The price that the sender pays for a unit of gas in a block with this base fee."""
    return min(tx.max_fee_per_gas, base_fee + tx.max_priority_fee_per_gas)


def decode_transaction(data: bytes) -> EthereumTransaction:
    """Decode a transaction strictly. Raises DecodeError, NotSupported or InvalidSignature."""
    if not data:
        raise DecodeError("transaction: empty")
    tx = _decoded(data)
    tx.__dict__["encoded"] = data  # decoding accepts one encoding only, so this is it
    return tx


def _decoded(data: bytes) -> EthereumTransaction:
    kind = data[0]
    if kind >= 0xC0:
        return _decode_legacy(rlp.decode_list(rlp.decode(data), 9))
    if kind == BLOB:
        raise NotSupported("blob transactions are not supported", type=BLOB)
    if kind not in (ACCESS_LIST, FEE_MARKET, SET_CODE):
        raise NotSupported("unknown transaction type", type=kind)
    return _decode_typed(kind, rlp.decode_list(rlp.decode(data[1:])))


def decode_any_transaction(data: bytes) -> EthereumTransaction:
    """`decode_transaction` for blocks of Ethereum's own chains, which also contain type 3."""
    return decode_blob_transaction(data) if data[:1] == bytes((BLOB,)) else decode_transaction(data)


def decode_blob_transaction(data: bytes) -> EthereumTransaction:
    """Decode type 3 as in a block, without blobs. Raises DecodeError or InvalidSignature."""
    fields = rlp.decode_list(rlp.decode(data[1:]), 14)
    without_blobs = _decode_typed(FEE_MARKET, [*fields[:9], *fields[11:]])
    if without_blobs.to is None:
        raise DecodeError("blob transaction without a destination")
    hashes = tuple([rlp.decode_bytes(item, 32) for item in rlp.decode_list(fields[10])])
    return replace(
        without_blobs, type=BLOB, max_fee_per_blob_gas=rlp.decode_int(fields[9]), blob_hashes=hashes
    )


def encode_transaction(tx: EthereumTransaction) -> bytes:
    """Encode a transaction with its signature: the bytes that are hashed and sent to peers."""
    body = [*_unsigned_fields(tx), tx.v, tx.r, tx.s]
    return rlp.encode(body) if tx.type == LEGACY else bytes((tx.type,)) + rlp.encode(body)


def signing_hash(tx: EthereumTransaction) -> Hash32:
    """The digest that the sender signs."""
    fields = _unsigned_fields(tx)
    if tx.type != LEGACY:
        return keccak256(bytes((tx.type,)) + rlp.encode(fields))
    if tx.chain_id is not None:
        fields += [tx.chain_id, 0, 0]
    return keccak256(rlp.encode(fields))


def sign_transaction(tx: EthereumTransaction, key: bytes) -> EthereumTransaction:
    """The same transaction, signed."""
    signature = sign(signing_hash(tx), key)
    v = signature.v - 27
    if tx.type == LEGACY:
        v += 27 if tx.chain_id is None else 35 + 2 * tx.chain_id
    return replace(tx, v=v, r=signature.r, s=signature.s)


def sign_authorization(chain_id: int, address: Address, nonce: int, key: bytes) -> Authorization:
    digest = keccak256(_SET_CODE_MAGIC + rlp.encode([chain_id, address, nonce]))
    signature = sign(digest, key)
    return Authorization(chain_id, address, nonce, signature.v - 27, signature.r, signature.s)


def _decode_legacy(fields: list[rlp.Item]) -> EthereumTransaction:
    nonce, gas_price, gas, to, value, data, v, r, s = fields
    return EthereumTransaction(
        type=LEGACY,
        chain_id=_chain_of(rlp.decode_int(v)),
        nonce=rlp.decode_int(nonce, 8),
        max_fee_per_gas=rlp.decode_int(gas_price),
        max_priority_fee_per_gas=rlp.decode_int(gas_price),
        gas=rlp.decode_int(gas, 8),
        to=_to(to),
        value=rlp.decode_int(value),
        data=rlp.decode_bytes(data),
        v=rlp.decode_int(v),
        r=rlp.decode_int(r),
        s=rlp.decode_int(s),
    )


def _decode_typed(kind: int, fields: list[rlp.Item]) -> EthereumTransaction:
    if kind == ACCESS_LIST:  # one price where other types have two
        rlp.decode_list(fields, 11)
        fields = [*fields[:3], fields[2], *fields[3:]]
    rlp.decode_list(fields, 13 if kind == SET_CODE else 12)
    chain_id, nonce, priority_fee, fee, gas, to, value, data, access_list = fields[:9]
    tx = EthereumTransaction(
        type=kind,
        chain_id=rlp.decode_int(chain_id, 8),
        nonce=rlp.decode_int(nonce, 8),
        max_fee_per_gas=rlp.decode_int(fee),
        max_priority_fee_per_gas=rlp.decode_int(priority_fee),
        gas=rlp.decode_int(gas, 8),
        to=_to(to),
        value=rlp.decode_int(value),
        data=rlp.decode_bytes(data),
        access_list=_access_list(access_list),
        authorizations=_authorizations(fields[9]) if kind == SET_CODE else (),
        v=rlp.decode_int(fields[-3]),
        r=rlp.decode_int(fields[-2]),
        s=rlp.decode_int(fields[-1]),
    )
    if tx.v not in (0, 1):
        raise InvalidSignature("signature: parity is neither 0 nor 1", v=tx.v)
    if kind == SET_CODE and tx.to is None:
        raise DecodeError("set-code transaction without a destination")
    return tx


def _chain_of(v: int) -> int | None:
    """The chain id in a legacy transaction's v, or None if it names no chain."""
    if v in (27, 28):
        return None
    if v < 35:
        raise InvalidSignature("signature: v out of range", v=v)
    return (v - 35) // 2


def _parity(tx: EthereumTransaction) -> int:
    if tx.type != LEGACY:
        return tx.v
    return tx.v - 27 if tx.chain_id is None else (tx.v - 35) % 2


def _to(item: rlp.Item) -> Address | None:
    return None if item == b"" else rlp.decode_bytes(item, 20)


def _access_list(item: rlp.Item) -> AccessList:
    entries = []
    for entry in rlp.decode_list(item):
        address, slots = rlp.decode_list(entry, 2)
        keys = tuple([int.from_bytes(rlp.decode_bytes(slot, 32), "big") for slot in rlp.decode_list(slots)])
        entries.append((rlp.decode_bytes(address, 20), keys))
    return tuple(entries)


def _authorizations(item: rlp.Item) -> tuple[Authorization, ...]:
    found = []
    for entry in rlp.decode_list(item):
        chain_id, address, nonce, v, r, s = rlp.decode_list(entry, 6)
        found.append(
            Authorization(
                rlp.decode_int(chain_id),
                rlp.decode_bytes(address, 20),
                rlp.decode_int(nonce, 8),
                rlp.decode_int(v, 1),
                rlp.decode_int(r),
                rlp.decode_int(s),
            )
        )
    return tuple(found)


def _unsigned_fields(tx: EthereumTransaction) -> list[rlp.Encodable]:
    common: list[rlp.Encodable] = [tx.gas, tx.to or b"", tx.value, tx.data]
    if tx.type == LEGACY:
        return [tx.nonce, tx.gas_price, *common]
    slots: list[rlp.Encodable] = [
        [address, [slot.to_bytes(32, "big") for slot in keys]] for address, keys in tx.access_list
    ]
    assert tx.chain_id is not None, "typed transactions name their chain"
    if tx.type == ACCESS_LIST:
        return [tx.chain_id, tx.nonce, tx.gas_price, *common, slots]
    fees: list[rlp.Encodable] = [tx.max_priority_fee_per_gas, tx.max_fee_per_gas]
    fields: list[rlp.Encodable] = [tx.chain_id, tx.nonce, *fees, *common, slots]
    if tx.type == BLOB:
        fields += [tx.max_fee_per_blob_gas, list(tx.blob_hashes)]
    if tx.type == SET_CODE:
        fields.append([[a.chain_id, a.address, a.nonce, a.v, a.r, a.s] for a in tx.authorizations])
    return fields
