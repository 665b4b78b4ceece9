"""Run by test_kill in a process of its own, which kills it: a node, and a client that records what it receives.

It prints, a line each: "opening"; "open" with how many batches were applied again and how many of the earlier
claims in the ledger it found to stand; then new claims: "answer", "receipt" and "batch", with what was seen; and every
"vote" that a peer would have got with a batch.
"""

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path

from coinone.base.crypto.keccak import keccak256
from coinone.base.primitives.records import decode
from coinone.node.network.peering import BlockSource
from coinone.node.networks import load_network
from coinone.node.node import Node
from coinone.node.views.archive import ActionPlace, EthereumPlace
from coinone.rules.ledger.batch import CertifiedBatch
from tests.rules.chain.chain_world import (
    KEYS,
    SYSTEM,
    TOKEN,
    account,
    erc20_transfer,
    order,
    spot_send,
    transfer,
)

NETWORK = load_network("dev")
# A fast cadence and short terms, so that kills meet batches, seals, commits and changes of term.
NETWORK = replace(
    NETWORK,
    batches=replace(NETWORK.batches, interval_ms=10),
    blocks=replace(NETWORK.blocks, interval_ms=40),
    seed_length=40,
)


def say(*words):
    print(json.dumps(words), flush=True)


def seen_receipt(node, tx_hash):
    """What eth_getTransactionReceipt is made of, or None while the transaction is in no block."""
    place = node.archive.place_of(tx_hash)
    if not isinstance(place, EthereumPlace):
        return None
    row = node.archive.records(place.number)[place.index]
    block = node.archive.header(place.number).hash
    return [
        place.number,
        place.index,
        block.hex(),
        row.record.succeeded,
        row.record.gas_used,
        len(row.record.logs),
    ]


def check(node, ledger):
    """Hold the chain as it stands now against everything that was ever said."""

    def pending(reader):
        assert reader.chain.cursor.seq >= max(
            [seq for kind, _, seq, *_ in ledger if kind == "answer"], default=0
        )
        results = {}
        for result in reader.chain.applied:
            for outcome in result.exchange.outcomes:
                results[outcome.tx_hash] = (result.batch.seq, outcome.status, outcome.response)
        return len(reader.chain.applied), results

    async def ask():
        return await node.query(pending)

    applied, results = asyncio.run(ask())
    for kind, name, *what in ledger:
        name = bytes.fromhex(name)
        if kind == "receipt":
            assert seen_receipt(node, name) == what, f"receipt of {name.hex()} was {what}"
        elif kind == "answer" and name in results:
            assert list(results[name]) == what, f"answer to {name.hex()} was {what}"
        elif kind == "answer":
            place = node.archive.place_of(name)
            assert isinstance(place, ActionPlace) and place.seq == what[0], f"{name.hex()} was in {what[0]}"
    return applied


async def trade(node):
    """Rest, take, withdraw, deposit and pay, one after another, as fast as answers come."""
    nonces = await node.query(lambda reader: [reader.state.nonce(account(index)) for index in range(5)])
    waiting, turn, told, shelves = [], 0, node.view.seq, BlockSource(node.storage)
    while True:
        turn += 1
        nonce, price = node.view.time_ms + turn % 10, 96_000 + turn % 50
        raw = (
            order(KEYS[0], nonce, 0, True, str(price), "0.002"),
            order(KEYS[2], nonce, 0, False, "95900", "0.001", "Ioc"),
            order(KEYS[0], nonce, 0, True, str(price), "0.002"),
            spot_send(KEYS[3], nonce, SYSTEM, "5"),
        )[turn % 4]
        outcome = await node.submit(raw)
        say("answer", outcome.tx_hash.hex(), outcome.seq, outcome.status, outcome.response)
        for seq in range(told + 1, outcome.seq + 1):
            certificate = decode(CertifiedBatch, shelves.batch(seq)).certificate
            say("vote", certificate.batch_hash.hex(), certificate.term, seq, certificate.results.hex())
        told = outcome.seq
        if turn % 3 == 0:
            sender = 1 if turn % 2 else 4
            to, value, data = (account(2), 1, b"") if sender == 1 else (TOKEN, 0, erc20_transfer(SYSTEM, 7))
            raw = transfer(KEYS[sender], nonces[sender], to, value, data)
            nonces[sender] += 1
            waiting.append(await node.submit_ethereum(raw))
            assert waiting[-1] == keccak256(raw)
        for tx_hash in list(waiting):
            receipt = seen_receipt(node, tx_hash)
            if receipt is not None:
                say("receipt", tx_hash.hex(), *receipt)
                waiting.remove(tx_hash)
        if turn % 5 == 0:
            seq, name = await node.query(
                lambda reader: (reader.chain.cursor.seq, reader.chain.cursor.batch_hash)
            )
            say("batch", name.hex(), seq)


def main(folder, ledger):
    earlier = [json.loads(line) for line in ledger.read_text().splitlines()] if ledger.exists() else []
    say("opening")
    node = Node(NETWORK, folder, map_size_bytes=2**29)
    node.start()
    applied = check(node, earlier)
    say("open", applied, len(earlier))
    asyncio.run(trade(node))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
