"""Subscriptions, and the delivery of one message to thousands of subscribers.

A message is serialised and framed once; its bytes are appended to the outbox of each subscriber, and a flush at the end
of the batch passes every connection one write. The socket's own buffer is the bounded queue: a reader too far behind is
cut off (protocols.write_frames), because a stream with holes is worse than none. A new subscriber waits until its first
messages are made, which may take long; what is published meanwhile is kept for it and sent after them, without what
they already contain. So each event is sent once, and none is missing. All of this runs on the interface's event loop;
nothing here is shared with another thread.
"""

from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from coinone.base.primitives.errors import LimitExceeded
from coinone.interfaces.api.admission.watched import WatchedAccounts
from coinone.interfaces.api.limits import WS_BUFFER_BYTES_MAX, WS_SUBSCRIPTIONS_MAX, WS_WRITE_BYTES
from coinone.interfaces.api.sockets.links import StreamLink
from coinone.interfaces.api.sockets.protocols import text_frame

Key: TypeAlias = tuple[str, ...]  # channel, then its fields: ("l2Book", "BTC", "", "")


@dataclass(frozen=True, slots=True)
class FirstMessages:
    """The first messages of a new subscriber, and the last batch that they include (-1: none is skipped)."""

    messages: Sequence[bytes] = ()
    seq: int = -1


NOTHING = FirstMessages()


class _Kept:
    """Messages published for a new subscriber whose first messages are not made yet, each with its batch."""

    __slots__ = ("anew", "frames", "size")

    def __init__(self, anew: bool = False) -> None:
        self.frames: list[tuple[int, bytes]] = []
        self.size = 0
        self.anew = anew  # whether the chain was rewound meanwhile

    def add(self, seq: int, frame: bytes) -> bool:
        """Keep a frame; false if too much is kept."""
        self.frames.append((seq, frame))
        self.size += len(frame)
        return self.size <= WS_BUFFER_BYTES_MAX


_Place: TypeAlias = _Kept | int  # or the last batch that the subscriber's first messages include


class Connection:
    """One subscriber: its link, its subscriptions, and frames not yet written. `share` is the sender that it counts
    against."""

    __slots__ = ("_held", "_link", "_outbox", "keys", "open", "share")

    def __init__(self, link: StreamLink, share: Hashable = None) -> None:
        self._link = link
        self.share = share
        self._outbox: list[bytes] = []
        self._held = 0
        self.keys: dict[Key, None] = {}
        self.open = True

    def send(self, payload: bytes) -> None:
        """Send one message immediately."""
        self.queue(text_frame(payload))
        self.flush()

    def hold(self, payload: bytes) -> None:
        """Send one message with those that follow soon: when they fill a write, or at the next flush."""
        frame = text_frame(payload)
        self.queue(frame)
        self._held += len(frame)
        if self._held >= WS_WRITE_BYTES:
            self.flush()

    async def answer(self, payload: bytes) -> None:
        """Send an answer of any size when there is room, and wait until most of it is taken."""
        frame = text_frame(payload)
        del payload  # or it is kept twice until then
        if self.open:
            self.open = await self._link.write_whole(frame)

    def queue(self, frame: bytes) -> None:
        self._outbox.append(frame)

    def flush(self) -> None:
        if self._outbox and self.open:
            self.open = self._link.write_frames(b"".join(self._outbox))
        self._outbox.clear()
        self._held = 0

    def cut(self) -> None:
        """End the connection: it missed messages, or would."""
        self.open = False
        self._outbox.clear()
        self._link.cut()


class Hub:
    """All subscriptions of one node. Accounts subscribed to by `state_channels` are watched."""

    def __init__(self, state_channels: Collection[str] = ()) -> None:
        self._listeners: dict[str, dict[Key, dict[Connection, _Place]]] = {}
        self._dirty: dict[Connection, None] = {}
        self.connections: dict[Connection, None] = {}
        self.watched = WatchedAccounts(state_channels)
        self.messages_sent = 0

    def join(self, connection: Connection) -> None:
        self.connections[connection] = None

    def leave(self, connection: Connection) -> None:
        for key in list(connection.keys):
            self.unsubscribe(connection, key)
        self.connections.pop(connection, None)
        self._dirty.pop(connection, None)
        connection.open = False

    def cut_all(self) -> None:
        """Cut all subscribers after missed batches, since no stream may have holes; nothing more is made for them.
        Clients reconnect and get a snapshot."""
        for connection in self.connections:
            if connection.keys:
                connection.cut()
                for key in list(connection.keys):
                    self.unsubscribe(connection, key)

    def cut(self, key: Key) -> None:
        """Cut the subscribers of `key`, which missed messages."""
        for connection in self._listeners.get(key[0], {}).get(key, ()):
            connection.cut()

    def subscribe(self, connection: Connection, key: Key) -> bool:
        """Keep what is published from now on, until `begin`. False if the connection is already subscribed. Raises
        LimitExceeded."""
        if key in connection.keys:
            return False
        if len(connection.keys) >= WS_SUBSCRIPTIONS_MAX:
            raise LimitExceeded("too many subscriptions on one connection", most=WS_SUBSCRIPTIONS_MAX)
        self.watched.add(connection.share, key)
        connection.keys[key] = None
        self._listeners.setdefault(key[0], {}).setdefault(key, {})[connection] = _Kept()
        return True

    def begin(self, connection: Connection, key: Key, first: FirstMessages = NOTHING) -> None:
        """Send a new subscriber its first messages, then the kept ones that are not included in them. Nothing, if it
        was cut meanwhile."""
        if not connection.open:
            return
        listeners = self._listeners.get(key[0], {}).get(key, {})
        kept = listeners.get(connection)
        assert isinstance(kept, _Kept), "it begins once"
        seq_told = listeners[connection] = -1 if kept.anew else first.seq
        for payload in first.messages:
            connection.queue(text_frame(payload))
        for seq, frame in kept.frames:
            if seq > seq_told:
                connection.queue(frame)
        connection.flush()

    def forget_seqs(self) -> None:
        """Forget batch numbers after a rewind: new batches have the numbers of ones already sent."""
        for channel in self._listeners.values():
            for listeners in channel.values():
                for connection in listeners:
                    listeners[connection] = -1 if isinstance(listeners[connection], int) else _Kept(anew=True)

    def unsubscribe(self, connection: Connection, key: Key) -> bool:
        """Remove a subscription; false if there was none."""
        if key not in connection.keys:
            return False
        del connection.keys[key]
        self.watched.remove(connection.share, key)
        channel = self._listeners[key[0]]
        listeners = channel[key]
        del listeners[connection]
        if not listeners:
            del channel[key]
        return True

    def keys(self, channel: str) -> Iterator[Key]:
        """The keys of a channel that have subscribers."""
        return iter(tuple(self._listeners.get(channel, ())))

    def wanted(self, key: Key) -> bool:
        return key in self._listeners.get(key[0], ())

    def publish(self, key: Key, payload: bytes, seq: int) -> bool:
        """Put a message of batch `seq` into the outbox of all subscribers of `key`. False if it was skipped for one
        of them, whose first messages include a later batch."""
        listeners = self._listeners.get(key[0], {}).get(key)
        if not listeners:
            return True
        frame, to_all = text_frame(payload), True
        for connection, place in listeners.items():
            if isinstance(place, int):
                if seq > place:
                    connection.queue(frame)
                    self._dirty[connection] = None
                else:
                    to_all = False
            elif connection.open and not place.add(seq, frame):
                connection.cut()
        self.messages_sent += len(listeners)
        return to_all

    def flush(self) -> None:
        """Write every outbox that is not empty: one write per connection."""
        for connection in self._dirty:
            connection.flush()
        self._dirty.clear()
