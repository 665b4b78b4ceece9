"""Where streams publish: a message that says the same as the last one of its key is left out."""

from coinone.interfaces.api.exchange.info.sources import Sources
from coinone.interfaces.api.sockets.hub import Hub, Key


class Outlet:
    """The hub, what is told from, and what was told last."""

    def __init__(self, hub: Hub, sources: Sources) -> None:
        self.hub = hub
        self.sources = sources
        self.data = sources.data
        self._last: dict[Key, int] = {}  # hash of the last message

    def publish(self, key: Key, payload: bytes) -> None:
        """A message of the newest batch."""
        self.hub.publish(key, payload, self.data.seq)

    def publish_changed(self, key: Key, payload: bytes, seq: int | None = None) -> None:
        """Publish unless the last message of this key said the same. It is of the newest batch, or of `seq`."""
        essence = hash(without_time(payload))
        if self._last.get(key) != essence:
            to_all = self.hub.publish(key, payload, self.data.seq if seq is None else seq)
            self._last[key] = essence if to_all else 0

    def forget(self, key: Key) -> None:
        """What others were told last may come again, and be news to a new listener."""
        self._last.pop(key, None)

    def forget_unwanted(self) -> None:
        for key in [key for key in self._last if not self.hub.wanted(key)]:
            del self._last[key]

    def reset(self) -> None:
        """Time was turned back: what was told last counts no more."""
        self._last.clear()


def without_time(payload: bytes) -> bytes:
    """A message without its time field, to tell whether anything else changed."""
    start = payload.find(b'"time":')
    if start < 0:
        return payload
    end = start + 7
    while payload[end : end + 1].isdigit():
        end += 1
    return payload[:start] + payload[end:]
