"""A participant of the demo market continues whatever happens to its turns, its node, or its agent."""

import asyncio
from random import Random
from typing import Any

import pytest

from coinone.interfaces.client import Market, Refused
from coinone.interfaces.demo import participant
from coinone.interfaces.demo.participant import Participant

KEY = bytes.fromhex("0123456789012345678901234567890123456789012345678901234567890123")


class Trader(Participant):
    """Its turns do what the list says; signing in is counted, not done."""

    def __init__(self, *turns: Any) -> None:
        super().__init__("http://127.0.0.1:9", KEY, Random(1))
        self.plan = list(turns)
        self.signed_in = 0

    async def turn(self) -> None:
        step = self.plan.pop(0) if self.plan else None
        if step is not None:
            raise step

    def wait_s(self) -> float:
        return 0.001

    async def _sign_in(self) -> None:
        self.signed_in += 1
        self.client = type(self.client)("http://127.0.0.1:9", key=KEY)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(participant, "PAUSE_FIRST_S", 0.001)
    monkeypatch.setattr(participant, "PAUSE_MAX_S", 0.016)


def run_until(trader: Trader, turns: int) -> None:
    """Let it act until so many of its turns went well."""

    async def scenario() -> None:
        task = asyncio.create_task(trader.run())
        async with asyncio.timeout(30):
            while trader.turns < turns:
                assert not task.done()
                await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())


def test_expected_and_unexpected_errors_alike_end_a_turn_only() -> None:
    trader = Trader(Refused("margin"), ValueError("surprise"), KeyError("x"))
    run_until(trader, turns=5)
    assert trader.signed_in == 1


def test_after_a_long_failure_it_introduces_itself_again() -> None:
    trader = Trader(*[Refused("User or API Wallet does not exist")] * 6)
    run_until(trader, turns=1)
    assert trader.signed_in >= 2


def test_it_looks_now_and_then_whether_there_are_new_markets(monkeypatch: pytest.MonkeyPatch) -> None:
    class Listed(Trader):
        async def _sign_in(self) -> None:
            await super()._sign_in()
            self.markets, new = {"BTC": BTC}, {"BTC": BTC, "XRP": XRP}

            async def markets() -> Any:
                return new

            self.client.markets = markets  # type: ignore[method-assign]

    BTC, XRP = Market(0, "BTC", 5, 50), Market(1, "XRP", 2, 20)
    monkeypatch.setattr(participant, "TURNS_PER_LOOK", 3)
    trader = Listed()
    run_until(trader, turns=2)
    assert list(trader.markets) == ["BTC"]
    run_until(trader, turns=4)
    assert list(trader.markets) == ["BTC", "XRP"]


def test_leaving_with_the_node_gone_raises_nothing() -> None:
    asyncio.run(Trader().stop())
