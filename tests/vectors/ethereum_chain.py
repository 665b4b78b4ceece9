"""Chains of Ethereum's blockchain tests, in memory, grown by the node's own import (node/imported/chain.py)."""

from typing import Any

from coinone.base.primitives import rlp
from coinone.node.imported.chain import IDENTITY, EthereumChain, begin_chain
from coinone.node.storage.storage import Storage
from coinone.node.storage.store import MemoryStore
from coinone.rules.chain.imported.genesis import parse_alloc, sealed_alloc
from coinone.rules.chain.imported.header import decode_ethereum_header
from coinone.rules.state.database import MemoryDatabase
from coinone.rules.vm import FORKS, Engine

_AT = "AtTime15k"


class NoDisk:
    """The batch log's disk: there are no batches on such a chain."""

    def names(self) -> list[str]:
        return []


def unhex(text: str) -> bytes:
    digits = text.removeprefix("0x")
    return bytes.fromhex(digits.rjust(len(digits) + len(digits) % 2, "0"))


def config_of(name: str, chain_id: int = 1) -> dict[str, Any] | None:
    """A test's network as in a genesis file: "Prague", or "PragueToOsakaAtTime15k"; None if its rules are not ours."""
    first, _, second = name.removesuffix(_AT).partition("To")
    names = [(0, first)] + ([(15_000, second)] if second else [])
    if any(fork not in FORKS for _, fork in names):
        return None
    return {"chainId": chain_id, **{f"{fork.lower()}Time": since for since, fork in names}}


def genesis_chain(test: dict[str, Any], config: dict[str, Any], engine: Engine) -> EthereumChain:
    """The chain that a blockchain test starts from."""
    storage = Storage(MemoryStore(), NoDisk(), IDENTITY, lambda size: bytes(size))  # type: ignore[arg-type]
    sealed = sealed_alloc(MemoryDatabase(), parse_alloc(test["pre"]))
    header = decode_ethereum_header(
        rlp.decode_list(rlp.decode_list(rlp.decode(unhex(test["genesisRLP"])))[0])
    )
    assert header.hash == unhex(test["genesisBlockHeader"]["hash"])
    assert header.state_root == sealed.root
    return begin_chain(storage, config, header, sealed, engine)
