"""Our own proofs of work: blocks that carry our tag beside Rootstock's, and each attack by its name."""

from dataclasses import replace

import pytest

from coinone.base.primitives.errors import DecodeError, InvalidInput
from coinone.base.primitives.records import decode, encode
from coinone.rules.bitcoin.commitment import (
    ForkData,
    committed,
    decode_fork_data,
    fork_data,
    numbers_named,
)
from coinone.rules.bitcoin.encoding import hash256
from coinone.rules.bitcoin.errors import InvalidBitcoin
from coinone.rules.bitcoin.header import BitcoinHeader
from coinone.rules.bitcoin.merged_mining import (
    COINONE,
    MergedMiningProof,
    MergedMiningRules,
    check_merged_mining,
    prove,
    tag_output,
)
from coinone.rules.bitcoin.merkle import fold, merkle_branch
from coinone.rules.bitcoin.midstate import START, advance
from coinone.rules.bitcoin.script import returned
from coinone.rules.bitcoin.target import as_number
from coinone.rules.bitcoin.transaction import TxOutput
from tests.rules.bitcoin import rootstock
from tests.rules.bitcoin.blocks import Block, block, spend
from tests.rules.bitcoin.mining import mine

TIME = 1_700_000_000
DIFFICULTY = 512
OURS = committed(b"\xc0" * 32, ForkData(bytes(range(1, 8)), 3, 1_234_567))
THEIRS = b"\xb0" * 32
KINDS = {"ours": (COINONE, OURS), "theirs": (rootstock.RULES, THEIRS)}


def mined(*tags: TxOutput, count: int = 6, extra: tuple[TxOutput, ...] = ()) -> Block:
    others = [spend(bytes((n,)) * 32, 10**8) for n in range(1, count)]
    target = 2**256 // DIFFICULTY
    return block(bytes(32), 120, TIME, others, (*extra, *tags), target=min(target, 0x7FFFFF << 232))


def proof_of(found: Block, rules: MergedMiningRules) -> MergedMiningProof:
    return prove(found.transactions[0].base(), merkle_branch(found.txids, 0), rules)


def check(
    header: BitcoinHeader,
    proof: MergedMiningProof,
    rules: MergedMiningRules = COINONE,
    value: bytes = OURS,
    difficulty: int = DIFFICULTY,
    time: int = TIME,
) -> None:
    check_merged_mining(header.encode(), proof, value, difficulty, time, rules)


def sealed(root: bytes) -> BitcoinHeader:
    """A header over any root: for coinbases that no miner would make."""
    header = BitcoinHeader(0x20000000, bytes(32), root, TIME, 0x207FFFFF, 0)
    return mine(header, 2**256 // DIFFICULTY)


def sealed_coinbase(coinbase: bytes) -> BitcoinHeader:
    return sealed(hash256(coinbase))


def test_our_commitment_is_the_output_that_the_page_describes() -> None:
    output = tag_output(OURS, COINONE)
    assert output.value == 0
    assert output.script == bytes.fromhex("6a35") + b"CNOBLOCK:" + OURS
    assert returned(output.script) == (b"CNOBLOCK:" + OURS,)
    assert OURS[32:].hex() == "01020304050607" + "03" + "0012d687"
    assert COINONE.coinbase_bytes_max == 284  # 8 + 32 + 63 + 9 + 44 + 128


@pytest.mark.parametrize("order", [("ours", "theirs"), ("theirs", "ours")])
def test_one_coinbase_serves_two_chains_in_either_order(order: tuple[str, str]) -> None:
    found = mined(*[tag_output(value, rules) for rules, value in (KINDS[name] for name in order)])
    for rules, value in KINDS.values():
        proof = proof_of(found, rules)
        check(found.header, proof, rules, value)
        assert decode(MergedMiningProof, encode(proof)) == proof
    with pytest.raises(InvalidBitcoin, match="tag is not in the first block"):
        check(found.header, proof_of(found, COINONE), rootstock.RULES, THEIRS)


@pytest.mark.parametrize("padding", range(64))
def test_a_tag_may_begin_at_every_place_of_a_block(padding: int) -> None:
    found = mined(tag_output(OURS, COINONE), extra=(TxOutput(0, b"\x6a" + bytes(padding)),), count=2)
    proof = proof_of(found, COINONE)
    check(found.header, proof)
    count = int.from_bytes(proof.coinbase[:8], "big")
    for cut in range(0, len(found.transactions[0].base()), 64):
        if cut != count:  # both midstates: one proof only
            coinbase = found.transactions[0].base()
            other = cut.to_bytes(8, "big") + advance(START, coinbase[:cut]) + coinbase[cut:]
            with pytest.raises(InvalidBitcoin, match="tag is not in the first block"):
                check(found.header, replace(proof, coinbase=other))


def test_the_last_tag_counts_so_that_one_header_has_one_value() -> None:
    other = committed(b"\xc1" * 32, ForkData(bytes(7), 0, 1_234_568))
    found = mined(tag_output(other, COINONE), tag_output(OURS, COINONE))
    check(found.header, proof_of(found, COINONE))
    coinbase = found.transactions[0].base()
    cut = coinbase.index(COINONE.tag) // 64 * 64
    first = cut.to_bytes(8, "big") + advance(START, coinbase[:cut]) + coinbase[cut:]
    for value in (other, OURS):
        with pytest.raises(InvalidBitcoin):
            check(found.header, MergedMiningProof(proof_of(found, COINONE).branch, first), value=value)


def test_no_byte_of_our_proofs_can_be_another() -> None:
    found = mined(tag_output(OURS, COINONE), tag_output(THEIRS, rootstock.RULES))
    for rules, value in KINDS.values():
        proof = proof_of(found, rules)
        for at in range(80):
            raw = bytearray(found.header.encode())
            raw[at] ^= 1 << at % 8
            with pytest.raises(InvalidInput):
                check_merged_mining(bytes(raw), proof, value, DIFFICULTY, TIME, rules)
        for part in ("branch", "coinbase"):
            for at in range(len(getattr(proof, part))):
                data = bytearray(getattr(proof, part))
                data[at] ^= 1 << at % 8
                with pytest.raises(InvalidInput):
                    check(found.header, replace(proof, **{part: bytes(data)}), rules, value)


def test_work_and_time_are_held_to_the_unit() -> None:
    found = mined(tag_output(OURS, COINONE))
    proof = proof_of(found, COINONE)
    number = as_number(found.header.hash)
    most = 2**256 // number  # the highest difficulty that this hash meets
    check(found.header, proof, difficulty=most)
    with pytest.raises(InvalidBitcoin, match="not enough work"):
        check(found.header, proof, difficulty=most + 1)
    for difficulty in (0, -1):
        with pytest.raises(InvalidBitcoin, match="not enough work"):
            check(found.header, proof, difficulty=difficulty)
    for seconds in (-299, 299):
        check(found.header, proof, time=TIME + seconds)
    for seconds in (-300, 300):
        with pytest.raises(InvalidBitcoin, match="time"):
            check(found.header, proof, time=TIME + seconds)


@pytest.mark.parametrize("behind", [0, 4, 103, 128, 129, 200])
def test_behind_our_value_there_is_room_for_rootstock_s_output_and_a_little_more(behind: int) -> None:
    coinbase = bytes(70) + COINONE.tag + OURS + bytes(behind)
    header, proof = sealed_coinbase(coinbase), prove(coinbase, (), COINONE)
    if behind <= 128:
        check(header, proof)
    else:
        with pytest.raises(InvalidBitcoin, match="behind the tag"):
            check(header, proof)


def test_a_value_cut_short_is_refused() -> None:
    coinbase = bytes(70) + COINONE.tag + OURS[:-1]
    with pytest.raises(InvalidBitcoin, match="behind the tag"):
        check(sealed_coinbase(coinbase), prove(coinbase, (), COINONE))


def test_a_node_of_the_tree_is_not_taken_for_a_coinbase() -> None:
    """64 bytes with our tag, which a miner can put into the tree of a block whose coinbase holds another one."""
    node = COINONE.tag + OURS + bytes(11)
    assert len(node) == 64
    sibling = b"\x77" * 32
    header = sealed(fold(hash256(node), 0, (sibling,)))
    with pytest.raises(InvalidBitcoin, match="could be a node"):
        check(header, prove(node, (sibling,), COINONE))
    longer = node + b"\0"
    check(sealed(fold(hash256(longer), 0, (sibling,))), prove(longer, (sibling,), COINONE))


def test_a_midstate_of_nothing_is_sha_256_s_own() -> None:
    coinbase = bytes(20) + COINONE.tag + OURS + bytes(10)
    header, proof = sealed_coinbase(coinbase), prove(coinbase, (), COINONE)
    check(header, proof)
    other = bytes(8) + advance(START, bytes(64)) + coinbase
    with pytest.raises(InvalidBitcoin, match="midstate of nothing"):
        check(header, replace(proof, coinbase=other))


@pytest.mark.parametrize("count", [1, 63, 65, 1 << 20 | 1, (1 << 20) + 64, 1 << 32, 2**64 - 64])
def test_a_length_that_was_invented_is_refused(count: int) -> None:
    coinbase = bytes(70) + COINONE.tag + OURS
    proof = prove(coinbase, (), COINONE)
    with pytest.raises(InvalidBitcoin, match="before the midstate"):
        check(
            sealed_coinbase(coinbase), replace(proof, coinbase=count.to_bytes(8, "big") + proof.coinbase[8:])
        )


def test_a_branch_of_30_siblings_is_the_longest() -> None:
    coinbase = bytes(70) + COINONE.tag + OURS
    for height in (30, 31):
        branch = tuple(bytes((n,)) * 32 for n in range(height))
        header, proof = sealed(fold(hash256(coinbase), 0, branch)), prove(coinbase, branch, COINONE)
        if height == 30:
            check(header, proof)
            continue
        with pytest.raises(InvalidBitcoin, match="length of the branch"):
            check(header, proof)
        with pytest.raises(DecodeError):
            decode(MergedMiningProof, encode(proof))


def test_a_branch_is_whole_siblings() -> None:
    coinbase = bytes(70) + COINONE.tag + OURS
    header = sealed(hash256(hash256(coinbase) + b"half"))  # what a fold by 32 bytes would lead to
    with pytest.raises(InvalidBitcoin, match="length of the branch"):
        check(header, replace(prove(coinbase, (), COINONE), branch=b"half"))


def test_siblings_in_the_other_order_prove_nothing() -> None:
    found = mined(tag_output(OURS, COINONE))
    with pytest.raises(InvalidBitcoin, match="not in the block"):
        check(found.header, proof_of(found, replace(COINONE, siblings_reversed=True)))


def test_a_block_names_seven_ancestors_by_hand() -> None:
    """Block 1,000, step 180: (1,000 - 1) // 180 * 180 = 900, then each 180 back, below genesis as zero."""
    assert numbers_named(1_000, 180) == [900, 720, 540, 360, 180, 0, -180]
    assert numbers_named(900, 180)[0] == 720
    assert numbers_named(901, 180)[0] == 900
    data = fork_data(1_000, 180, lambda number: number // 180 + 2, [9] * 40)
    assert data == ForkData(bytes((7, 6, 5, 4, 3, 2, 0)), 255, 1_000)  # 32 * 9 = 288 uncles, shown as 255
    assert fork_data(1_000, 180, lambda number: 0, [1] * 100).uncles == 32
    assert fork_data(1_000, 180, lambda number: 0, [100, 7, 5]).uncles == 112
    with pytest.raises(DecodeError, match="fork-detection data"):
        decode_fork_data(data.encode() + b"\0")
