"""`python -m coinone.interfaces.demo`: run the demo market as a process.

`coinone up` starts it with a pipe as standard input and never writes to it: when the parent ends, for whatever reason,
the pipe closes and the demo exits. On a terminal, Ctrl-C ends it.
"""

import argparse
import asyncio
import contextlib
import logging
import signal
import sys

from coinone.interfaces.client.client import DEFAULT_URL
from coinone.interfaces.demo.market import participants, run_market


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m coinone.interfaces.demo", description=__doc__)
    parser.add_argument("--url", default=DEFAULT_URL, help="the node's exchange API")
    parser.add_argument("--seed", type=int, default=1, help="where the participants' chance comes from")
    parser.add_argument("--until-parent-ends", action="store_true", help="stop at the end of standard input")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s demo %(levelname)s %(message)s")
    market = asyncio.create_task(run_market(participants(chosen.url, chosen.seed)))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, market.cancel)
    if chosen.until_parent_ends:
        loop.add_reader(sys.stdin.fileno(), market.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await market


if __name__ == "__main__":
    asyncio.run(main())
