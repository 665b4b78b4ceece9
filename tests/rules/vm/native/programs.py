"""Random worlds of contracts that call one another, for comparing the engines."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import TypeAlias

from coinone.base.crypto.keccak import keccak256
from coinone.rules.state.account import Account, storage_key
from coinone.rules.state.database import MemoryDatabase
from coinone.rules.state.state import State
from coinone.rules.vm import (
    FORKS,
    BlockEnv,
    Evm,
    ExecutionResult,
    Message,
    TransactionEnv,
    interpreter,
    verify,
)
from coinone.rules.vm import environment as kinds
from coinone.rules.vm.addresses import DELEGATION_PREFIX, create_address, delegate_of, to_address
from coinone.rules.vm.native.execution import Native
from coinone.rules.vm.opcodes import OSAKA
from coinone.rules.vm.substate import Substate

CALLER, COINBASE = b"\xaa" * 20, b"\xcc" * 20
CONTRACTS = [bytes([n]) * 20 for n in (0x11, 0x22, 0x33)]
ABSENT = b"\xdd" * 20
NUMBER = 300
BLOBS = (b"\1" + bytes(31), bytes(31) + b"\2")

_BOUNDARIES = (0, 1, 5, 7, 8, 16, 31, 32, 63, 64, 65, 127, 128, 160, 191, 192, 248, 254, 255, 256)
EDGES = sorted(
    {
        value % 2**256
        for power in _BOUNDARIES
        for value in (2**power - 1, 2**power, 2**power + 1, -(2**power), 2**256 - 2**power)
    }
)
_LIMBS = (0, 1, 2, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 2, 2**64 - 1)
_PLAIN = [row.code for row in OSAKA if row.code < 0x60 or 0x80 <= row.code <= 0xA4]
_HOST = [row.code for row in OSAKA if row.code >= 0xF0]


def push(word: int) -> bytes:
    data = word.to_bytes(max(1, (word.bit_length() + 7) // 8), "big")
    return bytes([0x5F + len(data)]) + data


def random_word(random: Random) -> int:
    """Edges of the whole range, edges of each limb (where long division errs), small numbers, anything."""
    kind = random.randrange(5)
    if kind == 0:
        return random.choice(EDGES)
    if kind == 1:
        return sum(random.choice((*_LIMBS, random.getrandbits(64))) << (64 * i) for i in range(4))
    if kind == 2:
        return random.randrange(300)
    return random.getrandbits(random.choice((8, 32, 64, 65, 128, 129, 192, 200, 256)))


def random_place(random: Random) -> int:
    """An offset or a size: mostly one that can be paid for."""
    return random.choice(
        (0, 1, 31, 32, 33, 64, 100, 500, 5000, 2**16, 2**32, 2**64 - 1, 2**255)[: random.choice((7, 9, 13))]
    )


def random_address(random: Random) -> int:
    known = [
        *CONTRACTS,
        *CONTRACTS,
        CALLER,
        COINBASE,
        ABSENT,
        *[bytes(19) + bytes([n]) for n in (1, 2, 4, 5, 9)],
    ]
    return int.from_bytes(random.choice(known), "big")


def random_call(random: Random) -> bytes:
    kind = random.choice((0xF1, 0xF1, 0xF2, 0xF4, 0xFA))
    ranges = push(random_place(random) % 600) + push(random_place(random) % 9000)
    ranges += push(random_place(random) % 600) + push(random_place(random) % 9000)
    value = push(random.choice((0, 0, 1, 10**19))) if kind in (0xF1, 0xF2) else b""
    gas = random.choice((b"\x5a", push(random.randrange(30_000)), push(2**256 - 1)))
    return ranges + value + push(random_address(random)) + gas + bytes([kind])


def random_create(random: Random) -> bytes:
    """Init code is put into memory first: random bytes, or code that returns or stores something."""
    init = random.choice((
        bytes.fromhex("600160005360016000f3"),
        bytes.fromhex("6005600055600060015500"),
        bytes.fromhex("60ef60005360016000f3"),
        bytes.fromhex("33ff"),
        random.randbytes(8),
    ))  # fmt: skip
    setup = push(int.from_bytes(init.ljust(32, b"\0"), "big")) + push(0) + b"\x52"
    if random.randrange(2):
        salt = push(random.randrange(3))
        return setup + salt + push(len(init)) + push(0) + push(random.randrange(2)) + b"\xf5"
    return setup + push(len(init)) + push(0) + push(random.randrange(2)) + b"\xf0"


def random_piece(random: Random) -> bytes:
    kind = random.randrange(20)
    if kind < 5:
        return push(random_word(random))
    if kind < 8:
        return push(random_place(random))
    if kind < 9:
        return push(random_address(random))
    if kind < 11:
        return (
            push(random_word(random)) + push(random.randrange(4)) + bytes([random.choice((0x55, 0x55, 0x5D))])
        )
    if kind < 12:
        return push(random_word(random)) + push(random.randrange(600)) + b"\x52"
    if kind < 13:
        return random_call(random)
    if kind < 14:
        return random_create(random) if random.randrange(3) == 0 else random_call(random)
    if kind < 15 and random.randrange(12) == 0:
        return bytes([random.choice((*_HOST, random.randrange(256)))])
    return bytes([random.choice(_PLAIN[1:])])


def random_program(random: Random) -> bytes:
    """A few words to begin with, or the stack would soon be empty; perhaps a loop around it all."""
    pieces = random.choice((4, 8, 40))
    body = b"".join([push(random_word(random)) for _ in range(random.randrange(2, 4 + pieces // 3))])
    body += b"".join([random_piece(random) for _ in range(random.randrange(1, pieces))])
    if random.randrange(3) == 0 and len(body) < 200:  # while gas lasts: JUMPDEST, body, push 0, jump
        return (
            b"\x5b" + body + random.choice((b"\x5f\x56", b"\x5a\x5f\x57", push(len(body) + 5) + b"\x56\x5b"))
        )
    return body


def random_phrase(random: Random) -> bytes:
    """Something that contracts do, which leaves the stack as it was."""
    slot, word = push(random.randrange(4)), push(random_word(random))
    phrases = (
        word + slot + b"\x55",
        slot + b"\x54" + b"\x60\x01\x01" + slot + b"\x55",
        b"\x5a" + slot + b"\x55",
        word + slot + b"\x5d",
        slot + b"\x5c" + slot + b"\x55",
        word + push(random.randrange(40)) + push(random.randrange(40)) + b"\xa1",
        word + push(random.randrange(200)) + b"\x52",
        push(random.randrange(200)) + b"\x51" + slot + b"\x55",
        b"\x3d\x5f" + push(random.randrange(99)) + b"\x3e",  # returned data into memory
        b"\x3d" + slot + b"\x55",
        b"\x36\x5f" + push(random.randrange(99)) + b"\x37",
        b"\x33\x30\x01\x34\x01" + slot + b"\x55",  # caller, address, value
        b"\x5f\x35" + slot + b"\x55",
        b"\x47" + slot + b"\x55",
        b"\x58\x38\x01\x59\x01" + slot + b"\x55",  # pc, code size, memory size
    )
    rare = (
        push(random_address(random)) + b"\x31\x50",  # BALANCE: Python's
        random_create(random) + b"\x50",
        push(random_address(random)) + b"\x3f\x50",
        push(random.choice((NUMBER - 3, random_word(random)))) + b"\x40" + slot + b"\x55",
    )
    return random.choice(rare) if random.randrange(25) == 0 else random.choice(phrases)


def random_caller(random: Random) -> bytes:
    """A loop of phrases and calls, then one of the ways to end."""
    body = b""
    for _ in range(random.randrange(1, random.choice((3, 7)))):
        if random.randrange(3):
            body += random_phrase(random)
        else:
            body += random_call(random) + random.choice((b"\x50", push(random.randrange(4)) + b"\x55"))
    turns = random.randrange(1, 6)
    loop = push(turns) + b"\x5b" + body + b"\x60\x01\x90\x03\x80" + b"\x60\x02\x57"
    size, offset = push(random.choice((0, 32, 70))), push(random.randrange(50))
    endings = (
        b"\x00",
        size + offset + b"\xf3",
        size + offset + b"\xf3",
        size + offset + b"\xfd",
        b"\xfe",
        b"\x01\x01",
    )
    return loop + random.choice(endings)


def world(
    codes: list[bytes], fork: str, gas: int, data: bytes = b"", number: int = NUMBER
) -> tuple[Evm, Message]:
    """A call of the first contract in that block; each holds some coins, and two storage slots that are set."""
    state = State(MemoryDatabase())
    state.set_account(CALLER, Account(1, 10**18))
    for address, code in zip(CONTRACTS, codes, strict=False):
        state.set_account(address, Account(1, 10**18))
        state.set_code(address, code)
        state.set_storage(address, 1, 7)
        state.set_storage(address, 2, 2**256 - 1)
    state.freeze()
    state.begin_transaction()
    block = BlockEnv(
        1, number, 77, COINBASE, 30_000_000, 7, b"\5" * 32, lambda n: keccak256(n.to_bytes(8, "big"))
    )
    rules = FORKS[fork]
    warm = [CALLER, CONTRACTS[0], COINBASE, storage_key(CONTRACTS[0], 2), *rules.precompiles]
    evm = Evm(state, block, TransactionEnv(CALLER, 9, BLOBS), rules, None, Substate(warm))
    code = codes[0] if codes else b""
    return evm, Message(kinds.CALL, CALLER, CONTRACTS[0], CONTRACTS[0], code, 5, data, gas)


# One transaction after another on one state: each is to be run before the next is asked for.
Transactions: TypeAlias = Iterator[tuple[Evm, Message]]

NATIVE = Native()
_second = [NATIVE.execute]  # which engine is held against the reference


@contextmanager
def against(execute: verify.Execute) -> Iterator[None]:
    """Within this, `run_both` compares that engine."""
    before = _second[0]
    _second[0] = execute
    yield
    _second[0] = before


def run_both(
    codes: list[bytes], fork: str = "Osaka", gas: int = 300_000, data: bytes = b"", number: int = NUMBER
) -> ExecutionResult:
    """Raises EnginesDiffer if they do."""
    evm, message = world(codes, fork, gas, data, number)
    return compare(evm, message)


def compare(evm: Evm, message: Message) -> ExecutionResult:
    """Raises EnginesDiffer."""
    return verify.execute_both(interpreter.execute, _second[0], evm, message)


def run_random(seed: int) -> None:
    """The world that this number stands for, on both engines. Raises EnginesDiffer."""
    for evm, message in random_world(seed):
        compare(evm, message)


def random_world(seed: int) -> Transactions:
    """The world that this number stands for."""
    random = Random(seed)
    make = random_caller if seed % 2 else random_program
    codes = [make(random) for _ in range(random.randrange(1, 4))]
    if len(codes) > 1 and random.randrange(8) == 0:
        codes[-1] = DELEGATION_PREFIX + to_address(random_address(random))
    fork = random.choice(("Cancun", "Prague", "Osaka"))
    evm, message = world(codes, fork, random_gas(random), random.randbytes(random.randrange(100)))
    evm.block = replace(
        evm.block,
        number=random.choice((1, 2, 255, NUMBER, NUMBER, 2**40)),
        timestamp=random.choice((77, 2**40, 2**64 - 1)),
        base_fee=random.choice((0, 7, 2**70)),
        prevrandao=random.randbytes(32),
    )
    _set_up_corners(random, evm.state)
    return in_a_row(random, evm, message, CONTRACTS[: len(codes)])


def _set_up_corners(random: Random, state: State) -> None:
    """Sometimes: a creator whose nonces are spent, and something in the place of what the first contract creates."""
    if random.randrange(8) == 0:
        state.set_nonce(random.choice(CONTRACTS), random.choice((2**64 - 2, 2**64 - 1)))
    if random.randrange(4) == 0:
        place, kind = create_address(CONTRACTS[0], 1), random.randrange(4)
        state.set_account(place, Account(1 if kind == 0 else 0, 5))
        if kind == 1:
            state.set_code(place, b"\0")
        if kind == 2:
            state.set_storage(place, 0, 1)
    state.freeze()
    state.begin_transaction()


def random_gas(random: Random) -> int:
    return random.choice((30_000, 100_000, 300_000, 1_000_000))


def in_a_row(random: Random, evm: Evm, message: Message, contracts: list[bytes]) -> Transactions:
    """That transaction, and perhaps others on the state it leaves: calls, mostly of these contracts, and creations."""
    yield evm, message
    while random.randrange(3) == 0:
        evm, message = _next_transaction(random, evm, message.caller, contracts)
        yield evm, message


def _next_transaction(random: Random, evm: Evm, sender: bytes, contracts: list[bytes]) -> tuple[Evm, Message]:
    state = evm.state
    state.end_transaction()
    state.begin_transaction()
    nonce = state.nonce(sender)
    state.set_nonce(sender, nonce + 1)
    gas, value = random_gas(random), random.choice((0, 5))
    target = random.choice([*contracts, *contracts, to_address(random_address(random))])
    if random.randrange(4) == 0:
        target = create_address(sender, nonce)
        message = Message(kinds.CREATE, sender, target, target, random_program(random), value, b"", gas)
    else:
        code, data = state.code(target), random.randbytes(random.randrange(100))
        if delegate_of(code):
            code = b""
        message = Message(kinds.CALL, sender, target, target, code, value, data, gas)
    substate = Substate([sender, target, evm.block.coinbase, *evm.rules.precompiles])
    budget = random.choice((None, _enough))
    return Evm(state, evm.block, evm.transaction, evm.rules, None, substate, None, budget), message


def _enough() -> None:
    """A budget that never ends; machine code stops now and then to ask."""
