"""An answer is given once and is final; cancels do not wait behind rubbish."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coinone.base.primitives.errors import InvalidInput
from coinone.node.executor.barred import Barred
from coinone.node.executor.core import Core
from coinone.node.limits import ACTION_REPLIES_MAX, BARRED_OF_SIGNER_MAX
from coinone.node.recovery.startup import identity_of, open_chain
from coinone.node.roles.reporter import report_prices
from coinone.node.storage.storage import open_storage
from coinone.rules.chain.batch_limits import limits_of
from coinone.rules.exchange.batch.inclusion import include
from tests.rules.chain.chain_world import KEYS, NETWORK, SECRETS, START_MS, account, l1_action, order

STRANGER = (99).to_bytes(32, "big")
HOUR = 3_600_000


class Desk:
    """A node's core, and what its clients were told."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.told: list[Any] = []

    @property
    def now(self) -> int:
        return self.core.chain.cursor.time_ms

    def send(self, raw: bytes) -> None:
        """As a client does; a refusal at once is told like any other answer."""
        try:
            self.core.add_action(raw, self.core.chain.verify(raw), self.told.append)
        except InvalidInput as error:
            self.told.append(error)

    def close(self, step_ms: int = 250) -> list[str]:
        """Make the next batch; what its transactions came to."""
        prices = tuple((market, spec.start_price) for market, spec in enumerate(NETWORK.markets))
        at = self.now + step_ms
        report_prices(self.core, at, prices, SECRETS.reporter)
        result = self.core.close_batch(at)
        return [outcome.status for outcome in result.exchange.outcomes]

    def spend(self, index: int, left: int) -> None:
        """Leave an account of genesis with so many credits of dev's grant."""
        rows = self.core.chain.exchange.rows
        rows.accounts["credits_used"][rows.slot_of(account(index))] = 10**9 - left

    def orders(self, index: int, nonce: int, count: int) -> bytes:
        one = {"a": 0, "b": True, "p": "90000", "s": "0.01", "r": False, "t": {"limit": {"tif": "Gtc"}}}
        return l1_action(KEYS[index], nonce, {"type": "order", "orders": [one] * count, "grouping": "na"})

    def buy(self, index: int, nonce: int, price: str = "90000") -> bytes:
        return order(KEYS[index], nonce, 0, True, price, "0.01")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    storage = open_storage(tmp_path, identity_of(NETWORK), 2**27)
    core = Core(open_chain(NETWORK, storage, SECRETS, START_MS), storage, SECRETS, lambda published: None)
    made = Desk(core)
    made.close()
    yield made
    storage.close()


def texts(desk: Desk) -> list[str]:
    return [str(one) if isinstance(one, Exception) else one.status for one in desk.told]


def test_what_was_refused_for_want_of_credits_does_not_run_when_they_have_come(desk: Desk) -> None:
    desk.spend(0, left=0)
    wanted = desk.buy(0, desk.now)
    desk.send(wanted)
    assert "cumulative requests" in texts(desk)[0] and desk.close(HOUR) == []
    desk.send(wanted)  # a thief, an hour later
    assert "refused before, and that is final" in texts(desk)[1] and desk.close() == []
    desk.send(desk.buy(0, desk.now))
    assert desk.close() == ["executed"]


def test_what_was_refused_to_a_stranger_does_not_run_when_an_account_has_opened(desk: Desk) -> None:
    wanted = order(STRANGER, desk.now, 0, True, "90000", "0.01")
    desk.send(wanted)
    ex = desk.core.chain.exchange
    ex.rows.add_account(desk.core.chain.verify(wanted).signer, desk.now)
    ex.rows.journal.begin()
    desk.send(wanted)
    assert "does not exist" in texts(desk)[0] and "refused before" in texts(desk)[1]


def test_what_expires_while_it_waits_is_told_so_and_is_in_no_batch(desk: Desk) -> None:
    desk.send(l1_action(KEYS[0], desk.now, {"type": "noop"}, expires_after=desk.now + 100))
    assert desk.told == []
    assert desk.close(250) == [] and "Action expired" in texts(desk)[0]
    assert len(desk.core.door.pool) == 0


def test_where_another_member_leads_what_no_batch_can_have_any_more_is_refused(desk: Desk) -> None:
    """This node makes no batches then: it looks at what waits when others' batches have moved the time on."""
    desk.send(l1_action(KEYS[0], desk.now, {"type": "noop"}, expires_after=desk.now + 100))
    desk.send(desk.buy(1, desk.now))
    chain = desk.core.chain
    desk.core.door.refuse_excluded(chain)
    assert desk.told == []
    chain.cursor = replace(chain.cursor, time_ms=desk.now + 200)
    desk.core.door.refuse_excluded(chain)
    assert "Action expired" in texts(desk)[0] and len(desk.told) == 1 == len(desk.core.door.pool)


def test_what_waits_counts_against_the_credits_of_what_comes(desk: Desk) -> None:
    desk.spend(0, left=2)
    for n in range(3):
        desk.send(desk.buy(0, desk.now + n))
    assert len(desk.told) == 1 and "cumulative requests" in texts(desk)[0]
    assert desk.close() == ["executed"] * 2


def test_an_action_sent_twice_has_one_outcome_and_both_are_told(desk: Desk) -> None:
    wanted = desk.buy(0, desk.now)
    for _ in range(ACTION_REPLIES_MAX + 1):
        desk.send(wanted)
    assert len(desk.told) == 1 and "too many wait" in texts(desk)[0]
    assert desk.close() == ["executed"]
    assert texts(desk)[1:] == ["executed"] * ACTION_REPLIES_MAX


def test_a_nonce_that_waits_or_was_used_is_refused_at_the_door(desk: Desk) -> None:
    desk.send(desk.buy(0, desk.now))
    desk.send(desk.buy(0, desk.now, "90001"))
    assert "duplicate nonce" in texts(desk)[0]
    assert desk.close() == ["executed"]
    desk.send(desk.buy(0, desk.now - 250, "90002"))
    assert "duplicate nonce" in texts(desk)[2] and desk.close() == []


def test_cancels_have_their_places_while_others_fill_the_batch(desk: Desk) -> None:
    """Four places: an account's rubbish takes three of each batch, and the cancel goes with the first."""
    chain = desk.core.chain
    batches = replace(chain.network.batches, actions_max=5)  # one is the oracle's
    chain.network = replace(chain.network, batches=batches)
    for n in range(20):
        desk.send(l1_action(KEYS[1], desk.now + n, {"type": "noop"}))
    cancel = l1_action(KEYS[0], desk.now, {"type": "cancel", "cancels": [{"a": 0, "o": 1}]})
    desk.send(cancel)
    assert desk.close() == ["executed"] * 4
    assert chain.verify(cancel).tx_hash in [one.tx_hash for one in desk.told]


def test_what_is_chosen_beside_forced_actions_is_what_the_batch_lets_in(desk: Desk) -> None:
    """By hand: five credits. A block forces one order and then five, and the five have the lower nonce: the batch lets
    the five in, and then nothing. Judged in the list's order, the one would leave room for the four that wait, and the
    leader would make a batch that holds what is excluded."""
    desk.spend(0, left=5)
    one, five, four = (desk.orders(0, desk.now + nonce, count) for nonce, count in ((2, 1), (1, 5), (3, 4)))
    desk.send(four)
    chain, at = desk.core.chain, desk.now + 250
    limits = limits_of(NETWORK.batches, chain.cursor.seq + 1, chain.head)
    chosen = desk.core.door.choose(chain, limits, [], [one, five], at)
    actions = [chain.verify(raw) for raw in (one, five, *[item.raw for item in chosen])]
    assert list(include(chain.exchange, actions, at, forced=2).refused) == [0]
    assert not chosen


def test_an_account_that_floods_the_pool_does_not_keep_others_waiting(desk: Desk) -> None:
    for n in range(300):  # more than one batch takes of an account
        desk.send(l1_action(KEYS[1], desk.now + n, {"type": "noop"}))
    desk.send(desk.buy(0, desk.now))
    assert len(desk.close()) == 257 and len(desk.told) == 257
    assert len(desk.close()) == 44


def test_replayed_old_actions_do_not_push_a_refusal_out(desk: Desk) -> None:
    """They are public, but their nonces are burnt: nothing of them needs to be remembered."""
    old = [l1_action(KEYS[0], desk.now + n, {"type": "noop"}) for n in range(250)]
    for raw in old:
        desk.send(raw)
    desk.close()
    desk.spend(0, left=0)
    refused = desk.buy(0, desk.now)
    desk.send(refused)
    for raw in old * 2:
        desk.send(raw)
    desk.send(refused)
    assert "refused before" in texts(desk)[-1]


def test_the_memory_of_refusals_is_bounded_for_each_signer() -> None:
    barred = Barred()
    for n in range(BARRED_OF_SIGNER_MAX + 1):
        barred.add(n.to_bytes(32, "big"), account(0), is_known=True)
    barred.check((0).to_bytes(32, "big"), account(0))  # the oldest was forgotten
    for n in (1, BARRED_OF_SIGNER_MAX):
        with pytest.raises(InvalidInput, match="refused before"):
            barred.check(n.to_bytes(32, "big"), account(0))
