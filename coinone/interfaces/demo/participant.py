"""A participant of the demo market: an account, its agent key, and a loop that survives errors."""

import asyncio
import logging
import secrets
from random import Random

from coinone.interfaces.client import AsyncClient, ClientError, Market, Signer

log = logging.getLogger(__name__)

AGENT_NAME = "demo"
TURNS_PER_LOOK = 100  # between two looks at which markets there are: a batch may list one
PAUSE_FIRST_S = 0.5
PAUSE_MAX_S = 15.0  # the market resumes within this time after a node was away for hours


class Participant:
    """Signs in with a new agent key, then acts until cancelled; subclasses define one turn."""

    def __init__(self, url: str, key: bytes, random: Random) -> None:
        self._master = AsyncClient(url, key=key)
        self._url = url
        self._random = random
        self.client = self._master  # until the agent is approved
        self.markets: dict[str, Market] = {}
        self.turns = 0

    async def run(self) -> None:
        """Act until cancelled; errors are logged, never raised."""
        pause_s = PAUSE_FIRST_S
        while True:
            try:
                if self.client is self._master:
                    await self._sign_in()
                await self.turn()
                self.turns += 1
                if self.turns % TURNS_PER_LOOK == 0:
                    self.markets = await self.client.markets()
                pause_s = PAUSE_FIRST_S
                await asyncio.sleep(self.wait_s())
            except Exception as error:
                # Log unexpected errors and continue, so that the market stays alive.
                expected = isinstance(error, ClientError)
                log.warning("%s: %s", self.name(), error, exc_info=None if expected else error)
                await asyncio.sleep(pause_s * self._random.uniform(0.7, 1.3))
                pause_s = min(2 * pause_s, PAUSE_MAX_S)
                if pause_s == PAUSE_MAX_S:
                    await self._sign_out()  # the node may run another chain now

    async def stop(self) -> None:
        """Cancel resting orders and close the connections."""
        try:
            async with asyncio.timeout(3):
                await self.client.cancel_all()
        except (ClientError, TimeoutError) as error:
            log.info("%s: orders stay in the book: %s", self.name(), error)
        for client in {self.client, self._master}:
            await client.close()

    async def turn(self) -> None:
        raise NotImplementedError

    def wait_s(self) -> float:
        raise NotImplementedError

    def name(self) -> str:
        return f"{type(self).__name__.lower()} {str(self._master.account)[:8]}"

    async def _sign_out(self) -> None:
        if self.client is not self._master:
            await self.client.close()
            self.client = self._master

    async def _sign_in(self) -> None:
        # A new key each time: a replaced agent key must never be used again, since its nonces are forgotten.
        agent = Signer(key := secrets.token_bytes(32))
        await self._master.approve_agent("0x" + agent.address.hex(), AGENT_NAME)
        self.markets = await self._master.markets()
        self.client = AsyncClient(self._url, key=key, account=self._master.account)
