"""The bytes of everything that is hashed, signed, sent or stored, for values drawn from a fixed seed.

`python -m tests.vectors.golden_bytes` writes golden_bytes.json again. That is right only where a format is meant to
change, and then its diff shows which. `test_golden_bytes.py` compares.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import InvalidInput
from coinone.base.primitives.records import decode, encode
from coinone.node.executor import promises
from coinone.node.storage.blocks import StoredHead
from coinone.protocols.member import messages as member
from coinone.protocols.member.messages import CertifiedPush, HeadReport
from coinone.protocols.relay import messages as relay
from coinone.protocols.sequencer.effects import ChangeCall, PreparedBatch, Proposal
from coinone.rules.chain.bridge import seen
from coinone.rules.chain.cursor import Cursor, Effects
from coinone.rules.chain.genesis import Genesis
from coinone.rules.consensus.federation import Federation
from coinone.rules.consensus.terms import Term
from coinone.rules.exchange.wire import envelope
from coinone.rules.exchange.wire.types import L1Envelope, OracleEnvelope, UserEnvelope
from coinone.rules.ledger import header, records
from coinone.rules.ledger.batch import Batch, CertifiedBatch
from coinone.rules.ledger.block import Block
from coinone.rules.ledger.certificate import Certificate, SignedVote, Vote, VoteKind
from coinone.rules.ledger.crossings import CoreAction, Deposit, Withdrawal
from coinone.rules.ledger.header import Header
from coinone.rules.ledger.log import Log
from coinone.rules.ledger.records import TransactionRecord
from coinone.rules.ledger.seal import FederatedSeal
from coinone.rules.ledger.term_change import ChangeVote, Prepared, SignedChange, TermChange

FILE = Path(__file__).with_name("golden_bytes.json")
SHOWN, DRAWN, MUTATED = 2, 100, 2_000
CHAIN_ID = 926_002


class Draw(Random):
    """Values of the chain's kinds."""

    def size(self, most: int) -> int:
        return self.choice((0, 1, self.randint(0, most)))

    def uint(self, width: int) -> int:
        """The edges of the range, and everything between them by magnitude."""
        return self.choice(
            (0, 1, 127, 128, 2 ** (8 * width) - 1, self.getrandbits(self.randint(1, 8 * width)))
        )

    def hash(self) -> bytes:
        return self.choice((bytes(32), self.randbytes(32)))

    def address(self) -> bytes:
        return self.randbytes(20)

    def signature(self) -> bytes:
        return self.randbytes(65)

    def many(self, most: int, make: Callable[["Draw"], Any]) -> tuple[Any, ...]:
        return tuple(make(self) for _ in range(self.size(most)))

    def maybe(self, make: Callable[["Draw"], Any]) -> Any:
        return make(self) if self.random() < 0.7 else None


def signatures_of(draw: Draw) -> tuple[tuple[int, bytes], ...]:
    return draw.many(5, lambda d: (d.uint(2), d.signature()))


def vote_of(draw: Draw) -> Vote:
    return Vote(draw.choice(list(VoteKind)), draw.uint(8), draw.uint(8), draw.hash(), draw.hash())


def signed_vote_of(draw: Draw) -> SignedVote:
    return SignedVote(vote=vote_of(draw), member=draw.uint(2), signature=draw.signature())


def certificate_of(draw: Draw) -> Certificate:
    return Certificate(draw.uint(8), draw.uint(8), draw.hash(), draw.hash(), signatures_of(draw))


def prepared_of(draw: Draw) -> Prepared:
    return Prepared(draw.uint(8), draw.uint(8), draw.hash(), signatures_of(draw))


def change_vote_of(draw: Draw) -> ChangeVote:
    return ChangeVote(draw.uint(8), draw.uint(8), draw.hash(), draw.maybe(prepared_of))


def signed_change_of(draw: Draw) -> SignedChange:
    return SignedChange(vote=change_vote_of(draw), member=draw.uint(2), signature=draw.signature())


def term_change_of(draw: Draw) -> TermChange:
    head = (draw.uint(8), draw.uint(8), draw.hash(), draw.hash(), draw.uint(4))
    return TermChange(*head, draw.many(3, signed_change_of), draw.signature())


def batch_of(draw: Draw) -> Batch:
    return Batch(
        term=draw.uint(8),
        seq=draw.uint(8),
        parent_hash=draw.hash(),
        base_number=draw.uint(8),
        base_hash=draw.hash(),
        time_ms=draw.uint(8),
        evm_offset_s=draw.choice((0, -1, 2**63 - 1, -(2**63), draw.randint(-(10**6), 10**6))),
        seed=draw.hash(),
        term_change=draw.maybe(term_change_of),
        transactions=draw.many(4, lambda d: d.randbytes(d.choice((1, 55, 56, 300)))),
        forced=draw.uint(4),
    )


def certified_of(draw: Draw) -> CertifiedBatch:
    return CertifiedBatch(batch_of(draw), certificate_of(draw))


def header_of(draw: Draw) -> Header:
    return Header(
        parent_hash=draw.hash(),
        number=draw.uint(8),
        timestamp=draw.uint(8),
        coinbase=draw.address(),
        gas_limit=draw.uint(8),
        gas_used=draw.uint(8),
        base_fee=draw.uint(8),
        state_root=draw.hash(),
        transactions_root=draw.hash(),
        receipts_root=draw.hash(),
        bloom=draw.randbytes(256),
        prev_randao=draw.hash(),
        batch_seq=draw.uint(8),
        batch_hash=draw.hash(),
        exchange_root=draw.hash(),
        forced_root=draw.hash(),
    )


def block_of(draw: Draw) -> Block:
    seal = FederatedSeal(draw.uint(2), draw.signature())
    return Block(header_of(draw), draw.many(4, Draw.hash), seal, draw.many(2, lambda d: d.randbytes(90)))


def log_of(draw: Draw) -> Log:
    return Log(draw.address(), draw.many(4, Draw.hash), draw.randbytes(draw.size(80)))


def record_of(draw: Draw) -> TransactionRecord:
    return TransactionRecord(
        raw=draw.randbytes(draw.choice((1, 100))),
        hash=draw.hash(),
        type=draw.choice((0, 1, 2, 4, 126)),
        sender=draw.address(),
        to=draw.maybe(Draw.address),
        is_system=draw.random() < 0.5,
        succeeded=draw.random() < 0.5,
        gas_used=draw.uint(8),
        gas_price=draw.uint(16),
        contract_address=draw.maybe(Draw.address),
        logs=draw.many(3, log_of),
        post_state=draw.choice((None, draw.hash())),
    )


def effects_of(draw: Draw) -> Effects:
    return Effects(
        draw.many(2, lambda d: Deposit(d.address(), d.uint(8), d.hash())),
        draw.many(2, lambda d: CoreAction(d.address(), d.randbytes(40))),
        draw.many(2, lambda d: Withdrawal(d.address(), d.uint(8), d.hash())),
        draw.many(2, lambda d: d.randbytes(99)),
    )


def cursor_of(draw: Draw) -> Cursor:
    return Cursor(
        seq=draw.uint(8),
        batch_hash=draw.hash(),
        time_ms=draw.uint(8),
        evm_timestamp=draw.uint(8),
        evm_offset_s=draw.randint(-(2**40), 2**40),
        base_number=draw.uint(8),
        base_hash=draw.hash(),
        term=Term(draw.uint(8), draw.uint(8), draw.hash(), draw.uint(4)),
        evm_results=draw.hash(),
        effects=effects_of(draw),
    )


def genesis_of(draw: Draw) -> Genesis:
    members = tuple(dict.fromkeys(draw.many(4, Draw.address)))
    return Genesis(draw.uint(8), Federation(members), draw.many(4, Draw.address), draw.hash())


def head_of(draw: Draw) -> StoredHead:
    return StoredHead(draw.uint(8), draw.hash(), draw.uint(8))


def relay_message_of(draw: Draw) -> relay.Message:
    kind = draw.randrange(10)
    first, seq, number = draw.uint(8), draw.uint(8), draw.uint(8)
    items = draw.many(3, lambda d: d.randbytes(70))
    if kind == 0:
        return relay.Hello(draw.uint(2), draw.uint(8), draw.randbytes(90), seq, number)
    if kind < 3:
        return (relay.BatchPush, relay.BlockPush)[kind - 1](draw.randbytes(draw.size(300)))
    if kind < 5:
        return (relay.GetBatches, relay.GetBlocks)[kind - 3](first, draw.randint(1, 64))
    if kind < 7:
        return (relay.Batches, relay.Blocks)[kind - 5](first, items)
    return relay.Goodbye("so long") if kind == 9 else (relay.Ping, relay.Pong)[kind - 7](seq, number)


def member_message_of(draw: Draw) -> Any:
    kind = draw.randrange(3)
    if kind == 0:
        return signed_vote_of(draw)
    if kind == 1:
        return Proposal(signed_vote_of(draw), batch_of(draw), draw.maybe(term_change_of))
    return ChangeCall(signed_change_of(draw), draw.maybe(batch_of))


def progress_of(draw: Draw) -> Any:
    return HeadReport(draw.uint(8)) if draw.random() < 0.5 else CertifiedPush(encode(certified_of(draw)))


def promise_of(draw: Draw) -> Any:
    make = draw.choice((vote_of, change_vote_of, lambda d: PreparedBatch(prepared_of(d), batch_of(d))))
    return make(draw)


def action_of(draw: Draw) -> L1Envelope | UserEnvelope:
    signature = (draw.uint(32), draw.uint(32), draw.choice((27, 28)))
    if draw.random() < 0.5:
        values = draw.many(4, lambda d: d.randbytes(d.size(20)))
        return UserEnvelope("UsdSend", values, draw.uint(8), *signature)
    vault, expires = draw.maybe(Draw.address), draw.maybe(lambda d: d.uint(8))
    return L1Envelope(draw.randbytes(60), draw.uint(8), vault, expires, "coinone:926002", *signature)


def oracle_of(draw: Draw) -> OracleEnvelope:
    prices = tuple((market, 1 + draw.getrandbits(62)) for market in range(draw.randint(1, 4)))
    return OracleEnvelope(draw.uint(8), prices, draw.uint(32), draw.uint(32), draw.choice((27, 28)))


@dataclass(frozen=True)
class Form:
    make: Callable[[Draw], Any]
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]
    is_foreign: bool = True  # others send it: what is refused is part of the format


def _record(make: Callable[[Draw], Any], cls: type, is_foreign: bool = True) -> Form:
    return Form(make, encode, partial(decode, cls), is_foreign)


def _promise_back(data: bytes) -> Any:
    kind, seq, payload = data[0], int.from_bytes(data[1:9], "big"), data[9:]
    return promises._promise(promises.Record(promises.Kind(kind), seq, payload))


def _promise_bytes(promise: Any) -> bytes:
    record = promises.record_of(promise)
    return bytes((record.kind.value,)) + (record.seq % 2**64).to_bytes(8, "big") + record.payload


def _relay_message_back(payload: bytes) -> relay.Message:
    """As decode_message, but a hello of any version: only one is accepted."""
    rlp.check_items(payload[1:], relay.MESSAGE_ITEMS_MAX)
    return relay._MESSAGES.decode(payload)


FORMS: dict[str, Form] = {
    "certificate": _record(certificate_of, Certificate),
    "batch": _record(batch_of, Batch),
    "certified batch": _record(certified_of, CertifiedBatch),
    "header": _record(header_of, Header),
    "block": _record(block_of, Block),
    "record": _record(record_of, TransactionRecord, False),
    "cursor": _record(cursor_of, Cursor, False),
    "bests": Form(
        lambda draw: draw.many(3, lambda d: (d.uint(7), d.uint(7))),
        seen.encode_bests,
        seen.decode_bests,
        False,
    ),
    "relay message": Form(relay_message_of, relay.encode_message, _relay_message_back),
    "member message": Form(member_message_of, member.encode_message, member.decode_message),
    "progress of a member": Form(progress_of, member.encode_message, member.decode_message),
    "promise": Form(promise_of, _promise_bytes, _promise_back, False),
    "action": Form(action_of, envelope.encode_envelope, envelope.decode_envelope),
    "genesis": _record(genesis_of, Genesis),
    "head": _record(head_of, StoredHead, False),
    "oracle report": Form(oracle_of, envelope.encode_oracle, envelope.decode_oracle),
}
HASHES: dict[str, tuple[Callable[[Draw], Any], Callable[[Any], bytes]]] = {
    "vote": (vote_of, lambda vote: vote.content(CHAIN_ID)),
    "change vote": (change_vote_of, lambda vote: vote.content(CHAIN_ID)),
    "term change": (term_change_of, lambda change: change.content(CHAIN_ID)),
    "batch": (batch_of, lambda value: value.hash),
    "header": (header_of, lambda value: value.hash),
    "header extension": (header_of, lambda value: value.extra_data),
    "forced list": (lambda draw: draw.many(3, lambda d: d.randbytes(77)), header.forced_root),
    "results of contracts": (lambda draw: draw.many(3, record_of), records.evm_results),
    "effects": (cursor_of, lambda cursor: cursor.effects_hash),
}


def golden() -> dict[str, Any]:
    return {
        "forms": {name: form_vector(name, form) for name, form in FORMS.items()},
        "hashes": {name: hash_vector(name, *pair) for name, pair in HASHES.items()},
    }


def form_vector(name: str, form: Form) -> dict[str, Any]:
    """A few encodings in full, a digest of many, and what a reader makes of spoiled ones."""
    draw = Draw(name)
    encodings = [form.encode(form.make(draw)) for _ in range(DRAWN)]
    by_size = sorted(encodings, key=len)
    found: dict[str, Any] = {
        "shown": [data.hex() for data in (*by_size[:SHOWN], by_size[DRAWN // 2])],
        "digest of 100": keccak256(b"".join(encodings)).hex(),
    }
    if form.is_foreign:
        outcomes = "".join(_outcome(form, _spoiled(draw, draw.choice(encodings))) for _ in range(MUTATED))
        found["spoiled: taken"] = outcomes.count("t")
        found["spoiled: outcomes"] = keccak256(outcomes.encode()).hex()
    return found


def _spoiled(draw: Draw, data: bytes) -> bytes:
    spoiled, at = bytearray(data), draw.randrange(min(len(data), draw.choice((8, 40, len(data)))))
    match draw.randrange(4):
        case 0:
            spoiled[at] = draw.randrange(256)
        case 1:
            spoiled[at] = (spoiled[at] + draw.choice((1, -1))) % 256
        case 2:
            del spoiled[at]
        case _:
            spoiled.insert(at, draw.randrange(256))
    return bytes(spoiled)


def _outcome(form: Form, data: bytes) -> str:
    """t: taken, and the same bytes come of it; o: taken, and other bytes do; r: refused."""
    try:
        return "t" if form.encode(form.decode(data)) == data else "o"
    except InvalidInput:
        return "r"


def hash_vector(name: str, make: Callable[[Draw], Any], hash_of: Callable[[Any], bytes]) -> dict[str, Any]:
    draw = Draw("hash of " + name)
    found = [hash_of(make(draw)) for _ in range(DRAWN)]
    return {"first": found[0].hex(), "digest of 100": keccak256(b"".join(found)).hex()}


if __name__ == "__main__":
    FILE.write_text(json.dumps(golden(), indent=1) + "\n")
