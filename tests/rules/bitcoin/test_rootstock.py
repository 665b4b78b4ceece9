"""Rootstock's real blocks under Rootstock's parameters, and every change of their proofs refused."""

from dataclasses import replace
from itertools import pairwise

import pytest

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives import rlp
from coinone.base.primitives.errors import InvalidInput
from coinone.rules.bitcoin.commitment import (
    FORK_DATA_BYTES,
    UNCLE_BLOCKS,
    decode_fork_data,
    fork_data,
    numbers_named,
)
from coinone.rules.bitcoin.encoding import hash256
from coinone.rules.bitcoin.errors import InvalidBitcoin
from coinone.rules.bitcoin.header_chain import check_work
from coinone.rules.bitcoin.merged_mining import MergedMiningProof, check_merged_mining
from coinone.rules.bitcoin.midstate import advance
from coinone.rules.bitcoin.networks import MAIN
from coinone.rules.bitcoin.target import target_of
from tests.rules.bitcoin import rootstock
from tests.rules.bitcoin.rootstock import RULES, RskHeader

COUNT = 1_103


def value_of(header: RskHeader) -> bytes:
    """What its coinbase says behind the tag: that this is the content is checked beside it."""
    coinbase = header.proof.coinbase
    at = coinbase.rindex(RULES.tag) + len(RULES.tag)
    return coinbase[at : at + RULES.value_bytes]


def check(header: RskHeader, proof: MergedMiningProof | None = None, bitcoin: bytes | None = None) -> None:
    check_merged_mining(
        bitcoin or header.bitcoin,
        proof or header.proof,
        value_of(header),
        header.difficulty,
        header.timestamp,
        RULES,
    )


def test_all_real_blocks_have_their_work() -> None:
    for header in rootstock.headers():
        assert value_of(header)[:20] == header.content
        check(header)
    assert len(rootstock.headers()) == COUNT


def test_they_are_one_chain_whose_hashes_leave_branch_and_coinbase_out() -> None:
    headers = rootstock.headers()
    for parent, header in pairwise(headers):
        assert header.parent_hash == parent.hash
        assert header.number == parent.number + 1
        assert keccak256(rlp.encode(header.fields[: rootstock.WITH_BITCOIN])) == header.hash


def test_their_fork_detection_data_names_their_ancestors() -> None:
    headers = {header.number: header for header in rootstock.headers()}
    checked = 0
    for number, header in headers.items():
        named = numbers_named(number, rootstock.FORK_DATA_STEP)
        uncle_counts = [headers[n].uncles for n in range(number - UNCLE_BLOCKS, number) if n in headers]
        if named[-1] not in headers or len(uncle_counts) < UNCLE_BLOCKS:
            continue
        data = fork_data(
            number,
            rootstock.FORK_DATA_STEP,
            lambda ancestor: hash256(headers[ancestor].bitcoin)[0],
            uncle_counts,
        )
        assert data.encode() == value_of(header)[-FORK_DATA_BYTES:]
        assert decode_fork_data(data.encode()) == data
        checked += 1
    assert checked == 4_480_943 - 4_480_256  # by hand: the first s with s - 384 >= 4479841 is 70,004 * 64


def test_their_difficulty_and_gas_price_follow_rootstock_s_rules() -> None:
    headers = rootstock.headers()
    for parent, header in pairwise(headers):
        assert header.difficulty == rootstock.next_difficulty(parent, header.timestamp, header.uncles)
        most = max(1, parent.minimum_gas_price // 100)
        assert abs(header.minimum_gas_price - parent.minimum_gas_price) <= most


def test_some_of_their_work_was_enough_for_bitcoin_too() -> None:
    """About 1 in 76 of what Rootstock asked for then: most headers fail Bitcoin's target, and are valid here."""
    enough = 0
    for header in rootstock.headers():
        bits = int.from_bytes(header.bitcoin[72:76], "little")
        try:
            check_work(hash256(header.bitcoin), bits, MAIN)
            enough += 1
        except InvalidBitcoin as refused:
            assert refused.reason == "not enough work"
    expected = COUNT * rootstock.headers()[0].difficulty * target_of(bits) // 2**256
    assert expected // 2 <= enough <= 2 * expected


def various() -> list[RskHeader]:
    """Of each place of the tag and number of bytes behind it that occurs, the first block."""
    found = {}
    for header in rootstock.headers():
        tail = header.proof.coinbase[40:]
        place = tail.rindex(RULES.tag)
        found.setdefault((place // 16, len(tail) - place, len(header.proof.branch)), header)
    return list(found.values())


def test_no_byte_of_a_real_proof_can_be_another() -> None:
    for header in various()[::4]:
        proof = header.proof
        for at in range(80):
            with pytest.raises(InvalidInput):
                check(header, bitcoin=flipped(header.bitcoin, at))
        for part in ("branch", "coinbase"):
            whole = getattr(proof, part)
            for at in range(len(whole)):
                with pytest.raises(InvalidInput):
                    check(header, replace(proof, **{part: flipped(whole, at)}))


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 1 << at % 8,)) + data[at + 1 :]


def changes(proof: MergedMiningProof) -> list[MergedMiningProof]:
    """Parts cut off, added, exchanged; the coinbase cut at another place."""
    branch, coinbase = proof.branch, proof.coinbase
    branches = [branch[:-32], branch[32:], branch + bytes(32), branch[:-1], branch + b"\0", b"", bytes(992)]
    branches += [branch[32:64] + branch[:32] + branch[64:], branch[::-1]]
    branches += [b"".join(branch[at : at + 32][::-1] for at in range(0, len(branch), 32))]  # the other order
    count, state, tail = int.from_bytes(coinbase[:8], "big"), coinbase[8:40], coinbase[40:]
    coinbases = [coinbase[:-1], coinbase + b"\0", coinbase[:40], coinbase[:39], b""]
    if len(tail) >= 64:  # the midstate one block later
        coinbases += [(count + 64).to_bytes(8, "big") + advance(state, tail[:64]) + tail[64:]]
    coinbases += [bytes(8) + coinbase[8:], (count + 64).to_bytes(8, "big") + coinbase[8:]]
    coinbases += [coinbase + RULES.tag + bytes(32), coinbase[:40] + RULES.tag + bytes(32) + coinbase[40:]]
    coinbases += [
        coinbase[:40] + coinbase[41:],
        coinbase[:40] + b"\0" + coinbase[40:],
        coinbase[:40] + bytes(64) + tail,
    ]
    wrong = [replace(proof, branch=each) for each in branches]
    wrong += [replace(proof, coinbase=each) for each in coinbases]
    return [each for each in wrong if each != proof]  # a block of one transaction has no branch to change


def test_no_part_of_a_real_proof_can_be_left_out_added_or_exchanged() -> None:
    headers = rootstock.headers()
    for header in various():
        for proof in changes(header.proof):
            with pytest.raises(InvalidInput):
                check(header, proof)
    for header, other in pairwise(headers):
        for wrong in (other.proof, replace(header.proof, branch=other.proof.branch)):
            with pytest.raises(InvalidInput):
                check(header, wrong)
        with pytest.raises(InvalidInput):
            check(header, bitcoin=other.bitcoin)


def test_their_work_counts_for_no_other_content() -> None:
    for header in various():
        wrong = flipped(value_of(header), header.number % 32)
        with pytest.raises(InvalidBitcoin, match="another block"):
            check_merged_mining(
                header.bitcoin, header.proof, wrong, header.difficulty, header.timestamp, RULES
            )
