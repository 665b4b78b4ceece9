"""Blockchain tests of ethereum/tests and ethereum/execution-spec-tests: whole blocks, from their RLP.

A valid block must be imported by the node, under Ethereum's block rules, with the state root, receipts root, requests
and hash that it names; an invalid one must be refused, and must change nothing; on the reference engine and on
the native one. Needs COINONE_DATA (evm-tests/
blockchain_eip.tar.xz, blockchain_legacy.tar.xz).
"""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import pytest

from coinone.base.primitives.errors import InvalidInput
from coinone.node.imported.chain import EthereumChain
from coinone.rules.vm import Engine, engine_named
from tests.vectors.ethereum_chain import config_of, genesis_chain, unhex
from tests.vectors.test_state_vectors import files_of

ARCHIVES = {"blockchain_eip": 1_300, "blockchain_legacy": 380}  # and how many tests each holds at least


def blockchain_tests(archive: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, content in files_of(archive):
        yield from vectors_in(name, content)


def vectors_in(file: str, content: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, test in json.loads(content).items():
        yield f"{file}::{name.split('::')[-1]}", test


def wrong_in(test: dict[str, Any], engine: Engine) -> str | None:
    """What we get wrong about the test's blocks, if anything."""
    config = config_of(test["network"])
    assert config is not None
    chain = genesis_chain(test, config, engine)
    for place, block in enumerate(test["blocks"]):
        problem = wrong_in_block(chain, block)
        if problem is not None:
            return f"block {place}: {problem}"
    want = unhex(test["lastblockhash"])
    return None if chain.head.hash == want else "another last block"


def wrong_in_block(chain: EthereumChain, block: dict[str, Any]) -> str | None:
    expected = block.get("expectException", block.get("expectExceptionALL"))
    try:
        if not chain.add(unhex(block["rlp"])):
            return "known already"
    except InvalidInput as error:
        return None if expected else f"refused: {error}"
    return f"accepted, though {expected}" if expected else None


def failures_in(chosen: Iterable[tuple[str, dict[str, Any]]], engine: Engine) -> tuple[int, list[str]]:
    """How many tests of our forks were run, and what was wrong with which."""
    done, failures = 0, []
    for name, test in chosen:
        if config_of(test["network"]) is None:
            continue
        done, problem = done + 1, wrong_in(test, engine)
        if problem is not None:
            failures.append(f"{name}: {problem}")
    return done, failures


def run(engine: Engine, archive: str, least: int, one_in: int = 1) -> None:
    done, failures = failures_in(islice(blockchain_tests(archive), 0, None, one_in), engine)
    assert failures == []
    assert done >= least, "the archive holds fewer cases than it should"


@pytest.fixture(params=["reference", "native"])
def engine(request: pytest.FixtureRequest) -> Engine:
    made = engine_named(request.param)
    assert made.name == request.param, "there was no machine code"
    return made


def test_a_sample_of_blocks_is_imported_or_refused_as_ethereum_does(engine: Engine) -> None:
    run(engine, "blockchain_eip", 60, one_in=17)


@pytest.mark.slow
@pytest.mark.parametrize(("archive", "least"), ARCHIVES.items())
def test_every_block_is_imported_or_refused_as_ethereum_does(
    engine: Engine, archive: str, least: int
) -> None:
    run(engine, archive, least)
