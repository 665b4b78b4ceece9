"""Publish messages, leaving out those that equal the last one of their key except for the time."""

from coinone.interfaces.api.exchange.info.sources import Sources
from coinone.interfaces.api.sockets.hub import Hub, Key


class Outlet:
    """The hub, the data sources, and the last message of each key."""

    def __init__(self, hub: Hub, sources: Sources) -> None:
        self.hub = hub
        self.sources = sources
        self.data = sources.data
        self._last: dict[Key, int] = {}  # hash of the last message

    def publish(self, key: Key, payload: bytes) -> None:
        """Publish a message of the newest batch."""
        self.hub.publish(key, payload, self.data.seq)

    def publish_changed(self, key: Key, payload: bytes, seq: int | None = None) -> None:
        """Publish unless the last message of this key is equal except for its time. It is of the newest batch, or of
        `seq`."""
        essence = hash(without_time(payload))
        if self._last.get(key) != essence:
            to_all = self.hub.publish(key, payload, self.data.seq if seq is None else seq)
            self._last[key] = essence if to_all else 0

    def forget(self, key: Key) -> None:
        """Forget the last message of a key: a new subscriber may need it."""
        self._last.pop(key, None)

    def forget_unwanted(self) -> None:
        for key in [key for key in self._last if not self.hub.wanted(key)]:
            del self._last[key]

    def reset(self) -> None:
        """Forget all last messages, after a rewind."""
        self._last.clear()


def without_time(payload: bytes) -> bytes:
    """A message without its time field, to detect whether anything else changed."""
    start = payload.find(b'"time":')
    if start < 0:
        return payload
    end = start + 7
    while payload[end : end + 1].isdigit():
        end += 1
    return payload[:start] + payload[end:]
