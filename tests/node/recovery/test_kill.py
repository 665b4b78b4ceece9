"""A node is killed again and again; what it answered is there after every restart, and in a replay from genesis.

Every vote that left it or lies in its log is held against all those before (invariant *one content per vote*).
"""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from coinone.base.primitives.records import decode
from coinone.node.executor.promises import promises_in
from coinone.node.network.peering import BlockSource
from coinone.node.recovery.startup import GENESIS_KEY, chain_at, genesis_block, identity_of
from coinone.node.recovery.verify import verify_chain
from coinone.node.storage.batch_log import BatchLog
from coinone.node.storage.disk import FileDisk
from coinone.node.storage.storage import Storage, open_storage
from coinone.node.storage.store import MemoryStore
from coinone.node.views.archive import Archive
from coinone.rules.chain.apply import apply_batch
from coinone.rules.chain.genesis import Genesis
from coinone.rules.chain.network import Network
from coinone.rules.chain.sealing import apply_block, commit_block
from coinone.rules.chain.state import BatchResult, Headers
from coinone.rules.ledger.batch import CertifiedBatch
from coinone.rules.ledger.certificate import Vote, VoteKind
from coinone.rules.ledger.term_change import ChangeVote
from coinone.rules.state.database import Table
from sim.votes import VoteLedger
from tests.node.recovery.crash_node import NETWORK

SCRIPT = Path(__file__).with_name("crash_node.py")
ROOT = Path(__file__).parents[3]


class Campaign:
    """Kills of one node, and everything its client was told before them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder / "data"
        self.claims: list[list[Any]] = []
        self.figures: Counter[str] = Counter()
        self.votes = VoteLedger()
        self.left: dict[int, list[Any]] = {}  # seq -> the vote that went to peers with the batch
        self._ledger = folder / "ledger"
        self._dice = random.Random(seed)
        self._opening_s = 0.1  # how long the last start took from "opening" to "open"

    def kill_one(self, while_opening: bool) -> None:
        """Start the node, kill it at a random moment, and write down what was said until then."""
        process = subprocess.Popen(
            [sys.executable, SCRIPT, self.folder, self._ledger],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None and process.stderr is not None
        first = process.stdout.readline()
        assert first == '["opening"]\n', process.stderr.read()
        begun, opened = time.monotonic(), ""
        if while_opening:
            time.sleep(self._dice.random() * self._opening_s)
        else:
            opened = process.stdout.readline()
            self._opening_s = time.monotonic() - begun
            time.sleep(self._dice.random())
        assert process.poll() is None, f"the node died by itself: {process.stderr.read()}"
        process.kill()
        out, err = process.communicate()
        self._note(opened + out, err)
        self._read_votes()

    def _note(self, out: str, err: str) -> None:
        assert not err, err
        self.figures["kills"] += 1
        lines = out.splitlines(keepends=True)
        said = [json.loads(line) for line in lines if line.endswith("\n")]  # a line cut short was not said
        if not said:
            self.figures["killed while opening"] += 1
            return
        (word, applied, checked), *claims = said
        assert word == "open" and checked == len(self.claims), "it did not check all that had been said"
        self.figures["started"] += 1
        self.figures["started with batches to apply again"] += applied > 0
        self.figures.update(kind for kind, *_ in claims)
        for _, name, term, seq, results in [claim for claim in claims if claim[0] == "vote"]:
            vote = Vote(VoteKind.COMMIT, term, seq, bytes.fromhex(name), bytes.fromhex(results))
            self.votes.note_vote(0, vote)
            self.left[seq] = [term, name, results]
        claims = [claim for claim in claims if claim[0] != "vote"]
        self.claims += claims
        with self._ledger.open("a") as file:
            file.writelines(json.dumps(claim) + "\n" for claim in claims)

    def _read_votes(self) -> None:
        """What the log says was signed, from a copy: the node itself cuts the torn tail off."""
        copy = self.folder.parent / "copy"
        if not (self.folder / "log").exists():
            return
        shutil.copytree(self.folder / "log", copy)
        log = BatchLog(FileDisk(copy), os.urandom)
        for promise in promises_in(log):
            if isinstance(promise, Vote):
                self.votes.note_vote(0, promise)
            elif isinstance(promise, ChangeVote):
                self.votes.note_change(0, promise)
                self.figures["terms"] = max(self.figures["terms"], promise.term)
            self.figures["promises read from the log"] += 1
        log.close()
        shutil.rmtree(copy)

    def replay(self) -> None:
        """Execute the chain from genesis, and compare every answer, receipt and batch that was seen."""
        storage = open_storage(self.folder, identity_of(NETWORK), 2**29)
        assert verify_chain(NETWORK, storage).number > 0, "no block was ever committed"
        truth = executed_again(NETWORK, storage)
        shelves = BlockSource(storage)
        for seq, vote in self.left.items():
            raw = shelves.batch(seq)
            assert raw is not None, f"batch {seq} was certified and is gone"
            now = decode(CertifiedBatch, raw).certificate
            assert vote == [now.term, now.batch_hash.hex(), now.results.hex()], (
                f"batch {seq} was certified twice"
            )
            self.figures["vote replayed"] += 1
        storage.close()
        for kind, name, *what in self.claims:
            now = json.loads(json.dumps(truth[kind, name]))
            assert now == what, f"{kind} {name} was said to be {what} and is {now}"
            self.figures[f"{kind} replayed"] += 1


def executed_again(network: Network, storage: Storage) -> dict[tuple[str, str], list[Any]]:
    """What each action, transaction and batch of the folder comes to, in blocks or waiting for one."""
    archive, memory = Archive(storage.blocks), MemoryStore()
    genesis = decode(Genesis, storage.store.get(Table.META, GENESIS_KEY) or b"")
    first, sealed = genesis_block(network, genesis, memory)
    memory.write(sealed.changes)
    chain, number = chain_at(network, memory, first.header, Headers()), 1
    truth: dict[tuple[str, str], list[Any]] = {}
    while (block := archive.block(number)) is not None:
        batches = [archive.batch(seq) for seq in range(block.first_seq, block.header.batch_seq + 1)]
        sealed = apply_block(chain, memory, block, [batch for batch in batches if batch is not None])
        for result in sealed.results:
            truth.update(answers_of(result))
        for row in sealed.placed.rows:
            record = row.record
            truth["receipt", record.hash.hex()] = [
                number, row.index, block.hash.hex(), record.succeeded, record.gas_used, len(record.logs),
            ]  # fmt: skip
        memory.write(sealed.changes)
        commit_block(chain, sealed)
        number += 1
    for _, raw in storage.pending_batches():
        truth.update(answers_of(apply_batch(chain, decode(CertifiedBatch, raw).batch)))
    return truth


def answers_of(result: BatchResult) -> dict[tuple[str, str], list[Any]]:
    seq, outcomes = result.batch.seq, result.exchange.outcomes
    answers = {
        ("answer", outcome.tx_hash.hex()): [seq, outcome.status, outcome.response] for outcome in outcomes
    }
    return {("batch", result.batch.hash.hex()): [seq], **answers}


def run(folder: Path, kills: int, seed: int) -> Counter[str]:
    campaign = Campaign(folder, seed)
    for turn in range(kills):
        campaign.kill_one(while_opening=turn % 3 == 2)
    campaign.replay()
    figures = campaign.figures
    print(dict(figures))
    # A fault test proves that the faults happened; how much a life sees depends on what else the machine does.
    assert figures["kills"] == kills
    assert figures["killed while opening"] >= kills // 8, figures
    assert figures["started with batches to apply again"] > 0, figures
    assert figures["vote replayed"] == figures["vote"] > 2 * kills and figures["terms"] > kills // 8, figures
    assert (
        figures["answer replayed"] == figures["answer"] > kills and figures["receipt replayed"] > kills // 4
    ), figures
    return figures


@pytest.mark.slow
def test_no_answer_and_no_receipt_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    run(tmp_path, kills=12, seed=20)


@pytest.mark.long
def test_no_answer_and_no_receipt_is_lost_in_two_hundred_kills(tmp_path: Path) -> None:
    run(tmp_path, kills=200, seed=21)
