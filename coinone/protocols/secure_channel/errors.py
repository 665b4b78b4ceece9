"""What ends a connection, by name."""

from coinone.base.primitives.errors import DecodeError, LimitExceeded


class HandshakeFailed(DecodeError):
    """A message of the handshake is not one that the holder of the shown keys made for this connection."""


class OtherNetwork(DecodeError):
    """The peer names another network, genesis or version than this node's."""


class OtherKey(HandshakeFailed):
    """The peer proved a key, but not the one that the operator named."""


class ForgedMessage(DecodeError):
    """A message is not the next one that the peer sealed: it was changed, repeated, left out or made by another."""


class KeyUsedUp(LimitExceeded):
    """A key has encrypted as many messages as it may."""
