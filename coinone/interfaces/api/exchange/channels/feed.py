"""From batches to messages: what each channel says when a batch is published, and when somebody subscribes.

Market channels are made from the published view and the batch's events alone. Account channels that show
events (fills, orders, funding, ledger) are made from the events; those that show state (account_states.py) are read
for accounts that a batch touched, and once a second because marks move. So many may be watched that this takes longer
than a batch: then it goes on beside the next ones, and only these channels are late. Whom a batch touched comes first.
"""

import asyncio
import base64
import zlib
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Any

from coinone.base.primitives.types import Address
from coinone.interfaces.api.admission.turns import Turns
from coinone.interfaces.api.admission.watched import STATE_CHANNELS
from coinone.interfaces.api.exchange.channels.account_events import EVENT_CHANNELS, JOINED, message, shares_of
from coinone.interfaces.api.exchange.channels.account_rows import ROW_CHANNELS, first_rows
from coinone.interfaces.api.exchange.channels.account_states import account_states
from coinone.interfaces.api.exchange.channels.batch_events import trades_of
from coinone.interfaces.api.exchange.channels.candles import CandleStream
from coinone.interfaces.api.exchange.info.sources import Sources
from coinone.interfaces.api.exchange.json import events as formats
from coinone.interfaces.api.exchange.json.markets import spot_contexts_json
from coinone.interfaces.api.http import jsonio
from coinone.interfaces.api.limits import QUERIES_PER_VISIT, WS_STATES_WAIT_S
from coinone.interfaces.api.sockets.hub import NOTHING, Hub, Key, Snapshot
from coinone.rules.exchange.events.event_log import EventLog

Json = dict[str, Any]
STATE_REFRESH_MS = 1000
OF_ACCOUNTS = frozenset((*ROW_CHANNELS, *STATE_CHANNELS))  # something is read for whoever begins to listen
_ROWS_OF_A_BOOK = 32  # what a book takes, in the measure of fills and orders


class Feed:
    """Publishes to the hub, batch by batch; answers new subscriptions with a snapshot."""

    def __init__(self, hub: Hub, sources: Sources) -> None:
        self._hub = hub
        self._sources = sources
        self._coins = sources.data.coins
        self._data = sources.data
        self._sent: dict[Key, int] = {}  # hash of the last message
        self._states: asyncio.Task[None] | None = None
        self._candles = CandleStream(hub, sources)
        self._prices: dict[str, Json] = {}
        self._refreshed_ms = 0
        self._touched: dict[str, None] = {}  # watched accounts, in hex, to be told of first

    async def on_batch(self, events: EventLog) -> None:
        """Everything that a batch has to say; the market data must have adopted it already. Events are made of
        its rows only where somebody listens."""
        turns = Turns(self._hub.flush)
        self._publish_markets()
        self._candles.publish(events)
        await self._publish_books(turns)
        await self._publish_trades(events, turns)
        concerned = events.parties()
        self._touched.update(
            dict.fromkeys(user for user in map(bytes.hex, concerned) if user in self._hub.watched)
        )
        listening = {key[1] for channel in EVENT_CHANNELS for key in self._hub.keys(channel)}
        watched = {account for account in concerned if account.hex() in listening}
        if watched:
            await self._publish_events(events, watched, turns)
        self._hub.flush()
        await self._publish_states_beside()

    def reset(self) -> None:
        """Time was turned back: what was sent last counts no more."""
        self._sent.clear()
        self._candles.reset()
        self._prices.clear()
        self._refreshed_ms = 0
        self._hub.forget_seqs()

    # Markets

    def _publish_markets(self) -> None:
        for key in self._hub.keys("allMids"):
            self._publish_changed(key, message("allMids", {"mids": self._data.mids()}))
        for key in self._hub.keys("bbo"):
            self._publish_changed(key, self._bbo(key), unless_same=_without_time)
        for key in self._hub.keys("activeAssetCtx"):
            self._publish_changed(key, self._context(key))
        for channel in ("assetCtxs", "allDexsAssetCtxs"):
            for key in self._hub.keys(channel):
                self._publish_changed(key, self._contexts(channel))
        for key in self._hub.keys("fastAssetCtxs"):
            self._publish_prices(key)

    async def _publish_books(self, turns: Turns) -> None:
        for key in self._hub.keys("l2Book"):
            self._publish_changed(key, self._book(key), unless_same=_without_time)
            await turns.after(_ROWS_OF_A_BOOK)

    def _publish_changed(
        self,
        key: Key,
        payload: bytes,
        unless_same: Callable[[bytes], bytes] = lambda payload: payload,
        seq: int | None = None,
    ) -> None:
        """Publish unless the last message of this key said the same. It is of the newest batch, or of `seq`."""
        essence = hash(unless_same(payload))
        if self._sent.get(key) != essence:
            to_all = self._hub.publish(key, payload, self._data.seq if seq is None else seq)
            self._sent[key] = essence if to_all else 0

    def _publish_prices(self, key: Key) -> None:
        """Only what changed, as the anchor does: the first message of a subscriber holds all."""
        prices = self._data.prices()
        changed = {coin: price for coin, price in prices.items() if self._prices.get(coin) != price}
        if changed:
            self._prices = prices
            self._hub.publish(key, _squeezed("fastAssetCtxs", changed), self._data.seq)

    async def _publish_trades(self, events: EventLog, turns: Turns) -> None:
        for key in self._hub.keys("trades"):
            fills = trades_of(events, self._coins.named(key[1]).index)
            trades = await turns.collect(formats.trade_json(fill, self._coins) for fill in fills)
            if trades:
                self._hub.publish(key, message("trades", trades), self._data.seq)

    def _book(self, key: Key) -> bytes:
        figures = int(key[2]) if key[2] else None
        mantissa = int(key[3]) if key[3] else None
        return message("l2Book", self._data.book(self._coins.named(key[1]), figures, mantissa))

    def _bbo(self, key: Key) -> bytes:
        return message("bbo", self._data.bbo(self._coins.named(key[1])))

    def _context(self, key: Key) -> bytes:
        coin = self._coins.named(key[1])
        return message("activeAssetCtx", {"coin": coin.name, "ctx": self._data.context(coin)})

    def _contexts(self, channel: str) -> bytes:
        contexts = self._data.contexts()
        if channel == "assetCtxs":
            return message(channel, {"dex": "", "ctxs": contexts})
        return message(channel, {"ctxs": [["", contexts]]})

    # Accounts: events

    async def _publish_events(self, events: EventLog, watched: set[Address], turns: Turns) -> None:
        shares = await shares_of(events, watched, self._coins, turns)
        for account, happened in shares.items():
            user = account.hex()
            for key in [*((channel, user) for channel in EVENT_CHANNELS), ("userFills", user, JOINED)]:
                if self._hub.wanted(key):
                    for payload in await happened.messages(key):
                        self._hub.publish(key, payload, self._data.seq)

    # Accounts: state

    async def _publish_states_beside(self) -> None:
        """Begin, unless it is under way from an earlier batch, and wait a little for its end."""
        self._end_states()
        if self._states is None:
            self._states = asyncio.create_task(self._publish_states())
        await asyncio.wait({self._states}, timeout=WS_STATES_WAIT_S)
        self._end_states()

    def _end_states(self) -> None:
        """Where all is told: what batches touch from here on begins it anew."""
        if self._states is not None and self._states.done():
            states, self._states = self._states, None
            states.result()

    async def _publish_states(self) -> None:
        turns, waiting = Turns(self._hub.flush), {}
        if self._is_new_second():
            self._forget_unwatched()
            waiting = dict.fromkeys(self._hub.watched)
        while users := self._next_users(waiting):
            group = {bytes.fromhex(user): self._hub.watched.keys_of(user) for user in users}
            async for key, payload, seq in account_states(self._sources, group, turns):
                self._publish_changed(key, payload, _without_time, seq)
            self._hub.flush()

    def _is_new_second(self) -> bool:
        """Whether a second is over. Then the few accounts that most listen to come first, however many others have."""
        is_due = self._data.time_ms - self._refreshed_ms >= STATE_REFRESH_MS
        if is_due:
            self._refreshed_ms = self._data.time_ms
            self._touched.update(dict.fromkeys(self._hub.watched.of_few()))
        return is_due

    def _next_users(self, waiting: dict[str, None]) -> list[str]:
        """Whom batches touched, also while others were told, before those who are only due."""
        self._is_new_second()
        touched = list(islice(self._touched, QUERIES_PER_VISIT))
        for user in touched:
            del self._touched[user]
            waiting.pop(user, None)
        due = list(islice(waiting, QUERIES_PER_VISIT - len(touched)))
        for user in due:
            del waiting[user]
        return touched + due

    def _forget_unwatched(self) -> None:
        for key in [key for key in self._sent if not self._hub.wanted(key)]:
            del self._sent[key]

    # New subscriptions

    async def snapshot(self, key: Key) -> Snapshot:
        """What a new subscriber gets first. Rows and trades of the batches in it are not told again. A state may be:
        with the same number there may be a newer one, and only older ones are left out."""
        if key[0] in ROW_CHANNELS:
            return await first_rows(self._sources, key)
        if key[0] in STATE_CHANNELS:
            return await self._first_state(key)
        if key[0] == "candle":
            return self._candles.snapshot(key)
        maker = _SNAPSHOTS.get(key[0])
        if maker is None:
            return NOTHING
        seq = self._data.seq
        messages = await maker(self, key)
        self._sent.pop(key, None)
        if key[0] == "trades":
            return Snapshot(messages, self._data.trades_seq(self._coins.named(key[1])))
        return Snapshot(messages, seq - 1)

    async def _first_state(self, key: Key) -> Snapshot:
        states = account_states(self._sources, {bytes.fromhex(key[1]): [key]}, Turns())
        ((_, payload, seq),) = [state async for state in states]
        self._sent.pop(key, None)  # what others were told last may come again, and be news to this one
        return Snapshot([payload], seq - 1)

    async def _snapshot_mids(self, key: Key) -> list[bytes]:
        return [message("allMids", {"mids": self._data.mids()})]

    async def _snapshot_book(self, key: Key) -> list[bytes]:
        return [self._book(key)]

    async def _snapshot_bbo(self, key: Key) -> list[bytes]:
        return [self._bbo(key)]

    async def _snapshot_context(self, key: Key) -> list[bytes]:
        return [self._context(key)]

    async def _snapshot_contexts(self, key: Key) -> list[bytes]:
        return [self._contexts(key[0])]

    async def _snapshot_prices(self, key: Key) -> list[bytes]:
        self._prices = self._data.prices()  # changes count from here on, whoever listened before
        return [_squeezed(key[0], self._prices)]

    async def _snapshot_spot(self, key: Key) -> list[bytes]:
        return [message(key[0], spot_contexts_json())]

    async def _snapshot_twaps(self, key: Key) -> list[bytes]:
        """There are no TWAP orders: the empty state, and never an update."""
        user = "0x" + key[1]
        if key[0] == "twapStates":
            return [message(key[0], {"dex": "", "user": user, "states": []})]
        name = "history" if key[0] == "userTwapHistory" else "twapSliceFills"
        return [message(key[0], {"isSnapshot": True, "user": user, name: []})]

    async def _snapshot_trades(self, key: Key) -> list[bytes]:
        trades = self._data.recent_trades(self._coins.named(key[1]), 30)
        return [message("trades", trades)] if trades else []


_SNAPSHOTS: dict[str, Callable[[Feed, Key], Awaitable[list[bytes]]]] = {
    "allMids": Feed._snapshot_mids,
    "l2Book": Feed._snapshot_book,
    "bbo": Feed._snapshot_bbo,
    "activeAssetCtx": Feed._snapshot_context,
    "assetCtxs": Feed._snapshot_contexts,
    "allDexsAssetCtxs": Feed._snapshot_contexts,
    "fastAssetCtxs": Feed._snapshot_prices,
    "spotAssetCtxs": Feed._snapshot_spot,
    "twapStates": Feed._snapshot_twaps,
    "userTwapHistory": Feed._snapshot_twaps,
    "userTwapSliceFills": Feed._snapshot_twaps,
    "trades": Feed._snapshot_trades,
}


def _squeezed(channel: str, data: Json) -> bytes:
    """A message whose data is base64 of raw DEFLATE (RFC 1951) of JSON, as fastAssetCtxs has it."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(jsonio.encode(data)) + packer.flush()
    return message(channel, base64.b64encode(packed).decode())


def _without_time(payload: bytes) -> bytes:
    """A message without its time field, to tell whether anything else changed."""
    start = payload.find(b'"time":')
    if start < 0:
        return payload
    end = start + 7
    while payload[end : end + 1].isdigit():
        end += 1
    return payload[:start] + payload[end:]
