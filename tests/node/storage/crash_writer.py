"""A small chain on real storage, to be killed: `python crash_writer.py FOLDER SEED`.

Each batch moves money between accounts; after every fourth a block begins, written on another thread while
batches continue. Each line on stdout says what begins or is done, so that the process that kills this one knows what it
was doing. `check` is what the test runs on what is left.
"""

import random
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from coinone.node.storage.storage import BlockCommit, open_storage
from coinone.rules.exchange.events.event_log import EventLog
from coinone.rules.exchange.events.events import LedgerUpdate
from coinone.rules.state.layers import merge
from coinone.rules.state.rebuild import rebuilt_state_root
from coinone.rules.state.seal import seal, state_root
from coinone.rules.state.state import State

MAP = 4 * 1024**3  # a long campaign writes much
ACCOUNTS = [bytes([n]) * 20 for n in range(1, 41)]
SUM = 1_000_000 * len(ACCOUNTS)
BATCHES_PER_BLOCK = 4


class SmallChain:
    def __init__(self, folder: Path) -> None:
        self.storage = open_storage(folder, b"crash test", MAP)
        self.state = State(self.storage.store)
        if self.storage.blocks.head() is None:
            for account in ACCOUNTS:
                self.state.set_balance(account, 1_000_000)
            self.state.freeze()
            self.begin_commit(0, 0)()
            self.state.committed(1)
        head = self.storage.blocks.head()
        assert head is not None
        self.number, self.seq = head.number, head.last_seq
        for seq, payload in self.storage.pending_batches():
            self.apply(seq, payload)

    def apply(self, seq: int, payload: bytes) -> None:
        assert seq == self.seq + 1
        dice = random.Random(payload)
        for _ in range(20):
            payer, payee = dice.sample(ACCOUNTS, 2)
            amount = dice.randrange(self.state.balance(payer) + 1)
            self.state.set_balance(payer, self.state.balance(payer) - amount)
            self.state.set_balance(payee, self.state.balance(payee) + amount)
            self.state.set_storage(payee, dice.randrange(50), dice.getrandbits(256))
        self.state.freeze()
        moved = LedgerUpdate(seq, seq, ACCOUNTS[0], "send", seq, ACCOUNTS[1], bytes(32))
        self.storage.history.add_batch(seq, EventLog([moved]))
        self.seq = seq

    def begin_commit(self, number: int, last_seq: int) -> Callable[[], None]:
        """Seal all batches as a block; what is returned writes it, on any thread."""
        layers = self.state.layers
        sealed = seal(self.storage.store, merge(layers))
        batches = {seq: row for seq, row in self.storage.log.batches.items() if seq <= last_seq}
        batches |= dict(self.storage.blocks.batches_from(last_seq - len(layers) + 1))
        commit = BlockCommit(number, number.to_bytes(32, "big"), last_seq, b"", b"", sealed.changes, batches)
        return lambda: self.storage.write_block(commit)

    def committed(self, number: int, last_seq: int) -> None:
        self.storage.block_written(last_seq)
        self.state.committed(len(self.state.layers) - (self.seq - last_seq))
        self.number = number


def check(folder: Path) -> int:
    """Everything that must hold after any crash; return the last batch."""
    chain = SmallChain(folder)
    store = chain.storage.store
    assert sum(chain.state.balance(account) for account in ACCOUNTS) == SUM, "money was made or lost"
    assert state_root(store) == rebuilt_state_root(store), "the trie is not that of the flat state"
    assert [update.seq for update in chain.storage.history.ledger(ACCOUNTS[0])] == list(
        range(chain.seq, max(0, chain.seq - 2000), -1)
    ), "history has a gap"
    on_disk = [seq for seq, _ in chain.storage.blocks.batches_from(0)]
    assert on_disk == list(range(1, len(on_disk) + 1)), "a block lost a batch"
    chain.storage.close()
    return chain.seq


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def run(folder: Path, seed: int) -> None:
    say("open")
    chain = SmallChain(folder)
    say("opened")
    dice, thread = random.Random(seed), ThreadPoolExecutor(1)
    writing: tuple[int, Future[None]] | None = None
    while True:
        seq = chain.seq + 1
        payload = dice.randbytes(dice.choice([10, 10, 10, 1000, 100_000]))
        say(f"append {seq}")
        chain.storage.log.append_batch(seq, payload)
        say(f"answered {seq}")
        chain.apply(seq, payload)
        if writing is not None and writing[1].done():
            writing[1].result()
            chain.committed(chain.number + 1, writing[0])
            say(f"committed {chain.number}")
            writing = None
        if writing is None and len(chain.state.layers) >= BATCHES_PER_BLOCK:
            say(f"commit {chain.number + 1}")
            writing = seq, thread.submit(chain.begin_commit(chain.number + 1, seq))


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]))
