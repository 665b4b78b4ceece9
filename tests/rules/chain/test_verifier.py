"""The memory of verified transactions."""

from coinone.base.forms.ethereum import EthereumTransaction, sign_transaction
from coinone.rules.chain.transactions import Verifier
from coinone.rules.exchange.wire.types import DomainRules
from tests.rules.chain.chain_world import KEYS, account

RULES = DomainRules(926_002, True, True)


def _raw(nonce: int, size: int) -> bytes:
    tx = EthereumTransaction(2, 926_002, nonce, 10, 1, 30_000_000, account(1), 0, bytes(size))
    return sign_transaction(tx, KEYS[0]).encoded


def test_what_was_verified_is_remembered_up_to_so_many_bytes_whatever_its_count():
    verify = Verifier(RULES, most=100, bytes_max=250_000)
    raws = [_raw(nonce, 100_000) for nonce in range(3)]
    first = verify(raws[0])
    assert verify(raws[0]) is first
    second = verify(raws[1])
    verify.remember(raws[1], second)  # once more is not more
    assert verify(raws[0]) is first, "two of 100,000 bytes fit"
    third = verify(raws[2])
    assert verify(raws[2]) is third and verify(raws[1]) is second
    again = verify(raws[0])
    assert again is not first and again.hash == first.hash, "the oldest was forgotten, and is verified anew"


def test_one_that_is_larger_than_the_memory_is_verified_all_the_same():
    verify = Verifier(RULES, most=100, bytes_max=1_000)
    raw = _raw(0, 5_000)
    assert verify(raw).sender == verify(raw).sender == account(0)
