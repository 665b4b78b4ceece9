"""The candle streams: the current state of each candle, and the last batch whose trades it includes.

A candle with subscribers is read from the history once, which includes batches that the streams have not published;
those are not added again. From then on each batch's trades are added to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from coinone.interfaces.api.admission.turns import Turns
from coinone.interfaces.api.exchange.channels.channel import message
from coinone.interfaces.api.exchange.channels.outlet import Outlet
from coinone.interfaces.api.exchange.info.histories import candle_json
from coinone.interfaces.api.sockets.hub import FirstMessages, Key
from coinone.node.storage.history.candles import Candle, grown, traded_in
from coinone.rules.exchange.events.event_log import EventLog


@dataclass(frozen=True, slots=True)
class _Known:
    candle: Candle | None  # None: nothing was traded yet
    seq: int


class CandleStream:
    """The candles of all coins and intervals with subscribers."""

    def __init__(self, outlet: Outlet) -> None:
        self._hub = outlet.hub
        self._sources = outlet.sources
        self._known: dict[Key, _Known] = {}

    async def on_batch(self, events: EventLog, turns: Turns) -> None:
        """Publish the candles that the newest batch changed."""
        wanted = list(self._hub.keys("candle"))
        self._known = {key: self._known[key] for key in wanted if key in self._known}
        if wanted:
            traded, seq = traded_in(events), self._sources.data.seq
            for key, known in self._changed(wanted, traded, seq):
                self._known[key] = known
                for payload in self._messages(key, known):
                    self._hub.publish(key, payload, known.seq)

    def _changed(
        self, wanted: list[Key], traded: dict[int, Candle], seq: int
    ) -> Iterator[tuple[Key, _Known]]:
        for key in wanted:
            trades = traded.get(self._sources.data.coins.named(key[1]).index)
            known = self._known.get(key)
            if trades is None:
                continue
            if known is None:  # the chain was rewound since
                yield key, self._read(key)
            elif seq > known.seq:
                yield key, _Known(grown(known.candle, key[2], trades), seq)

    async def snapshot(self, key: Key) -> FirstMessages:
        known = self._known.get(key) or self._read(key)
        self._known[key] = known
        return FirstMessages(self._messages(key, known), known.seq)

    def reset(self) -> None:
        """Forget all candles after a rewind."""
        self._known.clear()

    def _read(self, key: Key) -> _Known:
        coin, now_ms = self._sources.data.coins.named(key[1]), self._sources.data.time_ms
        return _Known(*self._sources.histories.last_candle(coin, key[2], now_ms))

    def _messages(self, key: Key, known: _Known) -> list[bytes]:
        if known.candle is None:
            return []
        return [message("candle", candle_json(known.candle, self._sources.data.coins.named(key[1]), key[2]))]
