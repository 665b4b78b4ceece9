"""The wall clock of a running node jumps eight hours ahead, and later back: trading continues (D1).

Real processes, sockets and disks, a leader and a follower; only the time of day that the leader's process reads is
set from here. The client and the follower keep the true time.
"""

import contextlib
import os
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from coinone.base.primitives.parse import format_bytes
from coinone.base.primitives.records import decode
from coinone.interfaces.client import Client, Order, Refused, Signer
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.local import LocalNode, free_ports
from coinone.node.network.peering import BlockSource
from coinone.node.networks import load_network
from coinone.node.node import MAP_SIZE_BYTES
from coinone.node.recovery.startup import identity_of
from coinone.node.recovery.verify import verify_chain
from coinone.node.storage.storage import open_storage
from coinone.rules.ledger.batch import Batch, CertifiedBatch
from tests.functional.waiting import wait_for

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("clocked_node.py")
EIGHT_HOURS_MS = 8 * 3_600_000
STRANGER = "0x" + "77" * 20
BUYER, SELLER = dev_keys()[0], dev_keys()[1]
DEV = load_network("dev")


class WallClock:
    def __init__(self, file: Path) -> None:
        self.file = file
        self.set(0)

    def set(self, shift_ms: int) -> None:
        draft = self.file.with_suffix(".new")
        draft.write_text(str(shift_ms))
        os.replace(draft, self.file)


def trade(url: str) -> None:
    """0.001 changes hands, once the market has a fresh price: before, it takes only orders that reduce."""
    with Client(url, key=BUYER) as buyer, Client(url, key=SELLER) as seller:

        def resting_at() -> int | None:
            price = round(float(buyer.contexts()["BTC"]["oraclePx"]))
            with contextlib.suppress(Refused):
                buyer.order("BTC", True, "0.001", price)
                return price
            return None

        price = wait_for(resting_at, "an order that rests", 60)
        assert "filled" in seller.order("BTC", False, "0.001", price, tif="Ioc")


def pay(url: str, amount: int) -> None:
    with Client(url, key=BUYER) as client:
        client.send(STRANGER, amount)


def paid(url: str) -> float:
    with Client(url) as client:
        return float(client.summary(STRANGER)["marginSummary"]["accountValue"])


def batches_after(client: Client, count: int) -> tuple[int, int]:
    """Number and time of a batch at least `count` after the newest."""
    target = client.health()["batch"] + count
    health = wait_for(lambda: (now := client.health())["batch"] >= target and now, "more batches", 60)
    return health["batch"], health["time"]


def test_trading_goes_on_when_the_clock_jumps_eight_hours_ahead_and_later_back(tmp_path: Path) -> None:
    clock = WallClock(tmp_path / "shift")
    endpoint = f"127.0.0.1:{free_ports(1)[0]}"
    launcher = (sys.executable, str(SCRIPT), str(clock.file))
    leader = LocalNode(tmp_path / "leader", arguments=("--listen", endpoint), launcher=launcher)
    follower = LocalNode(tmp_path / "follower", follow=endpoint)
    with leader, follower, Client(leader.url, key=BUYER) as client:
        pay(leader.url, 12)  # of which 1 opens the account
        trade(leader.url)
        _, before = batches_after(client, 2)

        clock.set(EIGHT_HOURS_MS)
        _, ahead = batches_after(client, 2)
        assert EIGHT_HOURS_MS <= ahead - before < EIGHT_HOURS_MS + 600_000
        trade(leader.url)
        soon = int(time.time() * 1000) + 60_000
        with pytest.raises(Refused, match="expired"):  # by the chain's time, which is that of the batches
            client.orders([Order(0, True, "0.001", 50_000)], expires_after=soon)
        leader.restart()
        pay(leader.url, 1)
        wait_for(lambda: paid(follower.url) == 12, "the follower has followed ahead", 60)

        clock.set(0)
        first, then = batches_after(client, 2)
        later, now = batches_after(client, 4)
        assert now - then == later - first, "one millisecond a batch, until the clock has caught up"
        assert then > before + EIGHT_HOURS_MS, "the chain's time never goes back"
        trade(leader.url)
        leader.restart()
        pay(leader.url, 1)
        wait_for(lambda: paid(follower.url) == 13, "the follower has followed back", 60)

        payments = client.info("userFunding", user=format_bytes(Signer(BUYER).address), startTime=0)
        assert len(payments) < 8, "hours that nobody traded in pay no funding"
        positions = client.summary()["assetPositions"]
        assert [position["position"]["szi"] for position in positions] == ["0.003"], "and liquidate nobody"
    check_chains(tmp_path / "leader", tmp_path / "follower")


def check_chains(leader: Path, follower: Path) -> None:
    """One content for each batch, times that rise, and roots that come out when all is executed again."""
    kept, followed = batches_of(leader), batches_of(follower)
    assert [batch.hash for batch in followed] == [batch.hash for batch in kept[: len(followed)]]
    steps = [after.time_ms - before.time_ms for before, after in pairwise(kept)]
    assert min(steps) == 1 and len([step for step in steps if step > EIGHT_HOURS_MS // 2]) == 1


def batches_of(folder: Path) -> list[Batch]:
    storage = open_storage(folder, identity_of(DEV), MAP_SIZE_BYTES)
    head = verify_chain(DEV, storage)
    shelves, found = BlockSource(storage), []
    while (raw := shelves.batch(len(found) + 1)) is not None:
        found.append(decode(CertifiedBatch, raw).batch)
    storage.close()
    assert len(found) >= head.batch_seq > 0
    return found
