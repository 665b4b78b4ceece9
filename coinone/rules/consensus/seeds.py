"""Seeds, which order a batch and are known only to the leader while clients submit (D2).

A leader draws a secret, hashes it `length` times, and publishes the last hash (the *tip*) when the term
begins. Batch number i of the term reveals the preimage of the value revealed before it, so anyone can check
a seed with one hash and nobody can choose one. The ordering seed also includes the hash of the batch before, so
that not even the leader knows it until that batch is closed.
"""

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.types import Hash32


def make_chain(secret: bytes, length: int) -> list[Hash32]:
    """The chain from the tip down: element 0 is published, element i + 1 is what batch i reveals."""
    assert len(secret) == 32, "a secret has 32 bytes"
    chain = [secret]
    for _ in range(length):
        chain.append(keccak256(chain[-1]))
    chain.reverse()
    return chain


def reveals(preimage: Hash32, previous: Hash32) -> bool:
    """Whether `preimage` is the next link below `previous`."""
    return keccak256(preimage) == previous


def ordering_seed(preimage: Hash32, previous_batch: Hash32) -> Hash32:
    return keccak256(preimage + previous_batch)
