"""Publish messages after each batch, and give new subscribers a snapshot.

Market channels (markets.py) are made from the published view and the batch's events alone. Account channels that show
events (events.py) are made from the events; those that show state (account_states.py) are read for accounts that a
batch touched, and once a second because marks move. If so many are watched that this takes longer than a batch, it
continues during the next ones, and only these channels are late. Accounts that a batch touched come first.
"""

import asyncio
from itertools import islice

from coinone.base.primitives.types import Address
from coinone.interfaces.api.admission.turns import Turns
from coinone.interfaces.api.exchange.channels.account_events import shares_of
from coinone.interfaces.api.exchange.channels.account_states import account_states
from coinone.interfaces.api.exchange.channels.events import EVENTS, event_keys
from coinone.interfaces.api.exchange.channels.markets import MARKETS
from coinone.interfaces.api.exchange.channels.outlet import Outlet
from coinone.interfaces.api.exchange.channels.table import CHANNELS
from coinone.interfaces.api.exchange.info.sources import Sources
from coinone.interfaces.api.limits import QUERIES_PER_VISIT, WS_STATES_WAIT_S
from coinone.interfaces.api.sockets.hub import FirstMessages, Hub, Key
from coinone.rules.exchange.events.event_log import EventLog

STATE_REFRESH_MS = 1000


class ChannelFeed:
    """Publishes each batch to the hub; answers new subscriptions with a snapshot."""

    def __init__(self, hub: Hub, sources: Sources) -> None:
        self._hub = hub
        self._sources = sources
        self._data = sources.data
        self._outlet = Outlet(hub, sources)
        self._markets = {channel.name: channel.stream(self._outlet) for channel in MARKETS}
        self._states: asyncio.Task[None] | None = None
        self._refreshed_ms = 0
        self._touched: dict[str, None] = {}  # watched accounts, in hex, to be published first

    async def on_batch(self, events: EventLog) -> None:
        """Publish a batch's messages; the market data must have adopted it already. Events are made from its rows
        only for subscribers."""
        turns = Turns(self._hub.flush)
        for stream in self._markets.values():
            await stream.on_batch(events, turns)
        concerned = events.parties()
        self._touched.update(
            dict.fromkeys(user for user in map(bytes.hex, concerned) if user in self._hub.watched)
        )
        listening = {key[1] for channel in EVENTS for key in self._hub.keys(channel.name)}
        watched = {account for account in concerned if account.hex() in listening}
        if watched:
            await self._publish_events(events, watched, turns)
        self._hub.flush()
        await self._publish_states_beside()

    async def snapshot(self, key: Key) -> FirstMessages:
        """The first messages of a new subscriber."""
        stream = self._markets.get(key[0])
        if stream is None:
            first = await CHANNELS[key[0]].snapshot(self._sources, key)
        else:
            first = await stream.snapshot(key)
        self._outlet.forget(key)
        return first

    def reset(self) -> None:
        """Forget what was published last, after a rewind."""
        self._outlet.reset()
        for stream in self._markets.values():
            stream.reset()
        self._refreshed_ms = 0
        self._hub.forget_seqs()

    async def _publish_events(self, events: EventLog, watched: set[Address], turns: Turns) -> None:
        shares = await shares_of(events, watched, self._data.coins, turns)
        for account, share in shares.items():
            for channel, key in event_keys(account.hex()):
                if self._hub.wanted(key):
                    for payload in await channel.messages(share, key):
                        self._outlet.publish(key, payload)

    async def _publish_states_beside(self) -> None:
        """Start publishing states, unless that continues from an earlier batch, and wait briefly for it to finish."""
        self._end_states()
        if self._states is None:
            self._states = asyncio.create_task(self._publish_states())
        await asyncio.wait({self._states}, timeout=WS_STATES_WAIT_S)
        self._end_states()

    def _end_states(self) -> None:
        """If all states are published, end the task: the next batch starts another one."""
        if self._states is not None and self._states.done():
            states, self._states = self._states, None
            states.result()

    async def _publish_states(self) -> None:
        turns, waiting = Turns(self._hub.flush), {}
        if self._is_new_second():
            self._outlet.forget_unwanted()
            waiting = dict.fromkeys(self._hub.watched)
        while users := self._next_users(waiting):
            group = {bytes.fromhex(user): self._hub.watched.keys_of(user) for user in users}
            async for key, payload, seq in account_states(self._sources, group, turns):
                self._outlet.publish_changed(key, payload, seq)
            self._hub.flush()

    def _is_new_second(self) -> bool:
        """Whether a second has passed. Then accounts of sites that watch few come first, however many others watch."""
        is_due = self._data.time_ms - self._refreshed_ms >= STATE_REFRESH_MS
        if is_due:
            self._refreshed_ms = self._data.time_ms
            self._touched.update(dict.fromkeys(self._hub.watched.of_few()))
        return is_due

    def _next_users(self, waiting: dict[str, None]) -> list[str]:
        """The next accounts: those touched by batches, including meanwhile, before those that are only due."""
        self._is_new_second()
        touched = list(islice(self._touched, QUERIES_PER_VISIT))
        for user in touched:
            del self._touched[user]
            waiting.pop(user, None)
        due = list(islice(waiting, QUERIES_PER_VISIT - len(touched)))
        for user in due:
            del waiting[user]
        return touched + due
