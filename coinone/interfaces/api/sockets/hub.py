"""Who listens to what, and how a message reaches a thousand of them.

A message is serialised and framed once; its bytes are appended to the outbox of each subscriber, and a flush
at the end of the batch hands every connection one write. The socket's own buffer is the bounded queue: a
reader too far behind is cut off (protocols.write_frames), because a stream with holes is worse than none.
Whoever begins to listen waits until its first messages are made, which may take long; what is published meanwhile is
kept for it, and comes after them, without what they tell already. So an event is told once, and none is missing.
All of this runs on the interface's event loop; nothing here is shared with another thread.
"""

from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from coinone.base.primitives.errors import LimitExceeded
from coinone.interfaces.api.admission.watched import WatchedAccounts
from coinone.interfaces.api.limits import WS_BUFFER_BYTES_MAX, WS_SUBSCRIPTIONS_MAX, WS_WRITE_BYTES
from coinone.interfaces.api.sockets.links import StreamLink
from coinone.interfaces.api.sockets.protocols import text_frame

Key: TypeAlias = tuple[str, ...]  # channel, then what it is of: ("l2Book", "BTC", "", "")


@dataclass(frozen=True, slots=True)
class FirstMessages:
    """The first messages of a new listener, and the last batch whose news they tell (-1: none are left out)."""

    messages: Sequence[bytes] = ()
    seq: int = -1


NOTHING = FirstMessages()


class _Kept:
    """What was published for a new listener whose first messages are not made yet, with its batch."""

    __slots__ = ("anew", "frames", "size")

    def __init__(self, anew: bool = False) -> None:
        self.frames: list[tuple[int, bytes]] = []
        self.size = 0
        self.anew = anew  # time was turned back meanwhile

    def add(self, seq: int, frame: bytes) -> bool:
        """False where it is too much."""
        self.frames.append((seq, frame))
        self.size += len(frame)
        return self.size <= WS_BUFFER_BYTES_MAX


_Place: TypeAlias = _Kept | int  # or the last batch that the listener's first messages told


class Connection:
    """One subscriber: its link, what it listens to, and frames not yet written. `share` is the sender that it counts
    to."""

    __slots__ = ("_held", "_link", "_outbox", "keys", "open", "share")

    def __init__(self, link: StreamLink, share: Hashable = None) -> None:
        self._link = link
        self.share = share
        self._outbox: list[bytes] = []
        self._held = 0
        self.keys: dict[Key, None] = {}
        self.open = True

    def send(self, payload: bytes) -> None:
        """Send one message at once."""
        self.queue(text_frame(payload))
        self.flush()

    def hold(self, payload: bytes) -> None:
        """Send one message with those that come soon: when they are enough for a write, or at the next flush."""
        frame = text_frame(payload)
        self.queue(frame)
        self._held += len(frame)
        if self._held >= WS_WRITE_BYTES:
            self.flush()

    async def answer(self, payload: bytes) -> None:
        """Send what was asked for, however large it is, when there is room, and wait until most of it is taken."""
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
        """End it: it missed something, or would."""
        self.open = False
        self._outbox.clear()
        self._link.cut()


class Hub:
    """All subscriptions of one node. Whose state is listened to by `state_channels` is watched."""

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
        """Batches were missed: no stream goes on without them. Clients come again, and begin with a snapshot."""
        for connection in self.connections:
            if connection.keys:
                connection.cut()

    def cut(self, key: Key) -> None:
        """Who listens to `key` missed something."""
        for connection in self._listeners.get(key[0], {}).get(key, ()):
            connection.cut()

    def subscribe(self, connection: Connection, key: Key) -> bool:
        """Keep from now on what is published, until `begin`. False if the connection listens to it already. Raises
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
        """Send a new listener its first messages, then what was kept for it and is not in them."""
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
        """Time was turned back: batches that come have the numbers of others that were told."""
        for channel in self._listeners.values():
            for listeners in channel.values():
                for connection in listeners:
                    listeners[connection] = -1 if isinstance(listeners[connection], int) else _Kept(anew=True)

    def unsubscribe(self, connection: Connection, key: Key) -> bool:
        """False if the connection did not listen to it."""
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
        """The keys of a channel that somebody listens to."""
        return iter(tuple(self._listeners.get(channel, ())))

    def wanted(self, key: Key) -> bool:
        return key in self._listeners.get(key[0], ())

    def publish(self, key: Key, payload: bytes, seq: int) -> bool:
        """Put a message of batch `seq` into the outbox of everybody who listens to `key`. False where it was left out
        for one of them, whose first messages were of a later batch."""
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
        """Write every outbox that has something in it: one write for each connection."""
        for connection in self._dirty:
            connection.flush()
        self._dirty.clear()
