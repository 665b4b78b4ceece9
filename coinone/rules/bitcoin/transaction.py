"""Transactions, with and without their witnesses.

A witness (BIP141, 144) holds the signatures of a segwit input. The *txid* leaves witnesses out, so nobody can change it
by another signature; the *wtxid* covers them. Decoding takes one spelling only, so a transaction encodes to the bytes
that it was read from.
"""

from dataclasses import dataclass
from typing import NamedTuple

from coinone.base.primitives.errors import DecodeError, LimitExceeded
from coinone.base.primitives.types import ZERO_HASH, Hash32
from coinone.rules.bitcoin.encoding import ByteReader, compact_size, hash256, sized
from coinone.rules.bitcoin.errors import InvalidBitcoin

BLOCK_WEIGHT_MAX = 4_000_000  # of a block, and so of a transaction (BIP141)
WITNESS_FACTOR = 4  # a byte that is not of a witness weighs so much
MONEY_MAX = 21_000_000 * 100_000_000  # satoshi: no sum in Bitcoin is larger
COINBASE_SCRIPT_BYTES = range(2, 101)  # of the script of a coinbase's only input
_NO_OUTPUT = 0xFFFFFFFF
_INPUT_LEAST, _OUTPUT_LEAST = 41, 9  # bytes of the shortest ones


class TxInput(NamedTuple):
    txid: Hash32  # of the transaction whose output is spent
    output: int  # which of its outputs
    script: bytes = b""
    sequence: int = 0xFFFFFFFF
    witness: tuple[bytes, ...] = ()


class TxOutput(NamedTuple):
    value: int  # satoshi
    script: bytes


@dataclass(frozen=True, slots=True)
class BitcoinTransaction:
    inputs: tuple[TxInput, ...]
    outputs: tuple[TxOutput, ...]
    version: int = 2
    lock_time: int = 0

    @property
    def txid(self) -> Hash32:
        return hash256(self.base())

    @property
    def wtxid(self) -> Hash32:
        return hash256(self.encode())

    @property
    def has_witness(self) -> bool:
        return any(spent.witness for spent in self.inputs)

    @property
    def weight(self) -> int:
        return (WITNESS_FACTOR - 1) * len(self.base()) + len(self.encode())

    @property
    def is_coinbase(self) -> bool:
        """Whether it creates coins: its one input spends nothing."""
        return len(self.inputs) == 1 and _spends_nothing(self.inputs[0])

    def base(self) -> bytes:
        """The bytes without witnesses."""
        return self._head() + self._body() + self._tail()

    def encode(self) -> bytes:
        """The bytes in a block: with witnesses if there are any, else the base."""
        if not self.has_witness:
            return self.base()
        witnesses = b"".join(
            compact_size(len(spent.witness)) + b"".join(map(sized, spent.witness)) for spent in self.inputs
        )
        return self._head() + b"\x00\x01" + self._body() + witnesses + self._tail()

    def _head(self) -> bytes:
        return self.version.to_bytes(4, "little", signed=True)

    def _tail(self) -> bytes:
        return self.lock_time.to_bytes(4, "little")

    def _body(self) -> bytes:
        inputs = [
            spent.txid
            + spent.output.to_bytes(4, "little")
            + sized(spent.script)
            + spent.sequence.to_bytes(4, "little")
            for spent in self.inputs
        ]
        outputs = [
            paid.value.to_bytes(8, "little", signed=True) + sized(paid.script) for paid in self.outputs
        ]
        return compact_size(len(inputs)) + b"".join(inputs) + compact_size(len(outputs)) + b"".join(outputs)


def decode_transaction(data: bytes) -> BitcoinTransaction:
    """A transaction that fills `data` and keeps the rules that need nothing else (Core's CheckTransaction)."""
    if len(data) > BLOCK_WEIGHT_MAX:
        raise LimitExceeded("bitcoin: transaction too large", have=len(data), most=BLOCK_WEIGHT_MAX)
    reader = ByteReader(data)
    version = reader.integer(4, signed=True)
    count = reader.count(_INPUT_LEAST)
    has_witness = not count  # no inputs: the marker of a transaction with witnesses
    if has_witness:
        flag = reader.integer(1)
        if flag == 0:  # no marker, but no inputs and no outputs
            raise InvalidBitcoin("transaction without inputs or outputs")
        if flag != 1:
            raise DecodeError("bitcoin: transaction of an unknown kind", have=flag)
        count = reader.count(_INPUT_LEAST)
    inputs = [_read_input(reader) for _ in range(count)]
    outputs = tuple([_read_output(reader) for _ in range(reader.count(_OUTPUT_LEAST))])
    if has_witness:
        inputs = [
            spent._replace(witness=tuple([reader.sized() for _ in range(reader.count(1))]))
            for spent in inputs
        ]
    transaction = BitcoinTransaction(tuple(inputs), outputs, version, reader.integer(4))
    reader.finish()
    if has_witness and not transaction.has_witness:
        raise DecodeError("bitcoin: marked as having witnesses, has none")
    check_transaction(transaction)
    return transaction


def check_transaction(transaction: BitcoinTransaction) -> None:
    if not transaction.inputs or not transaction.outputs:
        raise InvalidBitcoin("transaction without inputs or outputs")
    if transaction.weight > BLOCK_WEIGHT_MAX:
        raise InvalidBitcoin("transaction too heavy", have=transaction.weight, most=BLOCK_WEIGHT_MAX)
    if any(not 0 <= paid.value <= MONEY_MAX for paid in transaction.outputs):
        raise InvalidBitcoin("output's value out of range")
    if sum(paid.value for paid in transaction.outputs) > MONEY_MAX:
        raise InvalidBitcoin("outputs' sum out of range")
    if len({(spent.txid, spent.output) for spent in transaction.inputs}) != len(transaction.inputs):
        raise InvalidBitcoin("an output is spent twice")
    if transaction.is_coinbase:
        if len(transaction.inputs[0].script) not in COINBASE_SCRIPT_BYTES:
            raise InvalidBitcoin("length of a coinbase's script", have=len(transaction.inputs[0].script))
    elif any(map(_spends_nothing, transaction.inputs)):
        raise InvalidBitcoin("an input spends nothing")


def _spends_nothing(spent: TxInput) -> bool:
    return spent.txid == ZERO_HASH and spent.output == _NO_OUTPUT


def _read_input(reader: ByteReader) -> TxInput:
    return TxInput(reader.take(32), reader.integer(4), reader.sized(), reader.integer(4))


def _read_output(reader: ByteReader) -> TxOutput:
    return TxOutput(reader.integer(8, signed=True), reader.sized())
