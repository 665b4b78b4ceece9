"""The participants of the demo market, and how they are started and stopped."""

import asyncio
import contextlib
from collections.abc import Sequence
from random import Random

from coinone.interfaces.client.dev import demo_keys
from coinone.interfaces.demo.maker import Maker
from coinone.interfaces.demo.participant import Participant
from coinone.interfaces.demo.quotes import Style
from coinone.interfaces.demo.taker import Taker

# Levels, half spread and step (bps), value of the innermost order, inventory limit, lean (bps): from a nimble
# maker close to the price to a deep one far from it.
STYLES = (
    Style(6, 0.8, 1.0, 4_000, 80_000, 2),
    Style(8, 1.6, 1.8, 8_000, 120_000, 4),
    Style(10, 3.0, 3.0, 12_000, 160_000, 6),
    Style(10, 6.0, 6.0, 20_000, 200_000, 10),
)
# (mean seconds between trades, mean value of one): a few small fast ones, one large slow one
TAKERS = ((1.2, 400.0), (2.0, 900.0), (3.0, 1_500.0), (4.0, 2_500.0), (6.0, 5_000.0), (15.0, 15_000.0))


def participants(url: str, seed: int) -> list[Participant]:
    """Makers and takers, each with its own random generator seeded from `seed`."""
    keys = demo_keys()
    chances = [Random(f"{seed}/{index}") for index in range(len(keys))]
    makers = [
        Maker(url, key, chance, style) for key, chance, style in zip(keys, chances, STYLES, strict=False)
    ]
    takers = [
        Taker(url, key, chance, pace_s, value)
        for key, chance, (pace_s, value) in zip(
            keys[len(STYLES) :], chances[len(STYLES) :], TAKERS, strict=True
        )
    ]
    return [*makers, *takers]


async def run_market(cast: Sequence[Participant]) -> None:
    """Run until cancelled; then cancel all orders."""
    tasks = [asyncio.create_task(each.run()) for each in cast]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(each.stop() for each in cast), return_exceptions=True)
